#include "sim_receipts.hpp"

#include "call.hpp"

#include <base/ids.hpp>
#include <delivery/redis/superseded.hpp>
#include <wire/events.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <receipts/core/awaited.hpp>
#include <receipts/core/evidence.hpp>

#include <algorithm>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace semel::simulation {

namespace {

constexpr std::size_t read_at_once = 20; // records of each partition
constexpr std::size_t most_decisions = 1'000;
constexpr std::size_t key_size = 32;

topic_partition events_of(std::int32_t partition) {
    return {std::string{wire::events}, partition};
}
const topic_partition the_positions{sim_receipts::positions, 0};
const topic_partition the_reports{sim_receipts::reported, 0};

/// Calls it with each record from `next` to `end`, at most so many. One past the last.
template <class F>
kafka::offset each(const std::vector<stored>& all, kafka::offset next, kafka::offset end, std::size_t most,
                   const F& f) {
    auto it = std::ranges::lower_bound(all, next, {}, &stored::at);
    for (; it != all.end() && it->at < end && most > 0; ++it, --most) {
        f(*it);
        next = it->at + 1;
    }
    return next;
}

v1::EventBatch batch_in(const stored& record) {
    v1::EventBatch batch;
    if (!batch.ParseFromString(record.value)) {
        throw std::logic_error{"a record of events is not an EventBatch"};
    }
    return batch;
}

} // namespace

sim_receipts::sim_receipts(world& w, process p, broker& b, const sim_log::trouble& t, std::uint16_t redis,
                           campaign_source campaigns, settings s)
    : fenced(w, p, b, t, "receipts")
    , redis_(w.executor_of(p), {.port = redis})
    , policies_(std::move(campaigns))
    , settings_(s) {}

void sim_receipts::said::add(receipts::decision d) {
    std::ranges::move(d.events, std::back_inserter(events));
    std::ranges::move(d.resends, std::back_inserter(resends));
    if (d.superseded) {
        superseded.push_back(*d.superseded);
    }
}

topic_partition sim_receipts::at(const std::string& topic, std::string_view notification) const {
    return {topic, base::partition_of(notification, settings_.partitions)};
}

void sim_receipts::learn(const v1::Event& e) {
    if (const auto id = base::from_bytes<base::notification_id>(e.notification()); id && receipts::is_remembered(e)) {
        receipts::remember(histories_[*id], e.kind(), e.attempt());
    }
    if (e.kind() == v1::EVENT_RECEIPT) {
        reported_.insert(e.id());
    }
}

void sim_receipts::restore() {
    parts_.clear();
    histories_.clear();
    parked_.clear();
    reported_.clear();
    barrier_.drop();
    const auto& written = broker_.records(the_positions);
    stands_ = written.empty() ? std::string{} : written.back().value;
    std::istringstream said{stands_.empty() ? "0 0" : stands_};
    said >> turn_ >> reports_next_;
    std::map<std::int32_t, kafka::offset> reread;
    for (std::int32_t n = 0; n < settings_.partitions; ++n) {
        auto& p = parts_.try_emplace(n, receipts::doubts{settings_.awaiting_limit}).first->second;
        reread[n] = -1;
        said >> p.next >> reread[n];
        std::map<std::string, std::string> open; // by notification
        for (const auto& r : broker_.records({std::string{wire::doubts}, n})) {
            open[r.value.substr(0, key_size)] = r.value.substr(key_size);
        }
        for (const auto& [notification, bytes] : open) {
            v1::Doubt d;
            if (!bytes.empty() && d.ParseFromString(bytes)) {
                p.doubts.restore(std::move(d));
            }
        }
        each(broker_.records(events_of(n)), 0, p.next, std::string::npos, [this](const stored& r) {
            for (const auto& e : batch_in(r).events()) {
                learn(e);
            }
        });
    }
    for (auto& [n, p] : parts_) {
        receipts::awaited found;
        each(broker_.records(events_of(n)), reread[n] < 0 ? p.next : reread[n], p.next, std::string::npos,
             [&](const stored& r) {
                 for (const auto& e : batch_in(r).events()) {
                     found.hear(e, now(), r.at);
                 }
             });
        p.doubts.take_up(found, [this](const auto& id) { return histories_[id]; }, policies_, now());
    }
    each(broker_.records(the_reports), 0, reports_next_, std::string::npos,
         [this](const stored& r) { parked_.emplace_back().ParseFromString(r.value); });
}

/// One round: what came, and what time decides. False: it must begin anew.
asio::awaitable<bool> sim_receipts::live() {
    if (!broker_.hears(of_)) {
        co_await wait(world_, of_, broker_.reachable_from(of_) + world_.between(10ms, 100ms));
    }
    auto out = read();
    match(out);
    decide(out);
    if (out.events.empty() && out.resends.empty() && position() == stands_) {
        co_await wait(world_, of_, world_.now() + 1s, [b = &broker_](world::ticket t) { b->tell_news_to(t); });
        co_await delay(world_, of_, world_.between(100ms, 300ms)); // a transaction costs its commit, not its records
        co_return true;
    }
    co_return co_await commit(std::move(out));
}

sim_receipts::said sim_receipts::read() {
    said out;
    for (auto& [n, p] : parts_) {
        std::vector<std::pair<kafka::offset, v1::EventBatch>> batches;
        const auto& all = broker_.records(events_of(n));
        p.next = each(all, p.next, broker_.end(events_of(n)), read_at_once,
                      [&](const stored& r) { batches.emplace_back(r.at, batch_in(r)); });
        for (const auto& [offset, batch] : batches) {
            for (const auto& e : batch.events()) {
                learn(e);
            }
        }
        for (const auto& [offset, batch] : batches) {
            for (const auto& e : batch.events()) {
                const auto id = base::from_bytes<base::notification_id>(e.notification());
                const auto before = id ? histories_[*id] : receipts::history{};
                out.add(p.doubts.observe(e, before, policies_, {.told = now(), .now = now(), .offset = offset}));
            }
        }
    }
    reports_next_ = each(broker_.records(the_reports), reports_next_, broker_.end(the_reports), read_at_once,
                         [this](const stored& r) { parked_.emplace_back().ParseFromString(r.value); });
    return out;
}

/// A report finds whoever waits for it, or was accepted; what finds nobody is parked.
void sim_receipts::match(said& out) {
    std::erase_if(parked_, [&](const v1::GatewayReceipt& r) {
        const auto id = base::from_bytes<base::notification_id>(r.notification());
        const auto& p = parts_.at(base::partition_of(r.notification(), settings_.partitions));
        const bool known = id && histories_[*id].accepted;
        const auto* doubt = id ? p.doubts.find(*id) : nullptr;
        if (!known && doubt == nullptr) {
            return false;
        }
        const receipts::subject about{.notification = r.notification(),
                                      .campaign = doubt != nullptr ? doubt->campaign_id() : std::string{},
                                      .channel = r.channel()};
        auto e = receipts::receipt_event(r, about, now(), false);
        if (reported_.insert(e.id()).second) {
            out.events.push_back(std::move(e));
        }
        return true;
    });
}

receipts::reading sim_receipts::read_here() const {
    receipts::reading here;
    for (const auto& [n, p] : parts_) {
        // A transaction's marker is nothing to wait for.
        const auto& all = broker_.records(events_of(n));
        here[events_of(n)] = all.empty() || all.back().at < p.next ? broker_.end(events_of(n)) : p.next;
    }
    const auto& all = broker_.records(the_reports);
    here[the_reports] = all.empty() || all.back().at < reports_next_ ? broker_.end(the_reports) : reports_next_;
    return here;
}

receipts::reading sim_receipts::ends(bool with_reports) const {
    receipts::reading out;
    for (const auto& [n, p] : parts_) {
        out[events_of(n)] = broker_.end(events_of(n));
    }
    if (with_reports) {
        out[the_reports] = broker_.end(the_reports);
    }
    return out;
}

/// As receipts' service does it.
void sim_receipts::decide(said& out) {
    const bool due =
        std::ranges::any_of(parts_, [&](const auto& p) { return p.second.doubts.is_due(policies_, now()); });
    if (!due) {
        barrier_.drop();
        return;
    }
    if (barrier_.next() == receipts::evidence_barrier::step::ask_all) {
        barrier_.wait_for_all(ends(true), now());
        return;
    }
    if (!barrier_.passed(read_here())) {
        return;
    }
    if (barrier_.next() == receipts::evidence_barrier::step::ask_own) {
        barrier_.wait_for_own(ends(false));
        return;
    }
    for (auto& [n, p] : parts_) {
        for (auto& d : p.doubts.review(policies_, barrier_.asked_at(), most_decisions)) {
            out.add(std::move(d));
        }
    }
    barrier_.drop();
}

std::string sim_receipts::position() const {
    std::ostringstream out;
    out << turn_ << ' ' << reports_next_;
    for (const auto& [n, p] : parts_) {
        out << ' ' << p.next << ' ' << p.doubts.reread_from().value_or(-1);
    }
    return out.str();
}

sim_receipts::records sim_receipts::records_of(const said& out) const {
    records all;
    wire::event_batches events{settings_.partitions};
    for (const auto& e : out.events) {
        events.add(e);
    }
    for (auto& [partition, value] : events.take()) {
        all.emplace_back(events_of(partition), std::move(value));
    }
    for (const auto& r : out.resends) {
        all.emplace_back(at(wire::retry(base::channel::sms, r.tier), r.dispatch.notification()),
                         r.dispatch.SerializeAsString());
    }
    for (const auto& [n, p] : parts_) {
        for (const auto& id : p.doubts.changes()) {
            const auto* open = p.doubts.find(id);
            const bool gone = open == nullptr || p.doubts.is_unwritten(id);
            all.emplace_back(topic_partition{std::string{wire::doubts}, n},
                             std::string{base::as_view(id)} + (gone ? std::string{} : open->SerializeAsString()));
        }
    }
    return all;
}

asio::awaitable<bool> sim_receipts::commit(said out) {
    ++turn_;
    const auto wanted = position();
    if (!co_await fenced::commit(records_of(out), the_positions, wanted)) {
        co_return false;
    }
    stands_ = wanted;
    for (auto& [n, p] : parts_) {
        p.doubts.keep();
    }
    if (!out.superseded.empty()) {
        auto marks = std::move(out.superseded);
        co_await delivery::mark_superseded(redis_, {}, std::move(marks));
    }
    co_await delay(world_, of_, world_.between(100ms, 300ms));
    co_return true;
}

} // namespace semel::simulation
