// Users and their tokens: what a name, a role, a scope and a life may be.

#include <api/core/accounts.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(UserName, IsOneSpellingOfOnePerson) {
    for (const auto* name : {"kim", "k", "kim.lee", "kim@example.com", "7of9", "a_b-c"}) {
        EXPECT_TRUE(check_user_name(name)) << name;
    }
    for (const auto* name : {"", "Kim", ".kim", "@kim", "kim lee", "kim\n", "김", "kim/lee", "kim,lee", "{}", "-"}) {
        EXPECT_FALSE(check_user_name(name)) << name;
    }
    EXPECT_TRUE(check_user_name(std::string(64, 'k')));
    EXPECT_FALSE(check_user_name(std::string(65, 'k')));
}

TEST(UserName, IsNoRolesName) {
    for (const auto one : all_roles) {
        const auto refused = check_user_name(to_string(one));
        ASSERT_FALSE(refused) << to_string(one);
        EXPECT_THAT(refused.error().why(), HasSubstr("tokens_dir"));
    }
}

TEST(Roles, AreEachOnceAndInOneOrder) {
    EXPECT_THAT(read_roles({"auditor", "operator", "auditor"}).value(), ElementsAre(role::operator_, role::auditor));
    EXPECT_FALSE(read_roles({}));
    const auto refused = read_roles({"operator", "root"});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().why(), HasSubstr("operator, approver, product, auditor, administrator"));
}

TEST(Scope, IsReadOrRolesOrBoth) {
    EXPECT_EQ(read_scope({}).value(), token_scope{});
    EXPECT_EQ(read_scope({"read"}).value(), (token_scope{.roles = {}, .read_only = true}));
    EXPECT_EQ(read_scope({"read", "operator"}).value(), (token_scope{.roles = {role::operator_}, .read_only = true}));
    EXPECT_FALSE(read_scope({"write"}));
    for (const auto& names : std::vector<std::vector<std::string>>{{}, {"read"}, {"operator", "auditor", "read"}}) {
        EXPECT_EQ(names_of(read_scope(names).value()), names);
    }
}

TEST(Scope, GivesNothingThatTheUserHasNot) {
    const std::vector<role> has{role::operator_, role::auditor};
    EXPECT_EQ(within({}, "kim", has).roles, has);
    EXPECT_THAT(within({.roles = {role::operator_, role::approver}}, "kim", has).roles, ElementsAre(role::operator_));
    EXPECT_THAT(within({.roles = {role::approver}}, "kim", has).roles, IsEmpty()) << "no role is left, not all of them";
    const auto reading = within({.roles = {}, .read_only = true}, "kim", has);
    EXPECT_EQ(reading.roles, has);
    EXPECT_TRUE(reading.read_only);
    EXPECT_EQ(reading.name, "kim");
}

TEST(TokenLife, HasAnEnd) {
    EXPECT_EQ(read_life(std::nullopt).value(), std::chrono::days{90});
    EXPECT_EQ(read_life(1).value(), std::chrono::days{1});
    EXPECT_EQ(read_life(366).value(), std::chrono::days{366});
    for (const std::int64_t days : {0L, -1L, 367L, std::numeric_limits<long>::max()}) {
        EXPECT_FALSE(read_life(days)) << days;
    }
}

TEST(TokenText, SaysWhoseItIsAndIsHex) {
    EXPECT_EQ(token_text(std::string{"\x00\xff", 2}), "semel_00ff");
}

} // namespace
} // namespace semel::api
