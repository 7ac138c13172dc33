// One browser's attempt to sign on, and the user that comes of it.

#include <base/bytes.hpp>

#include <api/core/sign_on.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace semel::api::sign_on {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const base::timestamp now{1'790'000'000s};
const attempt usual{.secret = std::string(32, 's'), .started = now};

TEST(Attempt, IsReadAsItWasWritten) {
    const attempt full{
        .secret = std::string(32, '\x01'), .started = now, .fresh = true, .before = std::string(32, 'b')};
    for (const auto& one : {usual, full}) {
        const auto read = attempt_in(to_text(one), now + 9min);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->secret, one.secret);
        EXPECT_EQ(read->started, one.started);
        EXPECT_EQ(read->fresh, one.fresh);
        EXPECT_EQ(read->before, one.before);
    }
}

TEST(Attempt, LastsTenMinutes) {
    EXPECT_TRUE(attempt_in(to_text(usual), now + attempt_lasts - 1s));
    EXPECT_FALSE(attempt_in(to_text(usual), now + attempt_lasts));
    EXPECT_FALSE(attempt_in(to_text(usual), now - attempt_lasts - 1s)) << "of tomorrow";
}

TEST(Attempt, IsNothingElse) {
    const auto good = to_text(usual);
    const auto secret = good.substr(0, good.find('.'));
    for (const auto& text :
         {std::string{}, std::string{"..."}, secret, secret + ".1790000000.usual", secret + ".1790000000.usual..",
          secret + ".1790000000.other.", secret + ".x.usual.", secret + ".99999999999999999999.usual.",
          secret + ".-1.usual.", std::string{"AAAA.1790000000.usual."}, secret + ".1790000000.usual.AAAA", "=" + good,
          good + "="}) {
        EXPECT_FALSE(attempt_in(text, now)) << text;
    }
}

TEST(Attempt, TellsTheProviderNothingOfItsSecret) {
    const auto cookie = to_text(usual);
    const std::set<std::string> all{state_of(cookie), nonce_of(cookie), verifier_of(cookie),
                                    challenge_of(verifier_of(cookie))};
    EXPECT_EQ(all.size(), 4U);
    for (const auto& one : all) {
        EXPECT_EQ(one.size(), 43U);
        EXPECT_EQ(cookie.find(one), cookie.npos);
    }
    EXPECT_NE(state_of(cookie), state_of(cookie + "x"));
}

TEST(Attempt, IsChallengedAsRfc7636Says) {
    EXPECT_EQ(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
              "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST(Attempt, HasACookieThatComesBackWithTheProvidersAnswer) {
    const auto tls = cookie_of(browser::cookie_of(true, 443));
    EXPECT_EQ(sign_on::set_cookie(tls, "x"),
              "__Host-semel-sign-on=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure");
    const auto plain = cookie_of(browser::cookie_of(false, 18080));
    EXPECT_EQ(sign_on::set_cookie(plain, ""), "semel-18080-sign-on=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
}

std::string value_of(const parameters& all, std::string_view name) {
    std::string found;
    for (const auto& [key, value] : all) {
        found += key == name ? value : "";
    }
    return found;
}

TEST(Question, AsksForACodeWithPkce) {
    const auto cookie = to_text(usual);
    const auto q = question("semel", "https://semel.example.com/v1/sign-on/back", cookie, false);
    EXPECT_EQ(value_of(q, "response_type"), "code");
    EXPECT_EQ(value_of(q, "redirect_uri"), "https://semel.example.com/v1/sign-on/back");
    EXPECT_THAT(value_of(q, "scope"), HasSubstr("openid"));
    EXPECT_EQ(value_of(q, "state"), state_of(cookie));
    EXPECT_EQ(value_of(q, "nonce"), nonce_of(cookie));
    EXPECT_EQ(value_of(q, "code_challenge_method"), "S256");
    const auto e = exchange("semel", "https://semel.example.com/v1/sign-on/back", cookie, "the-code");
    EXPECT_EQ(challenge_of(value_of(e, "code_verifier")), value_of(q, "code_challenge"));
    EXPECT_EQ(value_of(q, "max_age"), "");
    EXPECT_EQ(value_of(question("semel", "b", cookie, true), "max_age"), "0");
}

TEST(Answer, IsForTheBrowserThatBegan) {
    const auto cookie = to_text(usual);
    const auto state = state_of(cookie);
    const auto judge = [&](const came_back& b, bool names_itself = false) {
        const auto f = trouble_with(b, cookie, "https://login.example.com", names_itself);
        return f ? std::string{to_string(*f)} : std::string{};
    };
    EXPECT_EQ(judge({.state = state, .code = "c", .error = {}, .issuer = {}}), "");
    EXPECT_EQ(judge({.state = "", .code = "c", .error = {}, .issuer = {}}), "elsewhere");
    EXPECT_EQ(judge({.state = state_of("another"), .code = "c", .error = {}, .issuer = {}}), "elsewhere") << "forged";
    EXPECT_EQ(judge({.state = cookie, .code = "c", .error = {}, .issuer = {}}), "elsewhere");
    EXPECT_EQ(judge({.state = "x", .code = {}, .error = "access_denied", .issuer = {}}), "elsewhere")
        << "a stranger's answer says nothing";
    EXPECT_EQ(judge({.state = state, .code = {}, .error = "access_denied", .issuer = {}}), "cancelled");
    EXPECT_EQ(judge({.state = state, .code = {}, .error = "server_error", .issuer = {}}), "provider");
    EXPECT_EQ(judge({.state = state, .code = {}, .error = {}, .issuer = {}}), "provider");
    EXPECT_EQ(judge({.state = state, .code = std::string(5'000, 'c'), .error = {}, .issuer = {}}), "provider");
    const auto none = trouble_with({.state = state_of(""), .code = "c", .error = {}, .issuer = {}}, "", "i", false);
    EXPECT_EQ(none, failure::elsewhere) << "without a cookie every state would be its own";
}

TEST(Answer, IsOfTheProviderThatWasAsked) {
    const auto cookie = to_text(usual);
    const auto state = state_of(cookie);
    const auto judge = [&](std::string_view issuer, bool names_itself) {
        return trouble_with({.state = state, .code = "c", .error = {}, .issuer = issuer}, cookie,
                            "https://login.example.com", names_itself);
    };
    EXPECT_EQ(judge("https://login.example.com", true), std::nullopt);
    EXPECT_EQ(judge("https://login.example.com", false), std::nullopt);
    EXPECT_EQ(judge("https://evil.example", true), failure::token);
    EXPECT_EQ(judge("https://evil.example", false), failure::token);
    EXPECT_EQ(judge("", true), failure::token);
}

json::object claims(const std::string& text) {
    return json::read(text).value().as_object();
}
std::string name(const std::string& text, const std::string& claim = "preferred_username") {
    const auto got = name_in(claims(text), claim);
    return got ? *got : "! " + got.error().why();
}

TEST(Name, IsThatOfTheClaimInSmallLetters) {
    EXPECT_EQ(name(R"({"preferred_username":"kim"})"), "kim");
    EXPECT_EQ(name(R"({"preferred_username":"Kim.Lee@Example.COM"})"), "kim.lee@example.com");
    EXPECT_EQ(name(R"({"preferred_username":"o'brien+semel@example.com"})"), "o-brien-semel@example.com");
}

TEST(Name, IsOneThatAUserCanHave) {
    for (const auto* text :
         {R"({})", R"({"preferred_username":7})", R"({"preferred_username":""})", R"({"preferred_username":"-kim"})",
          R"({"preferred_username":"kim lee"})", R"({"preferred_username":"김"})",
          R"({"preferred_username":"k\u0000"})", R"({"preferred_username":"k\n"})",
          R"({"preferred_username":"operator"})", R"({"preferred_username":"Administrator"})"}) {
        EXPECT_THAT(name(text), testing::StartsWith("! ")) << text;
    }
    EXPECT_THAT(name(R"({"preferred_username":")" + std::string(65, 'k') + "\"}"), testing::StartsWith("! "));
}

TEST(Name, IsNoMailboxThatNobodyLookedAt) {
    EXPECT_EQ(name(R"({"email":"kim@example.com","email_verified":true})", "email"), "kim@example.com");
    EXPECT_EQ(name(R"({"email":"kim@example.com"})", "email"), "kim@example.com");
    EXPECT_THAT(name(R"({"email":"kim@example.com","email_verified":false})", "email"), HasSubstr("verified"));
    EXPECT_THAT(name(R"({"email":"kim@example.com","email_verified":"true"})", "email"), HasSubstr("verified"));
}

TEST(Roles, AreThoseOfTheGroupsInTheTable) {
    const role_table table{{"ops", {role::operator_}},
                           {"second", {role::approver, role::auditor}},
                           {"both", {role::operator_, role::approver}}};
    const auto roles = [&](const std::string& text) { return roles_in(claims(text), "groups", table); };
    EXPECT_THAT(roles(R"({"groups":["second","ops","others"]})"),
                ElementsAre(role::operator_, role::approver, role::auditor));
    EXPECT_THAT(roles(R"({"groups":["both","ops"]})"), ElementsAre(role::operator_, role::approver)) << "each once";
    EXPECT_THAT(roles(R"({"groups":"ops"})"), ElementsAre(role::operator_)) << "one text";
    for (const auto* none :
         {R"({})", R"({"groups":[]})", R"({"groups":["Ops"]})", R"({"groups":{"ops":true}})", R"({"groups":[["ops"]]})",
          R"({"groups":7})", R"({"other":["ops"]})", R"({"groups":["operator"]})"}) {
        EXPECT_THAT(roles(none), IsEmpty()) << none;
    }
}

} // namespace
} // namespace semel::api::sign_on
