#pragma once
// Campaigns that belong together: one and those that follow it, and all about one incident. Pure.

#include <semel/v1/campaign.pb.h>

#include <span>
#include <string>
#include <vector>

namespace semel::api {

/// The first campaign of the family: its own id for one that follows none.
const std::string& root_of(const v1::Campaign&);
/// Of all, in their order: the family of the campaign, and whatever else is about the same incident.
std::vector<v1::Campaign> together_with(const v1::Campaign&, std::span<const v1::Campaign> all);
/// Of those, the ids of the family: the same people, whom each names by refs of the first.
std::vector<std::string> family_of(const v1::Campaign&, std::span<const v1::Campaign> together);

} // namespace semel::api
