#include "broker.hpp"

#include <algorithm>
#include <utility>

namespace semel::simulation {

namespace {
constexpr std::size_t fetched_at_once = 20;
/// About there the records begin: claims are kept in blocks of so many, and a block is to be dropped now and then.
constexpr kafka::offset first_offset = 1'024;
} // namespace

broker::broker(world& w, std::vector<topic_partition> read_by_the_group, duration session)
    : world_(w)
    , read_(std::move(read_by_the_group))
    , session_(session) {
    std::ranges::sort(read_);
    for (const auto& at : read_) {
        auto& p = log_[at];
        p.begin = first_offset - static_cast<kafka::offset>(world_.below(first_offset / 4));
        p.end = p.begin;
    }
    watch();
}

void broker::append(const topic_partition& to, const std::vector<std::string>& values) {
    auto& p = log_[to];
    for (const auto& v : values) {
        p.records.push_back({.at = p.end++, .value = v});
    }
    ++p.end; // the transaction's marker
    if (on_record) {
        for (const auto& v : values) {
            on_record(to, v);
        }
    }
    news();
}

void broker::roll_back(const topic_partition& at, std::size_t records) {
    log_[at].end += static_cast<kafka::offset>(records) + 1;
    news();
}

void broker::news() {
    for (const auto& waiting : std::exchange(listening_, {})) {
        world_.hasten(waiting);
    }
}

kafka::commit broker::committed(const topic_partition& of) const {
    const auto found = offsets_.find(of);
    if (found != offsets_.end()) {
        return found->second;
    }
    const auto log = log_.find(of); // as `semel up` writes a first offset
    return {.at = of, .next = log == log_.end() ? 0 : log->second.begin, .metadata = {}};
}

broker::end_of broker::commit(const transaction& t) {
    if (epochs_[t.id] != t.epoch) {
        return end_of::fenced;
    }
    if (!t.offsets.empty()) {
        const bool member =
            std::ranges::any_of(members_, [&](const auto& m) { return m.second.incarnation == t.as.incarnation; });
        if (!member || t.as.generation != generation_) {
            return end_of::not_a_member;
        }
    }
    std::map<topic_partition, std::vector<std::string>> by_partition;
    for (const auto& [to, value] : t.records) {
        by_partition[to].push_back(value);
    }
    for (const auto& [to, values] : by_partition) {
        append(to, values);
    }
    for (const auto& c : t.offsets) {
        offsets_[c.at] = c;
        if (on_commit) {
            on_commit(c);
        }
    }
    return end_of::committed;
}

std::uint64_t broker::join(const std::string& slot, process p) {
    const bool known = members_.contains(slot);
    auto& m = members_[slot];
    m.of = p;
    m.incarnation = ++incarnations_;
    m.seen = world_.now();
    m.mail.clear();
    if (!known) {
        rebalance();
    } else if (rebalancing_) {
        m.ready = true;
        m.has.clear();
        finish_rebalance();
    } else {
        m.mail.push_back(kafka::assigned{m.has}); // a static member is back
    }
    news();
    return m.incarnation;
}

bool broker::is_member(const std::string& slot, std::uint64_t incarnation) const {
    const auto found = members_.find(slot);
    return found != members_.end() && found->second.incarnation == incarnation;
}

void broker::answered(const std::string& slot, std::uint64_t incarnation) {
    if (is_member(slot, incarnation)) {
        auto& m = members_.at(slot);
        m.ready = true;
        m.has.clear();
        finish_rebalance();
    }
}

std::optional<delivery::log_event> broker::told(const std::string& slot, std::uint64_t incarnation) {
    if (!is_member(slot, incarnation) || members_.at(slot).mail.empty()) {
        return std::nullopt;
    }
    auto& mail = members_.at(slot).mail;
    auto first = std::move(mail.front());
    mail.pop_front();
    return first;
}

instant broker::reachable_from(process p) const {
    const auto found = cut_until_.find(p);
    return found == cut_until_.end() ? world_.now() : std::max(world_.now(), found->second);
}

/// Heartbeats: whoever runs, and reaches us, is seen.
void broker::watch() {
    bool lost_one = false;
    for (auto it = members_.begin(); it != members_.end();) {
        auto& m = it->second;
        if (world_.alive(m.of) && !world_.asleep(m.of) && hears(m.of)) {
            m.seen = world_.now();
        }
        if (world_.now() - m.seen > session_) {
            it = members_.erase(it);
            lost_one = true;
        } else {
            ++it;
        }
    }
    if (lost_one) {
        rebalance();
        news();
    }
    world_.at(nobody, world_.now() + 200ms, [this](boost::system::error_code) { watch(); });
}

void broker::rebalance() {
    if (!rebalancing_) {
        rebalancing_ = true;
        for (auto& [slot, m] : members_) {
            // An assignment that was not yet heard of is taken back unheard.
            const bool unheard =
                std::ranges::any_of(m.mail, [](const auto& e) { return std::holds_alternative<kafka::assigned>(e); });
            m.mail.clear();
            m.ready = m.has.empty() || unheard;
            if (m.ready) {
                m.has.clear();
            } else {
                m.mail.push_back(kafka::revoked{.partitions = m.has, .lost = false});
            }
        }
        news();
    }
    finish_rebalance();
}

void broker::finish_rebalance() {
    if (!rebalancing_ || members_.empty() ||
        !std::ranges::all_of(members_, [](const auto& m) { return m.second.ready; })) {
        return;
    }
    rebalancing_ = false;
    ++generation_;
    std::map<std::string, std::vector<std::int32_t>> of_topic;
    for (const auto& at : read_) {
        of_topic[at.topic].push_back(at.partition);
    }
    for (auto& [slot, m] : members_) {
        m.has.clear();
    }
    for (const auto& [topic, partitions] : of_topic) { // range
        auto it = members_.begin();
        const auto each = (partitions.size() + members_.size() - 1) / members_.size();
        for (std::size_t i = 0; i < partitions.size(); ++i) {
            if (i > 0 && i % each == 0) {
                ++it;
            }
            it->second.has.push_back({topic, partitions[i]});
        }
    }
    for (auto& [slot, m] : members_) {
        m.ready = m.has.empty();
        m.mail.push_back(kafka::assigned{m.has});
    }
    news();
}

sim_log::sim_log(world& w, process p, broker& b, std::string slot, const trouble& t)
    : world_(w)
    , of_(p)
    , broker_(b)
    , slot_(std::move(slot))
    , trouble_(t) {}

journey sim_log::way() {
    journey j{.arrives = broker_.reachable_from(of_) + world_.between(1ms, 15ms), .back = world_.between(1ms, 10ms)};
    if (world_.chance(trouble_.slow)) {
        j.arrives += world_.between(1s, 20s);
    }
    j.answered = !world_.chance(trouble_.answer_lost);
    j.patience = 10s;
    return j;
}

std::optional<delivery::log_event> sim_log::fetch() {
    delivery::fetched out;
    for (auto& [at, next] : positions_) {
        if (paused_.contains(at)) {
            continue;
        }
        const auto& all = broker_.records(at);
        auto it = std::ranges::lower_bound(all, next, {}, &stored::at);
        for (std::size_t n = 0; it != all.end() && n < fetched_at_once; ++it, ++n) {
            out.records.push_back({.from = &at, .at = it->at, .value = it->value});
            next = it->at + 1;
        }
        if (!out.records.empty()) {
            return delivery::log_event{std::move(out)};
        }
    }
    return std::nullopt;
}

/// Where nothing but marks and what was rolled back is left.
std::optional<delivery::log_event> sim_log::pass() {
    passed_.clear();
    for (auto& [at, next] : positions_) {
        if (const auto end = broker_.end(at); next < end && !paused_.contains(at)) {
            next = end;
            passed_.push_back({.at = at, .next = end});
        }
    }
    if (passed_.empty()) {
        return std::nullopt;
    }
    return delivery::log_event{delivery::fetched{.records = {}, .passed = passed_}};
}

asio::awaitable<delivery::log_event> sim_log::next() {
    for (;;) {
        if (!broker_.hears(of_)) {
            co_await wait(world_, of_, broker_.reachable_from(of_) + world_.between(10ms, 100ms));
            continue;
        }
        if (incarnation_ == 0) {
            incarnation_ = broker_.join(slot_, of_);
        }
        if (!broker_.is_member(slot_, incarnation_)) {
            kafka::revoked all{.partitions = {}, .lost = true};
            for (const auto& [at, next] : positions_) {
                all.partitions.push_back(at);
            }
            co_return delivery::log_event{std::move(all)};
        }
        if (auto news = broker_.told(slot_, incarnation_)) {
            co_return std::move(*news);
        }
        if (auto records = fetch()) {
            co_return std::move(*records);
        }
        if (auto ends = pass()) {
            co_return std::move(*ends);
        }
        co_await wait(world_, of_, world_.now() + 1h, [b = &broker_](world::ticket t) { b->tell_news_to(t); });
        co_await delay(world_, of_, world_.between(1ms, 20ms));
    }
}

void sim_log::begin(std::span<const kafka::start> starts) {
    positions_.clear();
    for (const auto& s : starts) {
        positions_[s.at] = s.next;
    }
}

void sim_log::release(const kafka::revoked& gone) {
    positions_.clear();
    if (gone.lost) {
        incarnation_ = 0; // joins anew
    } else {
        broker_.answered(slot_, incarnation_);
    }
}

void sim_log::pause(std::span<const topic_partition> which) {
    paused_.insert(which.begin(), which.end());
}
void sim_log::resume(std::span<const topic_partition> which) {
    for (const auto& at : which) {
        paused_.erase(at);
    }
    broker_.news();
}

asio::awaitable<base::result<std::vector<kafka::commit>>> sim_log::committed(std::vector<topic_partition> which) {
    auto answer = co_await call<std::vector<kafka::commit>>(world_, of_, way(), [b = &broker_, which] {
        std::vector<kafka::commit> all;
        for (const auto& at : which) {
            all.push_back(b->committed(at));
        }
        return all;
    });
    if (!answer) {
        co_return base::failed(base::fault::kind::unreachable, "the coordinator does not answer");
    }
    co_return std::move(*answer);
}

void sim_log::bind_membership() {
    as_ = {.generation = broker_.generation(), .incarnation = incarnation_};
}

asio::awaitable<void> sim_log::close() {
    co_return;
}
asio::awaitable<base::result<void>> sim_log::leave() {
    co_return base::result<void>{};
}

asio::awaitable<void> sim_log::init() {
    for (;;) {
        const auto answer =
            co_await call<std::uint64_t>(world_, of_, way(), [b = &broker_, id = slot_] { return b->new_epoch(id); });
        if (answer) {
            epoch_ = *answer;
            co_return;
        }
    }
}

void sim_log::begin() {
    begun_as_ = as_;
    unsaid_.clear();
}

asio::awaitable<void> sim_log::produce(topic_partition to, std::string_view, std::string_view value) {
    unsaid_.emplace_back(std::move(to), std::string{value});
    if (world_.chance(trouble_.crowded)) {
        co_await delay(world_, of_, world_.between(10ms, 12s));
    }
}

asio::awaitable<kafka::commit_result> sim_log::commit(std::vector<kafka::commit> offsets) {
    broker::transaction said{.id = slot_,
                             .epoch = epoch_,
                             .records = std::exchange(unsaid_, {}),
                             .offsets = std::move(offsets),
                             .as = begun_as_};
    const auto answer = co_await call<broker::end_of>(
        world_, of_, way(), [b = &broker_, said = std::move(said)] { return b->commit(said); });
    kafka::commit_result result;
    if (answer == broker::end_of::committed) {
        result.outcome = kafka::outcome::committed;
    } else if (answer == broker::end_of::not_a_member) {
        result.outcome = kafka::outcome::aborted;
        result.why = "illegal generation";
    } else {
        result.outcome = kafka::outcome::unknown;
        result.why = answer ? "fenced" : "nobody answered";
    }
    co_return result;
}

asio::awaitable<void> sim_log::rebuild() {
    return init();
}

} // namespace semel::simulation
