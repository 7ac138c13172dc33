#pragma once
// What an approval binds: the notice, the audience and what was counted of it, as the approver saw them. Pure.

#include <semel/v1/campaign.pb.h>

#include <api/core/findings.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api {

/// What was registered of one wave: what an approver sees and signs.
struct wave_plan {
    std::uint64_t recipients = 0;
    std::uint64_t unreachable = 0;
    std::map<std::string, std::uint64_t> addresses;   // by channel, before deduplication
    std::map<std::uint32_t, std::int64_t> registered; // partition -> end offset
    friend bool operator==(const wave_plan&, const wave_plan&) = default;
};

/// What an approval is bound to. Any change of these voids it.
struct approval {
    std::string notice_digest;   // signed_notice()
    std::string audience_digest; // over the spans and file digests of the approved waves
    std::string plan_digest;     // over what was registered
    std::string approver;
    std::vector<std::uint32_t> waves;
    accepted_findings accepted = {};
};

std::string audience_digest(const v1::Campaign&, const std::vector<std::uint32_t>& waves);
std::string plan_digest(const std::map<std::uint32_t, wave_plan>&, const std::vector<std::uint32_t>& waves);

/// What an approver looked at, by the digests of its three parts.
struct sight {
    std::string notice;
    std::string audience;
    std::string plan;
    friend bool operator==(const sight&, const sight&) = default;
};

/// What waits for an approval, as it is now.
struct approvable {
    std::vector<std::uint32_t> waves;
    sight shown;
};

/// One digest for all three: what a person copies from one command into the next.
std::string digest_of(const sight&);
/// Which waves came or were dropped since what has this digest was shown: "wave 2 with 2980 rows came". Empty when that
/// is not the difference.
std::string came_between(const v1::Campaign&, const std::map<std::uint32_t, wave_plan>&, std::string_view digest,
                         const approvable& now);
/// Why what was seen cannot be approved: which parts are others now, what came in between, and how many rows stand
/// there.
std::string what_changed(const v1::Campaign&, const std::map<std::uint32_t, wave_plan>&, const sight& seen,
                         const approvable& now);

} // namespace semel::api
