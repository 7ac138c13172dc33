#include "canary.hpp"

#include <wire/identity.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::api {
namespace {

std::unexpected<base::fault> refused(std::string why) {
    return base::failed(base::fault::kind::permanent, std::move(why));
}

/// What has come since the last halt.
channel_outcomes since_halt(const v1::HaltRule& rule, channel_outcomes now) {
    for (const auto& before : rule.judged()) {
        if (wire::from_proto(before.channel()) == now.channel) {
            // A bounce makes a failure of what was accepted, so a count may be lower than it was.
            now.accepted = std::max<std::int64_t>(now.accepted - before.accepted(), 0);
            now.failed = std::max<std::int64_t>(now.failed - before.failed(), 0);
        }
    }
    return now;
}

/// Rows of the canary that are certainly taken: of those that an import refused nobody knows here where they stand.
std::int64_t least_rows(const v1::Campaign& c) {
    std::int64_t left = c.canary().rows(), least = 0;
    for (const auto& wave : c.waves()) {
        if (wave.phase() == v1::WAVE_LAUNCHED) {
            const auto of_it = std::min(left, static_cast<std::int64_t>(wave.rows()));
            least += std::max<std::int64_t>(of_it - static_cast<std::int64_t>(wave.rejected()), 0);
            left -= of_it;
        }
    }
    return std::max<std::int64_t>(least, 1);
}

} // namespace

bool canary_holds(const v1::Campaign& c) {
    return c.canary().rows() != 0 && !c.canary().released();
}

std::string_view to_string(canary_stage s) noexcept {
    switch (s) {
    case canary_stage::none:
        return "none";
    case canary_stage::not_launched:
        return "not launched";
    case canary_stage::going_out:
        return "going out";
    case canary_stage::waiting:
        return "waiting for release";
    case canary_stage::released:
        return "released";
    }
    return "none";
}

canary_standing canary_of(const v1::Campaign& c, std::span<const wave_count> counts) {
    canary_standing out;
    if (c.canary().rows() == 0) {
        return out;
    }
    for (const auto& one : counts) {
        out.released += one.released + one.doubles;
    }
    if (std::ranges::none_of(c.waves(), [](const v1::Wave& w) { return w.phase() == v1::WAVE_LAUNCHED; })) {
        out.stage = canary_stage::not_launched;
        return out;
    }
    out.stage = c.canary().released()          ? canary_stage::released
                : out.released < least_rows(c) ? canary_stage::going_out
                                               : canary_stage::waiting;
    return out;
}

step release(const v1::Campaign& c) {
    if (c.phase() != v1::CAMPAIGN_RUNNING && c.phase() != v1::CAMPAIGN_PAUSED) {
        return refused(fmt::format("campaign {} is {}: a canary is released while its campaign runs", c.id(),
                                   to_string(c.phase())));
    }
    if (!canary_holds(c)) {
        return refused(c.canary().released() ? fmt::format("the canary of {} is released already", c.id())
                                             : fmt::format("campaign {} has no canary: nothing is held back", c.id()));
    }
    auto next = c;
    next.set_version(c.version() + 1);
    next.mutable_canary()->set_released(true);
    return next;
}

std::optional<std::string> why_to_halt(const v1::Campaign& c, std::span<const channel_outcomes> outcomes,
                                       base::timestamp now) {
    const auto& rule = c.halt();
    const bool past = c.deadline_us() != 0 && now >= base::from_us(c.deadline_us());
    if (rule.above_percent() <= 0 || c.phase() != v1::CAMPAIGN_RUNNING || past) {
        return std::nullopt;
    }
    for (const auto& counted : outcomes) {
        const auto fresh = since_halt(rule, counted);
        const auto all = fresh.accepted + fresh.failed;
        if (all == 0 || all < static_cast<std::int64_t>(rule.least_outcomes())) {
            continue;
        }
        const auto percent = 100.0 * static_cast<double>(fresh.failed) / static_cast<double>(all);
        if (percent > rule.above_percent()) {
            return fmt::format("{} of {} {} messages failed ({:.1f} %, more than {:g} %)", fresh.failed, all,
                               base::to_string(fresh.channel), percent, rule.above_percent());
        }
    }
    return std::nullopt;
}

step halt(const v1::Campaign& c, std::span<const channel_outcomes> outcomes, std::string why, base::timestamp now) {
    auto next = pause(c);
    if (!next) {
        return next;
    }
    auto& rule = *next->mutable_halt();
    rule.set_halted_us(base::to_us(now));
    rule.set_why(std::move(why));
    rule.clear_judged();
    for (const auto& one : outcomes) {
        auto& judged = *rule.add_judged();
        judged.set_channel(wire::to_proto(one.channel));
        judged.set_accepted(one.accepted);
        judged.set_failed(one.failed);
    }
    return next;
}

bool is_halted(const v1::Campaign& c) {
    return c.phase() == v1::CAMPAIGN_PAUSED && c.halt().halted_us() != 0;
}

} // namespace semel::api
