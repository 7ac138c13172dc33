#include "judge.hpp"

#include <base/bytes.hpp>
#include <base/codes.hpp>
#include <delivery/core/checkpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace semel::simulation {

namespace {

/// After a pause or an end a message may still be on its way: its campaign was looked at, the word of it travels, and
/// the claim waits for Redis.
constexpr duration under_way = 16s;

} // namespace

void judge::complain(std::string_view notification, std::string what) {
    const auto after = std::chrono::duration<double>(world_.now().time_since_epoch() - std::chrono::hours{1}).count();
    breaches_.push_back(fmt::format("after {:.3f} s: {}{}", after,
                                    notification.empty() ? "" : base::to_hex(notification).substr(0, 12) + " ",
                                    std::move(what)));
}

void judge::planned(const v1::Dispatch& d) {
    auto& p = people_[d.notification()];
    p.campaign = d.campaign_id();
    p.planned_at_us = d.planned_at_us();
    ++untold_;
}

void judge::paused(const std::string& campaign, bool is) {
    auto& c = campaigns_[campaign];
    c.stopped_at = is ? std::optional{world_.now()} : std::nullopt;
}

void judge::cancelled(const std::string& campaign) {
    auto& c = campaigns_[campaign];
    c.stopped_at = c.stopped_at.value_or(world_.now());
    c.cancelled_at = world_.now();
}

void judge::accepted(process by, const delivery::outbound& m) {
    const std::string id{base::as_view(m.notification)};
    world_.witness(std::hash<std::string>{}(id) ^ m.attempt);
    const auto found = people_.find(id);
    if (found == people_.end()) {
        return complain(id, "was accepted, and nobody planned it");
    }
    auto& p = found->second;
    p.accepted.push_back(m.attempt);
    hold_failure(id, p);
    if (p.accepted.size() > 1 + p.resent.size()) {
        complain(id, fmt::format("I1: was accepted {} times, and sent again in doubt {} times", p.accepted.size(),
                                 p.resent.size()));
    }
    auto content = m.address + "|" + m.sender + "|" + std::to_string(base::to_us(m.planned_at));
    for (const auto& part : m.parts) {
        content += "|" + part;
    }
    if (p.content.empty()) {
        p.content = content;
    }
    if (p.content != content || base::to_us(m.planned_at) != p.planned_at_us) {
        complain(id, "I1: is another message than the one that was planned, or than its first copy");
    }
    const auto& stopped = campaigns_[p.campaign].stopped_at;
    if (stopped && world_.now() > std::max(*stopped, world_.awake_from(by)) + under_way) {
        complain(id, "O1: was sent although its campaign was paused or cancelled");
    }
    if (on_accepted) {
        on_accepted(m);
    }
}

void judge::told(const v1::Event& e) {
    if (!heard_.insert(e.id()).second) {
        return;
    }
    const auto found = people_.find(e.notification());
    if (found == people_.end()) {
        return complain(e.notification(), "an event tells of a notification that nobody planned");
    }
    world_.witness(std::hash<std::string>{}(e.id()));
    auto& p = found->second;
    if (const auto says = ledger::state_of(e)) {
        p.state = merge(p.state, *says);
    }
    hear(p, e);
    hold_failure(e.notification(), p);
    const bool tells = p.failed() || p.said_accepted + p.said_in_doubt + p.said_awaiting > 0;
    untold_ -= static_cast<std::size_t>(!p.told && tells);
    p.told = p.told || tells;
}

/// An event that calls one copy refused is not the end where another was sent: what the ledger makes of them all is.
void judge::hold_failure(const std::string& id, const person& p) {
    if (p.failed() && !p.accepted.empty()) {
        complain(id, "I4: is told as failed, and a gateway has it");
    }
}

void judge::hear(person& p, const v1::Event& e) {
    const auto& id = e.notification();
    const auto attempt = e.attempt();
    const bool this_one = std::ranges::find(p.accepted, attempt) != p.accepted.end();
    switch (e.kind()) {
    case v1::EVENT_ACCEPTED:
        ++p.said_accepted;
        p.accepted_since = p.accepted_since.value_or(world_.now());
        // A report proves one of the copies.
        if (e.code() == codes::receipt ? p.accepted.empty() : !this_one) {
            complain(id, "I3: is told as accepted, and no gateway accepted this attempt");
        }
        break;
    case v1::EVENT_FAILED:
        if (this_one) {
            complain(id, "I4: is told as refused for good, and a gateway has this attempt");
        }
        if (e.code() == codes::cancelled && !campaigns_[p.campaign].cancelled_at) {
            complain(id, "O1: failed as cancelled, and nobody cancelled its campaign");
        }
        break;
    case v1::EVENT_DEFERRED:
        p.deferred.insert(attempt);
        if (this_one) {
            complain(id, "I4: is told as refused, and a gateway has this attempt");
        }
        break;
    case v1::EVENT_IN_DOUBT:
        ++p.said_in_doubt;
        p.of_one_part = p.of_one_part && e.parts() == 1;
        break;
    case v1::EVENT_AWAITING:
        ++p.said_awaiting;
        p.of_one_part = p.of_one_part && e.parts() == 1;
        break;
    case v1::EVENT_RESENT:
        hear_resent(p, e);
        break;
    case v1::EVENT_RECEIPT:
        p.reported_since = p.reported_since.value_or(world_.now());
        break;
    case v1::EVENT_DEAD_LETTER:
        complain(id, "became a dead letter");
        break;
    default:
        break;
    }
}

void judge::hear_resent(person& p, const v1::Event& e) {
    const auto& id = e.notification();
    p.resent.insert(e.attempt());
    if (p.accepted_since && world_.now() > *p.accepted_since + 5s) {
        complain(id, "E1: is sent again, and an event has said for long that it was accepted");
    }
    const auto& cancelled = campaigns_[p.campaign].cancelled_at;
    // What was refused late gets its next attempt also then, and a dispatcher ends that as cancelled.
    if (cancelled && e.code() == codes::policy && world_.now() > *cancelled + under_way) {
        complain(id, "O1: is sent again although its campaign was cancelled");
    }
}

void judge::put_off(const v1::Dispatch& d) {
    const auto found = people_.find(d.notification());
    if (found == people_.end()) {
        return complain(d.notification(), "waits in retry.*, and nobody planned it");
    }
    found->second.put_off.insert(d.attempt());
}

void judge::committed(const kafka::commit& c) {
    const auto said = delivery::decode_checkpoint(c.next, c.metadata);
    if (!said) {
        return complain("", fmt::format("the checkpoint of {}:{} cannot be read: {}", c.at.topic, c.at.partition,
                                        said.error().why()));
    }
    compare(c.at, *said);
    of(c.at).said_by[said->owner] = {
        .at = ++steps_, .transaction = said->transaction, .marker = std::string{base::as_view(said->marker)}};
}

/// With the last one: whoever owned the partition before commits nothing any more, and nothing is committed again.
void judge::compare(const kafka::topic_partition& at, const delivery::checkpoint& now) {
    const auto& all = of(at).said_by;
    if (all.empty()) {
        return;
    }
    const auto& [owner, last] = *all.rbegin();
    if (now.owner < owner) {
        complain("",
                 fmt::format("S1: {}:{}: owner {} commits after owner {}", at.topic, at.partition, now.owner, owner));
    } else if (now.transaction <= last.transaction) {
        complain("", fmt::format("S1: {}:{}: transaction {} of owner {} is committed after {} of owner {}", at.topic,
                                 at.partition, now.transaction, now.owner, last.transaction, owner));
    }
}

void judge::claimed(const kafka::topic_partition& at, std::uint64_t owner, std::string_view marker) {
    const auto& here = of(at);
    const auto said = here.said_by.find(owner);
    if (said == here.said_by.end() || said->second.at < here.head_written || said->second.marker != marker) {
        complain("", fmt::format("S1: {}:{}: owner {} claims under a head that no commit of it has followed", at.topic,
                                 at.partition, owner));
    }
}

void judge::count(const person& p, ending& out) {
    out.accepted += p.said_accepted > 0;
    out.failed += p.failed();
    out.in_doubt += p.said_in_doubt > 0;
    out.awaiting += p.said_awaiting > 0;
    out.resent += p.resent.size();
}

void judge::close_one(const std::string& id, const person& p) {
    if (!p.told) {
        complain(id, "I12: is lost: nobody says what became of it");
    } else if (p.is_outstanding()) {
        complain(id, "I12: is outstanding, and nobody will ever say what became of it");
    }
    const bool last_failed = p.state.progress % 8 == static_cast<int>(ledger::step::failed);
    if (p.said_accepted > static_cast<int>(1 + p.resent.size()) || (p.said_accepted > 0 && last_failed)) {
        complain(id, "I2: has two endings");
    }
    if (!p.accepted.empty() && p.said_accepted + p.said_in_doubt + p.said_awaiting == 0) {
        complain(id, "I6: was accepted, and no event says so or doubts it");
    }
    // One report proves one part.
    if (p.of_one_part && p.reported_since && world_.now() > *p.reported_since + 15s && p.said_accepted == 0) {
        complain(id, "I6: a report proves it, and it is still in doubt");
    }
    for (const auto attempt : p.put_off) {
        if (attempt > 1 && !p.deferred.contains(attempt - 1) && !p.resent.contains(attempt)) {
            complain(id,
                     fmt::format("L1: waits for attempt {}, and no event says what became of the one before", attempt));
        }
    }
}

bool judge::nothing_in_doubt() const {
    return std::ranges::all_of(people_, [](const auto& one) {
        const auto line = line_of(one.second.state);
        return line == ledger::line::accepted || line == ledger::line::failed;
    });
}

bool judge::all_settled() const {
    return std::ranges::none_of(people_, [](const auto& one) { return one.second.is_outstanding(); });
}

ending judge::close() {
    ending out;
    const bool broken_off = broken();
    for (const auto& [id, p] : people_) {
        count(p, out);
        if (!broken_off) {
            close_one(id, p);
        }
    }
    out.breaches = breaches_;
    return out;
}

} // namespace semel::simulation
