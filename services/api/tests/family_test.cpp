#include <api/core/family.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using testing::ElementsAre;

v1::Campaign a_campaign(const std::string& id, const std::string& incident, const std::string& root = {}) {
    v1::Campaign c;
    c.set_id(id);
    c.set_incident(incident);
    if (!root.empty()) {
        c.mutable_follow_up()->set_of(root);
        c.mutable_follow_up()->set_root(root);
    }
    return c;
}

const std::vector<v1::Campaign> all = {
    a_campaign("first", "leak"),        a_campaign("other", "leak"), a_campaign("again", "leak", "first"),
    a_campaign("elsewhere", "flood"),   a_campaign("alone", ""),     a_campaign("loner", ""),
    a_campaign("nameless", "", "alone")};

std::vector<std::string> ids(const std::vector<v1::Campaign>& of) {
    std::vector<std::string> out;
    for (const auto& c : of) {
        out.push_back(c.id());
    }
    return out;
}

TEST(Family, IsACampaignWithWhatFollowsItAndWithinItsIncident) {
    for (const auto* member : {&all[0], &all[2]}) {
        const auto together = together_with(*member, all);
        EXPECT_THAT(ids(together), ElementsAre("first", "other", "again"));
        EXPECT_THAT(family_of(*member, together), ElementsAre("first", "again"));
    }
    EXPECT_THAT(family_of(all[1], together_with(all[1], all)), ElementsAre("other"));
}

TEST(Family, WithoutAnIncidentIsNobodysBesideItsOwn) {
    EXPECT_THAT(ids(together_with(all[4], all)), ElementsAre("alone", "nameless"));
    EXPECT_THAT(ids(together_with(all[5], all)), ElementsAre("loner"));
}

} // namespace
} // namespace semel::api
