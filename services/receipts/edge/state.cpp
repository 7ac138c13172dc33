#include "state.hpp"

#include <base/must.hpp>
#include <kafka/trust.hpp>
#include <runtime/race.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace semel::receipts {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

std::optional<v1::Doubt> doubt_of(const kafka::record& record) {
    v1::Doubt doubt;
    if (!doubt.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
        kafka::refuse(record, "it is not a Doubt: written by a newer version of Semel?");
        return std::nullopt;
    }
    return doubt;
}

/// What one partition of `doubts` says, up to the record read last.
struct stored {
    std::unordered_map<std::string, v1::Doubt> last; // by key: a tombstone comes after what it erases
    std::uint64_t turn = 0;

    void take(const kafka::record& record) {
        std::string key{record.key()};
        if (record.is_tombstone()) {
            last.erase(key);
            return;
        }
        auto doubt = doubt_of(record);
        if (!doubt) {
            return;
        }
        if (key == turn_key) {
            turn = doubt->turn();
        } else {
            last.insert_or_assign(std::move(key), std::move(*doubt));
        }
    }
    part restore(base::duration awaiting_limit) && {
        part p{.doubts = doubts{awaiting_limit}, .turn = turn};
        for (auto& [key, doubt] : last) {
            p.doubts.restore(std::move(doubt));
        }
        return p;
    }
};

} // namespace

asio::awaitable<base::result<restored>> read_back(asio::any_io_executor executor, kafka::cluster bootstrap,
                                                  std::string topic, std::map<std::int32_t, std::uint64_t> wanted,
                                                  base::duration awaiting_limit) {
    std::map<std::int32_t, stored> all;
    restored out;
    for (const auto& [partition, turn] : wanted) {
        all.try_emplace(partition);
    }
    const auto behind = [&] {
        return std::ranges::any_of(wanted, [&](const auto& w) { return all.at(w.first).turn < w.second; });
    };
    kafka::reader reader{executor, {.bootstrap = std::move(bootstrap)}};
    // Ours alone: with several processes, the others' doubts are most of the topic.
    std::vector<kafka::topic_partition> ours;
    for (const auto& [partition, turn] : wanted) {
        ours.push_back({topic, partition});
    }
    if (auto begun = co_await reader.from_beginning_of(std::move(ours)); !begun) {
        co_return base::failed(begun.error());
    }
    for (;;) {
        if (reader.at_end()) {
            if (!behind()) {
                break;
            }
            co_await runtime::sleep(20ms);
            if (auto end = co_await reader.refresh_end(); !end) {
                co_return base::failed(end.error());
            }
            continue;
        }
        const auto batch = co_await reader.next();
        out.records += batch.size();
        for (const auto& record : batch) {
            if (const auto mine = all.find(record.at().partition); mine != all.end()) {
                mine->second.take(record);
            }
        }
    }
    for (auto& [partition, one] : all) {
        out.parts.emplace(partition, std::move(one).restore(awaiting_limit));
    }
    co_return out;
}

asio::awaitable<std::map<std::int32_t, awaited>> read_awaited(asio::any_io_executor executor, kafka::cluster bootstrap,
                                                              std::vector<stretch> stretches) {
    std::map<std::int32_t, awaited> out;
    std::map<kafka::topic_partition, kafka::offset> left;
    std::vector<kafka::start> starts;
    for (const auto& s : stretches) {
        left[s.at] = s.to;
        starts.push_back({s.at, s.from});
    }
    kafka::reader reader{executor, {.bootstrap = std::move(bootstrap)}};
    reader.assign(starts);
    base::must(co_await reader.refresh_end());
    // The last record of a stretch may not be believed any more, and is then not given: the end tells as well.
    while (!left.empty() && !reader.at_end()) {
        for (const auto& record : co_await reader.next()) {
            const auto mine = left.find(record.at());
            if (mine == left.end()) {
                continue;
            }
            v1::EventBatch several;
            if (record.offset() < mine->second &&
                several.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
                const base::timestamp told{std::chrono::milliseconds{record.timestamp_ms()}};
                for (const auto& e : several.events()) {
                    out[record.at().partition].hear(e, told, record.offset());
                }
            }
            if (record.offset() + 1 >= mine->second) {
                left.erase(mine);
            }
        }
    }
    co_return out;
}

asio::awaitable<std::vector<std::string>> write_changes(kafka::transaction& into, kafka::topic_partition to,
                                                        const part& mine, std::uint64_t turn) {
    std::vector<std::string> settled;
    for (const auto& id : mine.doubts.changes()) {
        const auto key = base::as_view(id);
        if (const auto* open = mine.doubts.find(id)) {
            const auto value = open->SerializeAsString();
            co_await into.produce(to, key, value);
        } else {
            co_await into.produce_tombstone(to, key);
            settled.emplace_back(key);
        }
    }
    v1::Doubt last;
    last.set_turn(turn);
    const auto value = last.SerializeAsString();
    co_await into.produce(to, turn_key, value);
    co_return settled;
}

} // namespace semel::receipts
