// The service's transactions: what goes into one, and what becomes of one that did not commit.

#include "service.hpp"

#include <delivery/redis/superseded.hpp>
#include <failpoint/failpoint.hpp>
#include <telemetry/log.hpp>
#include <wire/events.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace semel::receipts {

namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

asio::awaitable<void> service::produce(kafka::transaction& into, const outcome& out) {
    wire::event_batches events{settings_.partitions};
    for (const auto& e : out.events) {
        events.add(e);
    }
    for (const auto& [partition, value] : events.take()) {
        kafka::topic_partition to{topic(wire::events), partition};
        co_await into.produce(std::move(to), {}, value);
    }
    for (const auto& r : out.resends) {
        const auto channel = wire::from_proto(r.dispatch.channel());
        if (!channel) {
            throw std::logic_error{"a doubt's dispatch names no channel"};
        }
        const auto value = r.dispatch.SerializeAsString();
        auto to = at(wire::retry(*channel, r.tier), r.dispatch.notification());
        co_await into.produce(std::move(to), r.dispatch.notification(), value);
    }
    for (const auto& [key, value] : out.dead) {
        kafka::topic_partition to{topic(wire::dead_letter), 0};
        co_await into.produce(std::move(to), key, value);
    }
}

/// Before the transaction: what other processes must know once it is committed.
asio::awaitable<void> service::tell_index() {
    std::vector<index::candidate> open;
    for (const auto& [partition, p] : parts_) {
        std::ranges::move(candidates_.make(partition, p.doubts, p.doubts.changes()), std::back_inserter(open));
    }
    if (!open.empty()) {
        co_await patiently([this, open] { return index_.put(open); });
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

asio::awaitable<service::written> service::produce_changes(kafka::transaction& into) {
    written out;
    for (const auto& [partition, p] : parts_) {
        if (!p.doubts.changes().empty()) {
            kafka::topic_partition to{topic(wire::doubts), partition};
            auto gone = co_await write_changes(into, std::move(to), p, p.turn + 1);
            std::ranges::move(gone, std::back_inserter(out.settled));
            out.records += p.doubts.changes().size() + 1;
        }
    }
    co_return out;
}

asio::awaitable<void> service::commit(outcome out) {
    const auto of = now_;
    const auto began = steady::now();
    co_await tell_index();
    auto transaction = co_await transactor_.begin(of);
    if (!transaction) {
        start_anew();
        co_return;
    }
    co_await produce(*transaction, out);
    const auto said = co_await produce_changes(*transaction);
    for (const auto& [partition, p] : parts_) {
        if (!p.doubts.changes().empty()) {
            const kafka::topic_partition source{topic(wire::events), partition};
            out.read.try_emplace(source, of->committed().at(source).next); // fences a former owner
        }
    }
    if (out.read.empty()) {
        // Events alone, from an inference: without an offset nothing would fence a former owner.
        const auto& [source, stands] = *of->committed().begin();
        out.read[source] = stands.next;
    }
    const auto offsets = offsets_of(out);
    SEMEL_FAILPOINT("receipts.commit.produced");
    const auto became = co_await transaction->commit(offsets);
    if (became != kafka::settled::committed) {
        figures_.not_committed();
        if (became == kafka::settled::undone) {
            co_await undo(offsets);
        } else {
            start_anew();
        }
        co_return;
    }
    SEMEL_FAILPOINT("receipts.commit.known");
    for (auto& [partition, p] : parts_) {
        p.turn += p.doubts.changes().empty() ? 0 : 1;
        p.doubts.keep();
    }
    figures_.committed(out, steady::now() - began);
    figures_.written(said.records);
    co_await after_commit(out, said);
}

/// For whoever looks elsewhere than in Kafka. Not done, it costs a needless resend, or a row.
asio::awaitable<void> service::after_commit(const outcome& out, const written& said) {
    if (!out.superseded.empty() && !co_await delivery::mark_superseded(redis_, settings_.prefix, out.superseded)) {
        telemetry::log().warn("marks.not_written",
                              {{"resends", out.superseded.size()}, {"then", "they will be sent, and are listed"}});
    }
    if (!said.settled.empty() || !out.joined.empty()) {
        co_await patiently(
            [this, settled = said.settled, orphans = out.joined] { return index_.forget(settled, orphans); });
        SEMEL_FAILPOINT("receipts.index.forgotten");
    }
}

/// Everything is as it was before the transaction, and its records are read once more.
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
        co_await patiently([this, open] { return index_.put(open); });
    }
    if (!gone.empty()) {
        co_await patiently([this, gone] { return index_.forget(gone, {}); });
    }
    barrier_.drop();
    for (const auto& c : wanted) {
        if (const auto stands = now_->committed().at(c.at).next; stands != c.next) {
            ended_.erase(c.at);
            transactor_.seek(now_, c.at, stands);
        }
    }
}

} // namespace semel::receipts
