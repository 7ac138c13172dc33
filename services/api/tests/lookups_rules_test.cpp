// What is noted of who looks at whom.

#include <api/core/lookups.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace semel::api {
namespace {

TEST(Purpose, IsOneLineInTheirOwnWords) {
    const auto why = purpose_of("  she asks whether she was told \t", " C-17 ");
    ASSERT_TRUE(why);
    EXPECT_EQ(why->reason, "she asks whether she was told");
    EXPECT_EQ(why->case_number, "C-17");
    EXPECT_EQ(purpose_of("", " ").value(), purpose{});
    EXPECT_EQ(purpose_of("정보주체의 요청", "").value().reason, "정보주체의 요청");
    for (const auto* bad : {"two\nlines", "a\rb", "\x1b[2J", "a\x7f"}) {
        EXPECT_FALSE(purpose_of(bad, "")) << bad;
        EXPECT_FALSE(purpose_of("", bad)) << bad;
    }
    EXPECT_FALSE(purpose_of(std::string(1, '\0'), "")) << "PostgreSQL keeps none";
}

TEST(Purpose, HasABound) {
    EXPECT_TRUE(purpose_of(std::string(longest_reason, 'x'), std::string(longest_case, 'x')));
    EXPECT_FALSE(purpose_of(std::string(longest_reason + 1, 'x'), ""));
    EXPECT_FALSE(purpose_of("", std::string(longest_case + 1, 'x')));
}

TEST(Purpose, IsLeftOutByAuditorsAlone) {
    EXPECT_TRUE(must_say_why({.name = "kim", .roles = {role::operator_}}));
    EXPECT_TRUE(must_say_why({.name = "kim", .roles = {role::approver}}));
    EXPECT_FALSE(must_say_why({.name = "kim", .roles = {role::auditor}}));
}

TEST(LookedAt, HasANameForEach) {
    std::set<std::string_view> names;
    for (const auto one : {looked_at::story, looked_at::unreached, looked_at::repeated, looked_at::rejects,
                           looked_at::in_doubt, looked_at::resent}) {
        EXPECT_TRUE(names.insert(to_string(one)).second) << to_string(one);
    }
}

} // namespace
} // namespace semel::api
