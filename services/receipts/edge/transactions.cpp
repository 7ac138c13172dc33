// The service's transactions: what goes into one, and what becomes of one that did not commit.

#include "service.hpp"

#include <base/must.hpp>
#include <delivery/superseded.hpp>
#include <failpoint/failpoint.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace semel::receipts {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using base::must;

namespace {

constexpr std::size_t most_batch_bytes = 200'000;

} // namespace

asio::awaitable<void> service::produce(const outcome& out) {
    std::map<std::int32_t, std::pair<v1::EventBatch, std::size_t>> open;
    const auto flush = [](service& self, std::int32_t partition, v1::EventBatch batch) -> asio::awaitable<void> {
        const auto value = batch.SerializeAsString();
        kafka::topic_partition to{self.topic(wire::events), partition};
        co_await self.producer_.produce(std::move(to), {}, value);
    };
    for (const auto& e : out.events) {
        const auto partition = base::partition_of(e.notification(), settings_.partitions);
        auto& [batch, bytes] = open[partition];
        *batch.add_events() = e;
        bytes += e.ByteSizeLong();
        if (bytes >= most_batch_bytes) {
            auto full = std::exchange(batch, {});
            bytes = 0;
            co_await flush(*this, partition, std::move(full));
        }
    }
    for (auto& [partition, pending] : open) {
        if (pending.first.events_size() > 0) {
            co_await flush(*this, partition, std::move(pending.first));
        }
    }
    for (const auto& r : out.resends) {
        const auto channel = wire::from_proto(r.dispatch.channel());
        if (!channel) {
            throw std::logic_error{"a doubt's dispatch names no channel"};
        }
        const auto value = r.dispatch.SerializeAsString();
        auto to = at(wire::retry(*channel, r.tier), r.dispatch.notification());
        co_await producer_.produce(std::move(to), r.dispatch.notification(), value);
    }
    for (const auto& [key, value] : out.dead) {
        kafka::topic_partition to{topic(wire::dead_letter), 0};
        co_await producer_.produce(std::move(to), key, value);
    }
}

/// Before the transaction: what other processes must know once it is committed.
asio::awaitable<void> service::tell_index() {
    std::vector<index::candidate> open;
    for (const auto& [partition, p] : parts_) {
        std::ranges::move(candidates_.make(partition, p.doubts, p.doubts.changes()), std::back_inserter(open));
    }
    if (!open.empty()) {
        co_await persist<void>([this, open] { return index_.put(open); });
        SEMEL_FAILPOINT("receipts.commit.indexed");
    }
}

std::vector<kafka::commit> service::offsets_of(const outcome& out) const {
    std::vector<kafka::commit> offsets;
    for (const auto& [source, next] : out.read) {
        kafka::commit one{.at = source, .next = next, .metadata = {}};
        if (source.topic == topic(wire::events)) {
            const auto& p = parts_.at(source.partition);
            one.metadata =
                to_metadata({.turn = p.turn + (p.doubts.changes().empty() ? 0 : 1), .reread = p.doubts.reread_from()});
        }
        offsets.push_back(std::move(one));
    }
    return offsets;
}

asio::awaitable<void> service::commit(outcome out) {
    const auto began = steady::now();
    co_await tell_index();
    producer_.begin();
    co_await produce(out);
    std::vector<std::string> settled;
    std::size_t written = 0;
    for (const auto& [partition, p] : parts_) {
        if (!p.doubts.changes().empty()) {
            kafka::topic_partition source{topic(wire::events), partition};
            out.read.try_emplace(source, positions_.at(source).next); // fences a former owner
            kafka::topic_partition to{topic(wire::doubts), partition};
            auto gone = co_await write_changes(producer_, std::move(to), p, p.turn + 1);
            std::ranges::move(gone, std::back_inserter(settled));
            written += p.doubts.changes().size() + 1;
        }
    }
    if (out.read.empty()) {
        // Events alone, from an inference: without an offset nothing would fence a former owner.
        const auto& [source, stands] = *positions_.begin();
        out.read[source] = stands.next;
    }
    const auto offsets = offsets_of(out);
    SEMEL_FAILPOINT("receipts.commit.produced");
    auto result = co_await producer_.commit(offsets, membership_);
    if (result.outcome != kafka::outcome::committed && !co_await is_committed_after_all(std::move(result), offsets)) {
        co_return;
    }
    committed_ = steady::now();
    SEMEL_FAILPOINT("receipts.commit.known");
    for (const auto& c : offsets) {
        positions_[c.at] = {c.next, c.metadata};
    }
    for (auto& [partition, p] : parts_) {
        p.turn += p.doubts.changes().empty() ? 0 : 1;
        p.doubts.keep();
    }
    figures_.committed(out, committed_ - began);
    figures_.written(written);
    if (!out.superseded.empty() && !co_await delivery::mark_superseded(redis_, settings_.prefix, out.superseded)) {
        telemetry::log().warn("marks.not_written",
                              {{"resends", out.superseded.size()}, {"then", "they will be sent, and are listed"}});
    }
    if (!settled.empty() || !out.joined.empty()) {
        const auto orphans = out.joined;
        co_await persist<void>([this, settled, orphans] { return index_.forget(settled, orphans); });
        SEMEL_FAILPOINT("receipts.index.forgotten");
    }
}

/// If not, everything is as it was before it, or, where somebody else has committed meanwhile, read anew.
asio::awaitable<bool> service::is_committed_after_all(kafka::commit_result result, std::vector<kafka::commit> wanted) {
    figures_.not_committed();
    telemetry::log().warn("transaction.not_committed", {{"why", result.why}});
    if (steady::now() - committed_ > patience) {
        throw std::runtime_error{
            "no transaction has been committed for a minute; is Kafka well? Starting anew: nothing "
            "is lost, the doubts are read back"};
    }
    auto what = kafka::fate::not_committed;
    std::vector<kafka::topic_partition> owned;
    for (const auto& [at, stands] : positions_) {
        owned.push_back(at);
    }
    if (result.outcome == kafka::outcome::unknown) {
        co_await producer_.rebuild(); // whatever was in flight is decided once it has started
        what = fate_of(positions_, wanted, must(co_await consumer_.committed(owned)));
    } else {
        co_await runtime::sleep(200ms);
    }
    if (what == kafka::fate::committed) {
        co_return true;
    }
    if (leaving_) {
        start_anew(); // the next owner reads what was committed
    } else if (what == kafka::fate::overtaken) {
        for (const auto& start : co_await recover(std::move(owned))) {
            consumer_.seek(start.at, start.next);
        }
    } else {
        co_await undo(std::move(wanted));
    }
    co_return false;
}

asio::awaitable<void> service::undo(std::vector<kafka::commit> wanted) {
    std::vector<index::candidate> open;
    std::vector<std::string> gone;
    for (auto& [partition, p] : parts_) {
        std::unordered_set<base::notification_id> written;
        for (const auto& id : p.doubts.undo()) {
            if (p.doubts.find(id) != nullptr && !p.doubts.is_unwritten(id)) {
                written.insert(id);
            } else {
                gone.emplace_back(base::as_view(id));
            }
        }
        std::ranges::move(candidates_.make(partition, p.doubts, written), std::back_inserter(open));
    }
    if (!open.empty()) {
        co_await persist<void>([this, open] { return index_.put(open); });
    }
    if (!gone.empty()) {
        co_await persist<void>([this, gone] { return index_.forget(gone, {}); });
    }
    barrier_.drop();
    for (const auto& c : wanted) {
        if (const auto stands = positions_.at(c.at).next; stands != c.next) {
            ended_.erase(c.at);
            consumer_.seek(c.at, stands);
        }
    }
}

} // namespace semel::receipts
