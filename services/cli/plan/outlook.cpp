#include "outlook.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace semel::cli::plan {
namespace {

constexpr double longest_s =
    100.0 * 366 * 86'400; // what takes longer than a century is not done, whatever the clock says

std::optional<base::timestamp> after(base::timestamp begins, double submissions, double per_second) {
    const auto takes = submissions / per_second;
    if (!(takes < longest_s)) {
        return std::nullopt;
    }
    return std::chrono::ceil<std::chrono::seconds>(begins + base::duration{std::llround(takes * 1e6)});
}

/// Through one rate.
void pass(course& c, const question& q, const std::string& name, double submissions, double per_second) {
    const auto done = after(q.begins, submissions, per_second);
    const bool first = c.per_second == 0;
    if (!first && done && (!c.done || *done <= *c.done)) {
        return;
    }
    c.narrowest = name;
    c.per_second = per_second;
    c.narrow_messages = submissions;
    c.done = done;
}

void judge(course& c, const question& q) {
    if (!q.deadline || c.per_second == 0) {
        return;
    }
    c.late = !c.done || *c.done > *q.deadline;
    if (const auto left = std::chrono::duration<double>(*q.deadline - q.begins).count(); left > 0) {
        c.needs = c.narrow_messages / left;
    }
}

course course_of(base::channel channel, const question& q) {
    const auto rate_of = [&q](const part& p) {
        const auto found = q.rates.find(p);
        return found == q.rates.end() ? 0.0 : found->second;
    };
    const auto each = channel == base::channel::sms ? q.sms_parts : 1;
    const auto whole = rate_of({channel, {}});
    course c;
    bool known = true;
    for (const auto& [at, has] : q.load.parts) {
        if (at.first != channel) {
            continue;
        }
        c.addresses += has.addresses;
        c.messages += has.messages;
        const auto own = at.second.empty() ? 0.0 : rate_of(at);
        if (own > 0 && has.messages > 0) {
            pass(c, q, at.second, static_cast<double>(has.messages * each), own);
        }
        known = known && (whole > 0 || own > 0 || has.messages == 0);
    }
    c.submissions = c.messages * each;
    if (whole > 0) {
        pass(c, q, {}, static_cast<double>(c.submissions), whole);
    }
    if (!known) { // what goes through no rate that is known may take any time
        c.narrowest.clear();
        c.per_second = c.narrow_messages = 0;
        c.done.reset();
        return c;
    }
    judge(c, q);
    return c;
}

} // namespace

outlook foresee(const question& q) {
    outlook out;
    double whole = 0;
    for (const auto& [at, has] : q.load.parts) {
        if (has.messages > 0 && !out.channels.contains(at.first)) {
            out.channels.emplace(at.first, course_of(at.first, q));
        }
    }
    bool known = true, late = false;
    for (const auto& [channel, c] : out.channels) {
        whole += static_cast<double>(c.messages);
        late |= c.late;
        known = known && c.done;
        if (c.done && (!out.done || *c.done > *out.done)) {
            out.done = c.done;
            out.slowest = channel;
        }
    }
    if (q.own_rate > 0 && whole > 0) {
        out.own.emplace();
        out.own->messages = out.own->submissions = static_cast<std::uint64_t>(whole);
        pass(*out.own, q, {}, whole, q.own_rate);
        judge(*out.own, q);
        late |= out.own->late;
        known = known && out.own->done;
        if (out.own->done && (!out.done || *out.own->done > *out.done)) {
            out.done = out.own->done;
            out.slowest.reset();
        }
    }
    if (!known) { // something may end later than all that is known
        out.done.reset();
        out.slowest.reset();
    }
    if (q.deadline && (late || known)) {
        out.in_time = !late;
    }
    return out;
}

} // namespace semel::cli::plan
