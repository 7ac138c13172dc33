#include "standstill.hpp"

#include <fmt/format.h>

namespace semel::delivery {

namespace {

std::int64_t seconds_left(const breaker& b, base::instant now) {
    return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(b.open_until() - now).count(), 0);
}

} // namespace

std::optional<trouble::entry> standstill(std::string gateway, double limit_per_s, const breaker& b, const blame& who,
                                         base::instant now) {
    trouble::entry e{.subject = std::move(gateway), .what = trouble::kind::other, .since = {}, .words = {}};
    if (limit_per_s > 0) {
        e.limit_per_s = limit_per_s;
    }
    const auto suspicion = who.suspected(now);
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
    case breaker::state::closed:
        if (!suspicion) {
            return std::nullopt;
        }
        break;
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
