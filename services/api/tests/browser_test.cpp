// When a request that brings a cookie is believed.

#include <api/core/browser.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api::browser {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string secret = "a-secret-of-a-session";

came_from own_page(std::string_view method, std::string_view guard) {
    return {.method = method,
            .host = "semel.example.com:8443",
            .origin = "https://semel.example.com:8443",
            .fetch_site = "same-origin",
            .guard = guard};
}

TEST(Cookie, OfTlsBelongsToOneHostAlone) {
    const auto c = cookie_of(true, 443);
    EXPECT_EQ(set_cookie(c, "x"), "__Host-semel=x; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure");
}

TEST(Cookie, InTheClearIsNamedByItsPort) {
    const auto c = cookie_of(false, 18080);
    EXPECT_THAT(set_cookie(c, "x"), testing::StartsWith("semel-18080=x; Path=/; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(set_cookie(c, "x"), Not(HasSubstr("Secure"))) << "a browser would not send it back";
    EXPECT_NE(c.name, cookie_of(false, 18180).name);
}

TEST(Cookie, IsTakenAwayByAnEmptyOneThatIsOver) {
    EXPECT_THAT(set_cookie(cookie_of(true, 443), ""), HasSubstr("__Host-semel=; "));
    EXPECT_THAT(set_cookie(cookie_of(true, 443), ""), HasSubstr("Max-Age=0"));
}

TEST(Cookie, IsFoundByItsWholeName) {
    EXPECT_EQ(value_in("semel-1=a", "semel-1"), "a");
    EXPECT_EQ(value_in("other=b; semel-1=a=c;more=d", "semel-1"), "a=c");
    EXPECT_EQ(value_in("xsemel-1=a; semel-11=b", "semel-1"), "");
    EXPECT_EQ(value_in("", "semel-1"), "");
    EXPECT_EQ(value_in(";;= ;semel-1", "semel-1"), "");
}

TEST(Cookie, ThatComesTwiceIsNone) {
    EXPECT_EQ(value_in("semel-1=a; semel-1=b", "semel-1"), "");
    EXPECT_EQ(value_in("semel-1=; semel-1=b", "semel-1"), "");
}

TEST(Guard, FollowsFromTheSecretAndDoesNotTellIt) {
    EXPECT_EQ(guard_of(secret), guard_of(secret));
    EXPECT_NE(guard_of(secret), guard_of(secret + "x"));
    EXPECT_THAT(guard_of(secret), Not(HasSubstr(secret)));
    EXPECT_EQ(guard_of(secret).size(), 64U);
}

TEST(Request, OfTheOwnPageWithTheGuardIsBelieved) {
    EXPECT_EQ(distrust(own_page("POST", guard_of(secret)), secret), "");
    auto plain = own_page("POST", guard_of(secret)); // behind a proxy that ends TLS, and in any spelling
    plain.origin = "http://SEMEL.example.com:8443";
    EXPECT_EQ(distrust(plain, secret), "");
    auto old = own_page("DELETE", guard_of(secret));
    old.fetch_site = "";
    EXPECT_EQ(distrust(old, secret), "");
}

TEST(Request, ThatChangesSomethingNeedsTheGuard) {
    EXPECT_THAT(distrust(own_page("POST", ""), secret), HasSubstr("guard"));
    EXPECT_THAT(distrust(own_page("POST", guard_of("another session")), secret), HasSubstr("guard"));
    EXPECT_THAT(distrust(own_page("DELETE", ""), secret), HasSubstr("guard"));
    EXPECT_EQ(distrust(own_page("GET", ""), secret), "");
}

TEST(Request, ThatChangesSomethingNeedsItsOrigin) {
    for (const std::string_view origin :
         {"", "null", "https://evil.example", "https://semel.example.com",
          "https://semel.example.com:8443.evil.example", "https://evil.example/https://semel.example.com:8443",
          "semel.example.com:8443"}) {
        auto r = own_page("POST", guard_of(secret));
        r.origin = origin;
        EXPECT_THAT(distrust(r, secret), HasSubstr("Origin")) << origin;
        EXPECT_THAT(distrust_of_origin(r), HasSubstr("Origin")) << origin;
    }
    auto nowhere = own_page("POST", guard_of(secret));
    nowhere.host = nowhere.origin = "";
    EXPECT_NE(distrust(nowhere, secret), "");
}

TEST(Request, OfAnotherSiteIsBelievedInNothing) {
    for (const std::string_view site : {"cross-site", "same-site", "else"}) {
        for (const std::string_view method : {"GET", "POST"}) {
            auto r = own_page(method, guard_of(secret));
            r.fetch_site = site;
            EXPECT_THAT(distrust(r, secret), HasSubstr("another site")) << site << ' ' << method;
        }
    }
    auto typed = own_page("GET", "");
    typed.fetch_site = "none";
    EXPECT_EQ(distrust(typed, secret), "") << "an address that somebody typed";
    typed.method = "POST";
    EXPECT_NE(distrust(typed, secret), "");
}

} // namespace
} // namespace semel::api::browser
