#include "service.hpp"

#include <base/must.hpp>
#include <failpoint/failpoint.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace semel::receipts {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

constexpr auto gather = 150ms;         // a transaction costs its commit, not its records
constexpr auto orphans_kept = 24h * 7; // an answer comes within minutes, or never
constexpr auto known_kept = 24h * 60;  // receipts come for up to 40 days
constexpr std::size_t most_orphans = 200'000;
constexpr std::size_t most_decisions = 1'000;

using base::must;

} // namespace

service::service(asio::any_io_executor executor, settings s, postgres::pool& db, redis::client& redis,
                 campaign_source campaigns, telemetry::metrics& metrics)
    : executor_(executor)
    , settings_(std::move(s))
    , db_(db)
    , index_(db, settings_.exclusive)
    , redis_(redis)
    , campaigns_(campaigns)
    , candidates_(std::move(campaigns), settings_.keys)
    , policies_([this](const std::string& id) { return policy_of_campaign(id); })
    , transactor_(executor, {.bootstrap = settings_.bootstrap,
                             .group = topic("receipts"),
                             .instance = settings_.instance,
                             .transactional_id = settings_.prefix + settings_.instance,
                             .topics = {topic(wire::events), topic(wire::gateway_receipts)},
                             .batch = 200, // each may hold 200 kB of events
                             .prefetch_kib = 4'096,
                             .tell_ends = true})
    , one_at_a_time_(executor)
    , prune_at_(steady::now())
    , figures_(metrics) {}

kafka::topic_partition service::at(std::string_view name, std::string_view notification) const {
    return {topic(name), base::partition_of(notification, settings_.partitions)};
}

postgres::waiting service::waiting() {
    return {.tables_are_ours = true,
            .enough = [this] { return !now_ || now_->ending(); },
            .tell = [this](const std::optional<std::string>& why) { trouble_ = why; }};
}

asio::awaitable<void> service::run(asio::awaitable<void> stop) {
    co_await runtime::race(transactor_.run(*this, std::move(stop)), watch_clock());
}

asio::awaitable<void> service::read(kafka::tenure_ptr of, kafka::records fetched) {
    const auto began = steady::now();
    try {
        const auto turn = co_await one_at_a_time_.lock();
        if (of != now_ || of->ending()) {
            co_return; // the next owner reads it
        }
        for (const auto& at : fetched.ended) { // before: a failed commit goes back
            ended_[at] = transactor_.end_read(at).value_or(0);
        }
        co_await on_records(std::move(fetched.batch));
    } catch (const postgres::given_up&) {
        co_return; // not committed: the next owner does it
    }
    if (const auto used = steady::now() - began; used < gather && !of->ending()) {
        co_await runtime::sleep(std::chrono::duration_cast<std::chrono::milliseconds>(gather - used));
    }
}

asio::awaitable<void> service::watch_clock() {
    while (co_await runtime::sleep(settings_.look_every)) {
        const auto turn = co_await one_at_a_time_.lock();
        if (!now_ || now_->ending()) {
            continue;
        }
        try {
            co_await look();
        } catch (const postgres::given_up&) {
            continue; // the next owner looks
        }
    }
}

asio::awaitable<std::vector<kafka::start>> service::take(kafka::tenure_ptr of) {
    const auto turn = co_await one_at_a_time_.lock();
    start_anew();
    now_ = of;
    try {
        co_await recover();
    } catch (const postgres::given_up&) {
        start_anew(); // what is not known here is neither read nor decided
    }
    std::size_t open = 0;
    for (const auto& [partition, p] : parts_) {
        open += p.doubts.open().size();
    }
    telemetry::log().info("doubts.taken", {{"partitions", of->partitions().size()}, {"open_doubts", open}});
    co_return of->starts();
}

asio::awaitable<void> service::leave(kafka::tenure_ptr) {
    const auto turn = co_await one_at_a_time_.lock(); // what is at hand is committed
    start_anew();
}

/// What the partitions' owner must know.
asio::awaitable<void> service::recover() {
    std::map<std::int32_t, std::uint64_t> wanted;
    std::vector<stretch> reread;
    for (const auto& [at, stands] : now_->committed()) {
        if (at.topic == topic(wire::events)) {
            const auto mark = bookmark_of({.at = at, .next = stands.next, .metadata = stands.metadata});
            wanted[at.partition] = mark.turn;
            if (mark.reread) {
                reread.push_back({at, *mark.reread, stands.next});
            }
        }
    }
    std::vector<std::int32_t> owned;
    for (const auto& [partition, turn] : wanted) {
        owned.push_back(partition);
    }
    auto found = must(co_await read_back(executor_, settings_.bootstrap, topic(wire::doubts), std::move(wanted),
                                         settings_.awaiting_limit));
    figures_.read_back(found.records);
    parts_ = std::move(found.parts);
    std::vector<index::candidate> open;
    for (const auto& [partition, p] : parts_) {
        std::unordered_set<base::notification_id> all;
        for (const auto& [id, doubt] : p.doubts.open()) {
            all.insert(id);
        }
        std::ranges::move(candidates_.make(partition, p.doubts, all), std::back_inserter(open));
    }
    co_await patiently([this, owned, open] { return index_.replace(owned, open); });
    co_await take_up_awaited(std::move(reread));
}

/// What stands in no record is opened as it was, by its event.
asio::awaitable<void> service::take_up_awaited(std::vector<stretch> reread) {
    if (reread.empty()) {
        co_return;
    }
    const auto found = co_await read_awaited(executor_, settings_.bootstrap, std::move(reread));
    index::question ask;
    for (const auto& [partition, some] : found) {
        for (const auto& [id, told] : some.all()) {
            ask.histories_of.push_back(id);
        }
    }
    const auto known = co_await patiently([this, ask] { return index_.exchange(ask, now()); });
    const auto before = [&](const base::notification_id& id) {
        const auto told = known.histories.find(id);
        return told == known.histories.end() ? history{} : told->second;
    };
    for (const auto& [partition, some] : found) {
        parts_.at(partition).doubts.take_up(some, before, policies_, now());
    }
}

/// A batch of records, taken apart.
struct service::batch {
    struct heard {
        part* of;
        base::timestamp told;
        kafka::offset offset;
        v1::Event event;
    };
    outcome out;
    index::question ask;
    std::vector<heard> events;
    std::unordered_set<base::notification_id> histories; // to be asked for

    void bury(const kafka::record& r, const std::string& why) {
        telemetry::log().error(
            "record.unusable",
            {{"topic", r.at().topic}, {"partition", r.at().partition}, {"offset", r.offset()}, {"why", why}});
        out.dead.emplace_back(fmt::format("{}:{}:{}", r.at().topic, r.at().partition, r.offset()), r.value());
    }
};

void service::take_events(batch& b, const kafka::record& record) {
    v1::EventBatch several;
    if (!several.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))) {
        b.bury(record, "it is not an EventBatch");
        return;
    }
    auto& mine = parts_.at(record.at().partition);
    const base::timestamp told{std::chrono::milliseconds{record.timestamp_ms()}};
    for (auto& e : *several.mutable_events()) {
        if (e.notification().size() != 32) {
            continue;
        }
        if (is_remembered(e)) {
            v1::Dispatch sent;
            const bool sms = e.kind() == v1::EVENT_ACCEPTED && e.channel() == v1::CHANNEL_SMS &&
                             !e.dispatch().empty() && sent.ParseFromString(e.dispatch());
            b.ask.learned.push_back({.event = e, .number = sms ? candidates_.number_hash(sent) : std::string{}});
        }
        if (mine.doubts.may_open(e)) {
            b.histories.insert(*base::from_bytes<base::notification_id>(e.notification()));
        }
        b.events.push_back({&mine, told, record.offset(), std::move(e)});
    }
}

void service::take_receipt(batch& b, const kafka::record& record) {
    v1::GatewayReceipt receipt;
    const auto why = receipt.ParseFromArray(record.value().data(), static_cast<int>(record.value().size()))
                         ? complaint(receipt)
                         : "it is not a GatewayReceipt";
    if (why) {
        b.bury(record, *why);
    } else {
        b.ask.receipts.push_back(std::move(receipt));
    }
}

/// What follows for doubts and messages, now that the index has answered.
void service::conclude(batch& b, const index::answer& known, base::timestamp time) {
    const history none;
    for (const auto& h : b.events) {
        const auto id = *base::from_bytes<base::notification_id>(h.event.notification());
        const auto before = known.histories.find(id);
        b.out.add(h.of->doubts.observe(h.event, before == known.histories.end() ? none : before->second, policies_,
                                       {.told = h.told, .now = time, .offset = h.offset}));
    }
    for (const auto& m : known.matches) {
        b.out.events.push_back(receipt_event(m.receipt, m.about, time, false));
        if (m.orphan != 0) {
            b.out.joined.push_back(m.orphan);
        }
    }
    b.out.orphaned = known.orphaned;
}

asio::awaitable<void> service::on_records(std::vector<kafka::record> records) {
    const auto time = now();
    batch b;
    for (const auto& record : records) {
        const auto stands = now_->committed().find(record.at());
        if (stands == now_->committed().end() || record.offset() < stands->second.next) {
            continue; // fetched before a transaction was undone
        }
        b.out.read[record.at()] = record.offset() + 1;
        if (record.at().topic == topic(wire::events)) {
            take_events(b, record);
        } else {
            take_receipt(b, record);
        }
    }
    if (b.out.read.empty()) {
        co_return;
    }
    b.ask.histories_of.assign(b.histories.begin(), b.histories.end());
    index::answer known;
    if (!b.ask.learned.empty() || !b.ask.receipts.empty() || !b.ask.histories_of.empty()) {
        known = co_await patiently([this, ask = b.ask, time] { return index_.exchange(ask, time); });
        SEMEL_FAILPOINT("receipts.index.answered");
    }
    conclude(b, known, time);
    co_await commit(std::move(b.out));
}

/// Until the next tenure.
void service::start_anew() {
    now_.reset();
    parts_.clear();
    ended_.clear();
    told_.clear();
    barrier_.drop();
    candidates_.forget_unhashed();
}

reading service::read_here() const {
    reading out = ended_;
    for (const auto& [at, stands] : now_->committed()) {
        out[at] = std::max(out[at], stands.next);
    }
    return out;
}

std::vector<kafka::topic_partition> service::all_partitions() const {
    std::vector<kafka::topic_partition> all;
    for (const auto name : {wire::events, wire::gateway_receipts}) {
        for (std::int32_t p = 0; p < settings_.partitions; ++p) {
            all.push_back({topic(name), p});
        }
    }
    return all;
}

/// Nothing when Kafka does not say: then it is asked again at the next look.
asio::awaitable<std::optional<reading>> service::ends_of(std::vector<kafka::topic_partition> asked) {
    reading out;
    for (const auto& at : asked) {
        const auto marks = co_await transactor_.watermarks(at);
        if (!marks) {
            telemetry::log().warn("topic_ends.not_read",
                                  {{"why", marks.error().why()}, {"then", "no doubt is decided"}});
            co_return std::nullopt;
        }
        out[at] = marks->second;
    }
    co_return out;
}

/// How far this process has come, for the others: they decide nothing before it has read what they may need.
asio::awaitable<void> service::tell_progress() {
    auto here = read_here();
    if (here != told_) {
        co_await patiently([this, here] { return index_.tell_progress(here); });
        told_ = std::move(here);
    }
}

bool service::is_due(base::timestamp time) const {
    return std::ranges::any_of(parts_, [&](const auto& p) { return p.second.doubts.is_due(policies_, time); });
}

/// Orphans that mean an open doubt of ours, or a known message whose id they spell in another way. Whether any.
asio::awaitable<bool> service::find_evidence(outcome& out, base::timestamp orphaned_before) {
    std::vector<std::int32_t> owned;
    for (const auto& [partition, p] : parts_) {
        owned.push_back(partition);
    }
    const auto before = out.events.size();
    const auto waited = now() - settings_.inference_after;
    for (const auto& m : co_await patiently([this, waited] { return index_.match_unconfirmed(waited); })) {
        out.events.push_back(receipt_event(m.receipt, m.about, now(), false));
        out.joined.push_back(m.orphan);
    }
    if (std::ranges::any_of(parts_, [](const auto& p) { return !p.second.doubts.open().empty(); })) {
        for (const auto& m : co_await patiently(
                 [this, owned, orphaned_before] { return index_.match_doubts(owned, orphaned_before); })) {
            out.events.push_back(receipt_event(m.receipt, m.about, now(), m.inferred));
            out.joined.push_back(m.orphan);
        }
    }
    co_return out.events.size() != before;
}

/// What time decides. A doubt is decided only once all that may settle it and was in Kafka at that moment has been
/// read: first by the processes that read receipts; then by this one, because they write what they find into `events`.
/// And only at a time that is certain: a doubt decided early is a message sent twice.
asio::awaitable<outcome> service::decide() {
    outcome out;
    const auto certain = settings_.time().certain;
    if (!certain || !is_due(*certain)) {
        barrier_.drop();
        co_await find_evidence(out, now() - settings_.inference_after);
        co_return out;
    }
    if (barrier_.next() == evidence_barrier::step::ask_all) {
        if (auto ends = co_await ends_of(all_partitions())) {
            barrier_.wait_for_all(std::move(*ends), *certain);
        }
        co_return out;
    }
    auto read = co_await patiently([this] { return index_.progress(); });
    for (const auto& [at, next] : read_here()) {
        read[at] = std::max(read[at], next);
    }
    if (!barrier_.passed(read)) {
        co_return out;
    }
    if (barrier_.next() == evidence_barrier::step::ask_own) {
        // Whenever it was orphaned: since then, or by a process whose clock is ahead.
        if (co_await find_evidence(out, base::timestamp::max())) {
            co_return out; // it will be read in `events`
        }
        std::vector<kafka::topic_partition> own;
        for (const auto& [partition, p] : parts_) {
            own.push_back({topic(wire::events), partition});
        }
        if (auto ends = co_await ends_of(std::move(own))) {
            barrier_.wait_for_own(std::move(*ends));
        }
        co_return out;
    }
    for (auto& [partition, p] : parts_) {
        for (auto& d : p.doubts.review(policies_, barrier_.asked_at(), most_decisions)) {
            out.add(std::move(d));
        }
    }
    barrier_.drop();
    co_return out;
}

asio::awaitable<void> service::look() {
    co_await tell_progress();
    auto out = co_await decide();
    if (const auto unhashed = candidates_.take_unhashed(); !unhashed.empty()) {
        std::vector<index::candidate> now_known;
        for (const auto& key : unhashed) {
            const auto partition = base::partition_of(key, settings_.partitions);
            const auto id = *base::from_bytes<base::notification_id>(key);
            if (const auto p = parts_.find(partition); p != parts_.end()) {
                std::ranges::move(candidates_.make(partition, p->second.doubts, {id}), std::back_inserter(now_known));
            }
        }
        co_await patiently([this, now_known] { return index_.put(now_known); });
    }
    for (auto& [partition, p] : parts_) {
        p.doubts.write_awaited(now() - settings_.written_after);
    }
    const bool changed = std::ranges::any_of(parts_, [](const auto& p) { return !p.second.doubts.changes().empty(); });
    if (changed || !out.events.empty()) {
        co_await commit(std::move(out));
    }
    figures_.show_open(parts_);
    figures_.looked();
    co_await forget_old();
}

asio::awaitable<void> service::forget_old() {
    const auto certain = settings_.time().certain;
    if (!certain || steady::now() < prune_at_) {
        co_return;
    }
    const auto done = co_await patiently(
        [this, time = *certain] { return index_.prune(time - orphans_kept, time - known_kept, most_orphans); });
    figures_.orphaned(done.orphans);
    prune_at_ = steady::now() + (done.more ? steady::duration{} : steady::duration{1min}); // the next look goes on
}

std::optional<policy> service::policy_of_campaign(const std::string& id) const {
    const auto campaign = campaigns_(base::campaign_id{id});
    return campaign ? std::optional{policy_of(campaign->state)} : std::nullopt;
}

} // namespace semel::receipts
