#include "wave_order.hpp"

#include <kafka/consumer.hpp>
#include <semel/v1/audience.pb.h>
#include <wire/progress.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>
#include <plan/core/position.hpp>

#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace semel::plan {

namespace asio = boost::asio;

namespace {

/// Of one wave in one partition of `audience`: the last of each of its two keys.
struct release_record {
    v1::Progress front;
    v1::Progress behind;
};
using where = std::pair<std::uint32_t, std::uint32_t>; // wave, partition

/// "WAVE|PARTITION", what follows the prefix of a key.
std::optional<where> where_of(std::string_view rest) {
    where at;
    const auto* end = rest.data() + rest.size();
    const auto [bar, bad_wave] = std::from_chars(rest.data(), end, at.first);
    if (bad_wave != std::errc{} || bar == end || *bar != '|' ||
        std::from_chars(bar + 1, end, at.second).ec != std::errc{}) {
        return std::nullopt;
    }
    return at;
}

asio::awaitable<base::result<std::map<where, release_record>>>
release_records(asio::any_io_executor executor, kafka_place place, base::campaign_id campaign) {
    const auto fronts = wire::release_progress_prefix(campaign);
    const auto gaps = wire::behind_progress_prefix(campaign);
    kafka::reader reader{executor, {.bootstrap = place.bootstrap}};
    if (auto begun = co_await reader.from_beginning(place.topic(wire::progress)); !begun) {
        co_return base::failed(begun.error());
    }
    if (auto end = co_await reader.refresh_end(); !end) {
        co_return base::failed(end.error());
    }
    std::map<where, release_record> all;
    while (!reader.at_end()) {
        for (const auto& r : co_await reader.next()) {
            const auto key = r.key();
            const bool is_front = key.starts_with(fronts);
            if (!is_front && !key.starts_with(gaps)) {
                continue;
            }
            const auto at = where_of(key.substr(is_front ? fronts.size() : gaps.size()));
            v1::Progress read;
            if (at && read.ParseFromArray(r.value().data(), static_cast<int>(r.value().size()))) {
                auto& record = all[*at];
                (is_front ? record.front : record.behind) = std::move(read);
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
    for (const auto& [at, r] : *records) {
        all.push_back({at.first, {r.front.after().begin(), r.front.after().end()}});
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
    for (const auto& [at, r] : *records) {
        all.push_back({at.first, at.second, position{r.front, &r.behind}.least()});
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
