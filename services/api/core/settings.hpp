#pragma once
// Whether the settings of a new campaign can hold together. Each is right by itself; what they contradict shows days
// later, when nothing is sent. Pure.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <semel/v1/campaign.pb.h>

#include <string>
#include <vector>

namespace semel::api {

/// Refuses what can never send anything; otherwise what its creator should look at, in words.
base::result<std::vector<std::string>> judge_settings(const v1::Campaign&, base::timestamp now);

} // namespace semel::api
