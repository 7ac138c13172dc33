#include "approval.hpp"

#include <crypto/hash.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace semel::api {

std::string audience_digest(const v1::Campaign& c, const std::vector<std::uint32_t>& waves) {
    crypto::hasher h;
    for (const auto& wave : c.waves()) {
        if (std::ranges::find(waves, wave.number()) == waves.end()) {
            continue;
        }
        h.update(fmt::format("{}|{}|{}|", wave.number(), wave.rows(), wave.rejected())).update(wave.file_digest());
        for (const auto& span : wave.spans()) {
            h.update(
                 fmt::format("|{}|{}|{}|{}|", span.partition(), span.start_offset(), span.end_offset(), span.chunks()))
                .update(span.digest());
        }
    }
    return std::string{base::as_view(h.finish())};
}

std::string plan_digest(const std::map<std::uint32_t, wave_plan>& plans, const std::vector<std::uint32_t>& waves) {
    crypto::hasher h;
    for (const auto& [number, plan] : plans) {
        if (std::ranges::find(waves, number) == waves.end()) {
            continue;
        }
        h.update(fmt::format("{}|{}|{}|", number, plan.recipients, plan.unreachable));
        for (const auto& [channel, count] : plan.addresses) {
            h.update(fmt::format("{}={}|", channel, count));
        }
        for (const auto& [partition, end] : plan.registered) {
            h.update(fmt::format("{}:{}|", partition, end));
        }
    }
    return std::string{base::as_view(h.finish())};
}

std::string digest_of(const sight& seen) {
    return std::string{
        base::as_view(crypto::sha256_of_fields({"semel approval", seen.notice, seen.audience, seen.plan}))};
}

namespace {

std::uint64_t rows_of(const v1::Campaign& c, const std::vector<std::uint32_t>& waves) {
    std::uint64_t rows = 0;
    for (const auto& wave : c.waves()) {
        rows += std::ranges::find(waves, wave.number()) != waves.end() ? wave.rows() : 0;
    }
    return rows;
}

std::string waves_with_rows(const v1::Campaign& c, const std::vector<std::uint32_t>& waves) {
    return fmt::format("wave{} {} with {} rows", waves.size() == 1 ? "" : "s", fmt::join(waves, ", "),
                       rows_of(c, waves));
}

} // namespace

std::string came_between(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
                         std::string_view digest, const approvable& now) {
    const auto was_shown = [&](const std::vector<std::uint32_t>& waves) {
        return digest_of({.notice = now.shown.notice,
                          .audience = audience_digest(c, waves),
                          .plan = plan_digest(plans, waves)}) == digest;
    };
    for (auto fewer = now.waves; fewer.size() > 1;) {
        fewer.pop_back();
        if (was_shown(fewer)) {
            return waves_with_rows(c,
                                   {now.waves.begin() + static_cast<std::ptrdiff_t>(fewer.size()), now.waves.end()}) +
                   " came";
        }
    }
    for (const auto& wave : c.waves()) {
        auto more = now.waves;
        more.push_back(wave.number());
        if (wave.phase() == v1::WAVE_DROPPED && was_shown(more)) {
            return waves_with_rows(c, {wave.number()}) + " was dropped";
        }
    }
    return {};
}

std::string what_changed(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans, const sight& seen,
                         const approvable& now) {
    std::vector<std::string_view> others;
    if (seen.notice != now.shown.notice) {
        others.emplace_back("the notice");
    }
    if (seen.audience != now.shown.audience) {
        others.emplace_back("the audience");
    }
    if (seen.plan != now.shown.plan) {
        others.emplace_back("the counts");
    }
    const auto between = came_between(c, plans, digest_of(seen), now);
    return fmt::format("nothing was approved: what you were shown of campaign {} is not what waits now. Changed: {}{}. "
                       "Now {} in all; look again and approve that",
                       c.id(), fmt::join(others, ", "), between.empty() ? "" : ": " + between + " in between",
                       waves_with_rows(c, now.waves));
}

} // namespace semel::api
