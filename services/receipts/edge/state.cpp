#include "state.hpp"

#include <kafka/refusal.hpp>
#include <runtime/tasks.hpp>

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
        kafka::refuse(record, "it is no Doubt: written by a newer version of Semel?");
        return std::nullopt;
    }
    return doubt;
}

} // namespace

asio::awaitable<base::result<parts>> read_back(asio::any_io_executor executor, std::string bootstrap, std::string topic,
                                               std::map<std::int32_t, std::uint64_t> wanted,
                                               base::duration awaiting_limit) {
    struct found {
        std::unordered_map<std::string, v1::Doubt> last; // by key: a tombstone comes after what it erases
        std::uint64_t turn = 0;
    };
    std::map<std::int32_t, found> all;
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
        for (const auto& record : batch) {
            const auto mine = all.find(record.at().partition);
            if (mine == all.end()) {
                continue;
            }
            std::string key{record.key()};
            if (record.is_tombstone()) {
                mine->second.last.erase(key);
                continue;
            }
            auto doubt = doubt_of(record);
            if (!doubt) {
                continue;
            }
            if (key == turn_key) {
                mine->second.turn = doubt->turn();
            } else {
                mine->second.last.insert_or_assign(std::move(key), std::move(*doubt));
            }
        }
    }
    parts out;
    for (auto& [partition, one] : all) {
        part p{.doubts = doubts{awaiting_limit}, .turn = one.turn};
        for (auto& [key, doubt] : one.last) {
            p.doubts.restore(std::move(doubt));
        }
        out.emplace(partition, std::move(p));
    }
    co_return out;
}

asio::awaitable<std::vector<std::string>> write_changes(kafka::transactional_producer& producer,
                                                        kafka::topic_partition to, part& mine,
                                                        std::unordered_set<base::notification_id> changed) {
    std::vector<std::string> settled;
    for (const auto& id : changed) {
        const auto key = base::as_view(id);
        if (const auto* open = mine.doubts.find(id)) {
            const auto value = open->SerializeAsString();
            co_await producer.produce(to, key, value);
        } else {
            co_await producer.produce_tombstone(to, key);
            settled.emplace_back(key);
        }
    }
    if (!changed.empty()) {
        v1::Doubt turn;
        turn.set_turn(++mine.turn);
        const auto value = turn.SerializeAsString();
        co_await producer.produce(to, turn_key, value);
    }
    co_return settled;
}

} // namespace semel::receipts
