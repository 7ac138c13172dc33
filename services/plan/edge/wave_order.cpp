#include "wave_order.hpp"

#include <kafka/consumer.hpp>
#include <semel/v1/audience.pb.h>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

#include <charconv>

namespace semel::plan {

namespace asio = boost::asio;

asio::awaitable<base::result<std::vector<begun_wave>>> begun_waves(asio::any_io_executor executor, kafka_place place,
                                                                   base::campaign_id campaign) {
    const auto prefix = wire::release_progress_prefix(campaign);
    kafka::reader reader{executor, {.bootstrap = place.bootstrap}};
    if (auto begun = co_await reader.from_beginning(place.topic(wire::progress)); !begun) {
        co_return base::failed(begun.error());
    }
    if (auto end = co_await reader.refresh_end(); !end) {
        co_return base::failed(end.error());
    }
    std::vector<begun_wave> all;
    while (!reader.at_end()) {
        for (const auto& r : co_await reader.next()) {
            v1::Progress p;
            begun_wave wave;
            const auto key = r.key();
            if (!key.starts_with(prefix) || !p.ParseFromArray(r.value().data(), static_cast<int>(r.value().size())) ||
                std::from_chars(key.data() + prefix.size(), key.data() + key.size(), wave.number).ec != std::errc{}) {
                continue;
            }
            wave.after.assign(p.after().begin(), p.after().end());
            all.push_back(std::move(wave));
        }
    }
    co_return all;
}

base::fault too_late(const catalog::campaign& campaign, std::uint32_t wave, std::uint32_t higher) {
    return {
        base::fault::kind::permanent,
        fmt::format("wave {0} comes before wave {1}, which was launched without it: who is in both would be told "
                    "twice, so nobody of wave {0} is told. Drop it (`semel audience drop {2} {0}`) and add its file "
                    "again; if it is launched already, its people are in need of a campaign of their own",
                    wave, higher, campaign.id.value())};
}

} // namespace semel::plan
