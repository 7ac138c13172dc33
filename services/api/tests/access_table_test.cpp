// Who may do what, written out a second time: by role, where the table itself goes by step.

#include <api/core/access.hpp>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <vector>

namespace semel::api {
namespace {

using access::grant;
using access::ruling;
using access::step;

std::vector<step> all_steps() {
    std::vector<step> all;
    for (std::size_t i = 0; i < access::step_count; ++i) {
        all.push_back(static_cast<step>(i));
    }
    return all;
}

struct rights {
    role who;
    std::map<step, grant> has; // what is not here the role may not
};

using rights_of_role = std::map<step, grant>;

rights_of_role joined(rights_of_role has, const rights_of_role& more) {
    for (const auto& [what, given] : more) {
        has[what] = given;
    }
    return has;
}

/// Whoever it is: counts and states, and an end to the own token and the own sessions, the own decisions.
rights_of_role anybodys() {
    return {{step::see_oneself, grant::yes},    {step::use_session, grant::yes},    {step::list_sessions, grant::own},
            {step::end_session, grant::own},    {step::read_campaigns, grant::yes}, {step::read_history, grant::yes},
            {step::read_decisions, grant::own}, {step::revoke_token, grant::own}};
}

/// Who works on campaigns or audits them sees all of them, people too.
rights_of_role insight_and(const rights_of_role& more) {
    const auto insight = joined(anybodys(), {{step::read_people, grant::yes},
                                             {step::read_person, grant::yes},
                                             {step::read_doubts, grant::yes},
                                             {step::list_keys, grant::yes},
                                             {step::list_test_addresses, grant::yes},
                                             {step::read_unmatched_receipts, grant::yes}});
    return joined(insight, more);
}

std::vector<rights> written_out() {
    return {
        {.who = role::operator_,
         .has = insight_and({{step::create_campaign, grant::yes},
                             {step::add_upload, grant::yes},
                             {step::send_test, grant::yes},
                             {step::seal, grant::yes},
                             {step::launch, grant::yes},
                             {step::release, grant::yes},
                             {step::pause, grant::yes},
                             {step::resume, grant::yes},
                             {step::cancel, grant::yes},
                             {step::drop_wave, grant::yes},
                             {step::rotate_keys, grant::yes}})},
        {.who = role::approver,
         .has = insight_and({{step::approve, grant::others},
                             {step::drop_wave, grant::yes},
                             {step::drop_approved_wave, grant::others},
                             {step::decide_doubts, grant::others},
                             {step::pause, grant::yes},
                             {step::cancel, grant::yes},
                             {step::list_users, grant::yes},
                             {step::revoke_token, grant::yes},
                             {step::change_test_addresses, grant::yes}})},
        {.who = role::product,
         .has = joined(anybodys(), {{step::create_campaign, grant::yes}, {step::list_test_addresses, grant::yes}})},
        {.who = role::auditor,
         .has = insight_and({{step::list_users, grant::yes},
                             {step::read_lookups, grant::yes},
                             {step::read_decisions, grant::yes},
                             {step::read_access_events, grant::yes}})},
        {.who = role::administrator,
         .has = joined(anybodys(), {{step::list_sessions, grant::yes},
                                    {step::end_session, grant::yes},
                                    {step::list_users, grant::yes},
                                    {step::change_users, grant::others},
                                    {step::make_token, grant::yes},
                                    {step::revoke_token, grant::yes},
                                    {step::read_access_events, grant::yes},
                                    {step::list_keys, grant::yes},
                                    {step::rotate_keys, grant::yes}})},
    };
}

TEST(AccessTable, GivesEachRoleWhatIsWrittenOutAndNothingElse) {
    ASSERT_EQ(written_out().size(), all_roles.size());
    for (const auto& [who, has] : written_out()) {
        for (const auto what : all_steps()) {
            const auto found = has.find(what);
            const auto expected = found == has.end() ? grant::no : found->second;
            EXPECT_EQ(access::granted(what, who), expected) << to_string(who) << ' ' << access::name_of(what);
        }
    }
}

TEST(AccessTable, LetsNoRoleChangeACampaignAloneFromItsCreationToItsLaunch) {
    for (const auto who : all_roles) {
        EXPECT_FALSE(access::judge(step::create_campaign, std::span{&who, 1}, true) == ruling::allowed &&
                     access::judge(step::approve, std::span{&who, 1}, true) == ruling::allowed)
            << to_string(who);
    }
}

TEST(AccessTable, NamesEachStepOnce) {
    std::set<std::string_view> names;
    for (const auto what : all_steps()) {
        EXPECT_TRUE(names.insert(access::name_of(what)).second) << access::name_of(what);
    }
}

ruling of(step what, std::vector<role> roles, bool made_it) {
    return access::judge(what, roles, made_it);
}

TEST(Access, AStepForTwoIsNotForWhoMadeTheCampaign) {
    EXPECT_EQ(of(step::approve, {role::approver}, false), ruling::allowed);
    EXPECT_EQ(of(step::approve, {role::approver}, true), ruling::another_person);
    EXPECT_EQ(of(step::approve, {role::operator_}, false), ruling::another_role);
    EXPECT_EQ(of(step::approve, {}, false), ruling::another_role);
}

TEST(Access, OnesOwnIsNobodyElsesButAnApprovers) {
    EXPECT_EQ(of(step::revoke_token, {role::auditor}, true), ruling::allowed);
    EXPECT_EQ(of(step::revoke_token, {role::auditor}, false), ruling::own_only);
    EXPECT_EQ(of(step::revoke_token, {role::approver}, false), ruling::allowed);
}

TEST(Access, OnesOwnSessionsAreNobodyElsesButAnAdministrators) {
    for (const auto what : {step::list_sessions, step::end_session}) {
        for (const auto one : all_roles) {
            EXPECT_EQ(of(what, {one}, true), ruling::allowed) << to_string(one);
            EXPECT_EQ(of(what, {one}, false), one == role::administrator ? ruling::allowed : ruling::own_only)
                << to_string(one);
        }
        EXPECT_EQ(access::judge(what, {.name = "kim", .roles = {role::operator_}}, ""), ruling::own_only)
            << "everybody's";
    }
}

TEST(Access, NobodyChangesTheOwnRoles) {
    const std::vector<role> all{all_roles.begin(), all_roles.end()};
    EXPECT_EQ(of(step::change_users, all, true), ruling::another_person);
    EXPECT_EQ(of(step::change_users, {role::administrator}, false), ruling::allowed);
}

TEST(Access, SeveralRolesGiveWhatAnyOfThemGives) {
    EXPECT_EQ(of(step::seal, {role::auditor, role::operator_}, false), ruling::allowed);
    EXPECT_EQ(of(step::revoke_token, {role::operator_, role::approver}, false), ruling::allowed);
    EXPECT_EQ(of(step::approve, {role::operator_, role::approver}, false), ruling::allowed);
}

TEST(Access, NoRoleMoreLetsSomebodyApproveTheOwnCampaign) {
    const std::vector<role> all{all_roles.begin(), all_roles.end()};
    for (const auto what : {step::approve, step::decide_doubts, step::drop_approved_wave}) {
        EXPECT_EQ(of(what, all, true), ruling::another_person) << access::name_of(what);
    }
}

TEST(Access, GoesByTheNameOfWhoMadeIt) {
    const user who{.name = "kim", .roles = {role::approver}};
    EXPECT_EQ(access::judge(step::approve, who, "lee"), ruling::allowed);
    EXPECT_EQ(access::judge(step::approve, who, "kim"), ruling::another_person);
    EXPECT_EQ(access::at_all(step::approve, who), ruling::allowed) << "before it is known which campaign";
    EXPECT_EQ(access::at_all(step::seal, who), ruling::another_role);
    EXPECT_EQ(access::at_all(step::see_oneself, {.name = "kim"}), ruling::another_role) << "without any role";
}

TEST(Access, ATokenThatOnlyReadsChangesNothing) {
    const user who{.name = "kim", .roles = {all_roles.begin(), all_roles.end()}, .read_only = true};
    for (const auto what : all_steps()) {
        const std::string_view name = access::name_of(what);
        const bool looks = name.starts_with("read_") || name.starts_with("list_") || name.starts_with("see_") ||
                           what == step::use_session; // it reaches no farther than the token
        EXPECT_EQ(access::changes(what), !looks) << name;
        EXPECT_EQ(access::at_all(what, who), looks ? ruling::allowed : ruling::reading_only) << name;
        EXPECT_EQ(access::judge(what, who, "lee"), looks ? ruling::allowed : ruling::reading_only) << name;
    }
}

TEST(Access, ARoleTooLittleIsSaidBeforeATokenThatOnlyReads) {
    EXPECT_EQ(access::at_all(step::seal, {.name = "kim", .roles = {role::auditor}, .read_only = true}),
              ruling::another_role);
}

TEST(Access, WhoSignedOnSignsInAnewForWhatAnUnattendedDeskMustNotDo) {
    const std::set<step> wanted{step::approve, step::decide_doubts, step::read_person};
    const user who{.name = "kim", .roles = {all_roles.begin(), all_roles.end()}, .long_signed_in = true};
    for (const auto what : all_steps()) {
        EXPECT_EQ(access::wants_fresh_sign_in(what), wanted.contains(what)) << access::name_of(what);
        EXPECT_EQ(access::at_all(what, who), wanted.contains(what) ? ruling::sign_in_anew : ruling::allowed)
            << access::name_of(what);
    }
    EXPECT_EQ(access::at_all(step::approve, {.name = "kim", .roles = {role::operator_}, .long_signed_in = true}),
              ruling::another_role)
        << "a sign-in would not help";
}

TEST(Access, NamesRolesInWords) {
    EXPECT_EQ(roles_in_words({.name = "kim", .roles = {role::operator_}}), "the role operator");
    EXPECT_EQ(roles_in_words({.name = "kim", .roles = {role::operator_, role::approver, role::auditor}}),
              "the roles operator, approver and auditor");
    EXPECT_EQ(roles_in_words({.name = "kim"}), "no role");
}

TEST(Access, NamesWhoMay) {
    EXPECT_EQ(access::who_may(step::seal), "operator");
    EXPECT_EQ(access::who_may(step::pause), "operator or approver");
    EXPECT_EQ(access::who_may(step::decide_doubts), "approver");
    EXPECT_EQ(access::who_may(step::change_users), "administrator");
}

TEST(Access, ReadsARoleAsItWritesIt) {
    for (const auto one : all_roles) {
        EXPECT_EQ(role_from(to_string(one)), one);
    }
    EXPECT_FALSE(role_from("root"));
    EXPECT_FALSE(role_from(""));
}

std::string in_words(grant g) {
    switch (g) {
    case grant::no:
        return "";
    case grant::yes:
        return "yes";
    case grant::others:
        return "others'";
    case grant::own:
        return "own";
    }
    return "?";
}

TEST(AccessTable, IsTheOneOfTheSecurityPage) {
    std::set<std::string> in_code, on_page;
    for (const auto what : all_steps()) {
        std::string row = "| `" + std::string{access::name_of(what)} + "` |";
        for (const auto one : all_roles) {
            const auto given = in_words(access::granted(what, one));
            row += given.empty() ? " |" : " " + given + " |";
        }
        in_code.insert(row);
    }
    std::ifstream page{"docs/security.md"};
    bool begun = false;
    for (std::string line; std::getline(page, line);) {
        begun = begun || line.starts_with("| step | operator | approver | product | auditor | administrator | ");
        if (begun && line.empty()) {
            break;
        }
        if (begun && line.starts_with("| `")) {
            // The last cell says in words what the step is.
            on_page.insert(line.substr(0, line.rfind('|', line.size() - 2) + 1));
        }
    }
    EXPECT_EQ(on_page, in_code);
}

} // namespace
} // namespace semel::api
