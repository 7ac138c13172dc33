#include "standstill.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace semel::delivery {

namespace {

constexpr double large_domain = 100; // answers lately

std::int64_t seconds_left(const breaker& b, base::instant now) {
    return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(b.blocked_until() - now).count(), 0);
}

std::string a_second(double limit) {
    return limit < 10 ? fmt::format("{:.1f}/s", limit) : fmt::format("{:.0f}/s", limit);
}

/// A domain with little traffic may be one person's: it is counted, not named.
std::string of_domains(const std::vector<lane_pace::slow_domain>& slow) {
    std::vector<std::string> named;
    for (const auto& d : slow) {
        if (d.answers >= large_domain && named.size() < 5) {
            named.push_back(d.name + " to " + a_second(d.per_second));
        }
    }
    const auto others = slow.size() - named.size();
    if (others > 0) {
        named.push_back(fmt::format("{} {}", others, named.empty() ? (others == 1 ? "domain" : "domains") : "more"));
    }
    return fmt::format("{}", fmt::join(named, ", "));
}

std::optional<double> limit_in_force(const lane_state& lane) {
    const auto configured = lane.limit_per_s > 0 ? std::optional{lane.limit_per_s} : std::nullopt;
    const auto found = lane.pace.limit();
    return configured && found ? std::min(configured, found) : std::max(configured, found);
}

void tell_pace(const lane_state& lane, trouble::entry& e) {
    constexpr std::string_view by_itself = "they go out as fast as it takes them, and faster again by themselves";
    if (lane.pace.limit()) {
        e.words = fmt::format("slowed down to {}, because the gateway refuses more as too fast; {}",
                              a_second(*e.limit_per_s), by_itself);
    } else if (const auto slow = lane.pace.slow_domains(); !slow.empty()) {
        e.words = fmt::format("mail to some domains is slowed down ({}), because more is refused as too fast; {}",
                              of_domains(slow), by_itself);
    }
}

} // namespace

std::optional<trouble::entry> standstill(const lane_state& lane, base::instant now) {
    const auto& b = lane.breaker;
    trouble::entry e{.subject = std::string{lane.gateway}, .what = trouble::kind::other, .since = {}, .words = {}};
    e.limit_per_s = limit_in_force(lane);
    const auto suspicion = lane.blame.suspected(now);
    switch (b.standing(now)) {
    case breaker::state::stopped:
        e.what = trouble::kind::stopped;
        e.words =
            fmt::format("stopped, because the gateway refuses us for its configuration: {}; mend it, sending goes "
                        "on by itself (next try in {} s); nobody fails for it",
                        b.stopped_because(), seconds_left(b, now));
        return e;
    case breaker::state::suspected:
        break;
    case breaker::state::failing:
        e.what = trouble::kind::failing;
        e.words = fmt::format("held, because most messages fail for the moment; one tries in {} s, and messages wait "
                              "or take another gateway",
                              seconds_left(b, now));
        return e;
    case breaker::state::paused:
        e.what = trouble::kind::throttled;
        e.words =
            fmt::format("slowed down, because the gateway asked for it (next message in {} s)", seconds_left(b, now));
        return e;
    case breaker::state::passing:
        if (suspicion) {
            break;
        }
        tell_pace(lane, e);
        e.what = trouble::kind::throttled;
        return e.words.empty() ? std::nullopt : std::optional{std::move(e)};
    }
    e.what = trouble::kind::suspected;
    e.words = suspicion
                  ? fmt::format("held, because {} different recipients got the same refusal ({}) and nothing was "
                                "accepted since: look at the gateway's configuration; these messages wait and do "
                                "not fail, one at a time tries",
                                suspicion->recipients, suspicion->code)
                  : fmt::format("held, because different recipients got the same refusal ({})", b.stopped_because());
    return e;
}

} // namespace semel::delivery
