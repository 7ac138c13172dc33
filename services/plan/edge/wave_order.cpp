#include "wave_order.hpp"

#include <kafka/consumer.hpp>
#include <semel/v1/audience.pb.h>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <string_view>

namespace semel::plan {

namespace asio = boost::asio;

namespace {

struct release_record {
    release_position at;
    v1::Progress progress;
};

/// "WAVE|PARTITION", what follows the prefix of a key.
std::optional<release_position> position_of(std::string_view rest) {
    release_position at;
    const auto* end = rest.data() + rest.size();
    const auto [bar, bad_wave] = std::from_chars(rest.data(), end, at.wave);
    if (bad_wave != std::errc{} || bar == end || *bar != '|' ||
        std::from_chars(bar + 1, end, at.partition).ec != std::errc{}) {
        return std::nullopt;
    }
    return at;
}

asio::awaitable<base::result<std::vector<release_record>>>
release_records(asio::any_io_executor executor, kafka_place place, base::campaign_id campaign) {
    const auto prefix = wire::release_progress_prefix(campaign);
    kafka::reader reader{executor, {.bootstrap = place.bootstrap}};
    if (auto begun = co_await reader.from_beginning(place.topic(wire::progress)); !begun) {
        co_return base::failed(begun.error());
    }
    if (auto end = co_await reader.refresh_end(); !end) {
        co_return base::failed(end.error());
    }
    std::vector<release_record> all;
    while (!reader.at_end()) {
        for (const auto& r : co_await reader.next()) {
            const auto key = r.key();
            const auto at = key.starts_with(prefix) ? position_of(key.substr(prefix.size())) : std::nullopt;
            release_record read;
            if (at && read.progress.ParseFromArray(r.value().data(), static_cast<int>(r.value().size()))) {
                read.at = *at;
                read.at.next = read.progress.next_offset();
                all.push_back(std::move(read));
            }
        }
    }
    co_return all;
}

} // namespace

asio::awaitable<base::result<std::vector<begun_wave>>> begun_waves(asio::any_io_executor executor, kafka_place place,
                                                                   base::campaign_id campaign) {
    const auto records = co_await release_records(executor, std::move(place), std::move(campaign));
    if (!records) {
        co_return base::failed(records.error());
    }
    std::vector<begun_wave> all;
    for (const auto& r : *records) {
        all.push_back({r.at.wave, {r.progress.after().begin(), r.progress.after().end()}});
    }
    co_return all;
}

asio::awaitable<base::result<std::vector<release_position>>>
release_positions(asio::any_io_executor executor, kafka_place place, base::campaign_id campaign) {
    const auto records = co_await release_records(executor, std::move(place), std::move(campaign));
    if (!records) {
        co_return base::failed(records.error());
    }
    std::vector<release_position> all;
    std::ranges::transform(*records, std::back_inserter(all), &release_record::at);
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
