// A provider's own description, as a provider writes it and as somebody else would.

#include <api/core/oidc_discovery.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api::oidc {
namespace {

using testing::HasSubstr;

const std::string issuer = "https://login.example.com/realms/main";

/// What is needed, with one member written anew.
std::string document(const std::string& member = {}, const std::string& value = {}, const std::string& more = {}) {
    const auto or_else = [&](const char* name, const std::string& usual) {
        return "\"" + std::string{name} + "\":" + (member == name ? value : "\"" + usual + "\"");
    };
    return "{" + or_else("issuer", issuer) + "," + or_else("authorization_endpoint", "https://login.example.com/auth") +
           "," + or_else("token_endpoint", "https://login.example.com/token?p=main") + "," +
           or_else("jwks_uri", "https://keys.example.com:8443") + more + "}";
}
std::string refusal(const std::string& text, const std::string& of = issuer) {
    const auto read = read_provider(text, of);
    return read ? std::string{} : read.error().why();
}

TEST(Provider, IsReadFromItsOwnDescription) {
    const auto p = read_provider(document(), issuer);
    ASSERT_TRUE(p) << p.error().why();
    EXPECT_EQ(p->authorization, "https://login.example.com/auth");
    EXPECT_EQ(p->token.base, "https://login.example.com");
    EXPECT_EQ(p->token.target, "/token?p=main");
    EXPECT_EQ(p->keys.base, "https://keys.example.com:8443");
    EXPECT_EQ(p->keys.target, "/");
    EXPECT_FALSE(p->secret_in_body);
    EXPECT_FALSE(p->names_itself);
}

TEST(Provider, IsFoundBelowItsIssuer) {
    const auto where = [](const char* of) {
        const auto at = document_of(of);
        return at ? at->base + " " + at->target : at.error().why();
    };
    EXPECT_EQ(where("https://login.example.com"), "https://login.example.com /.well-known/openid-configuration");
    EXPECT_EQ(where("https://login.example.com/"), "https://login.example.com /.well-known/openid-configuration");
    EXPECT_EQ(where("https://l.example.com/a/b/"), "https://l.example.com /a/b/.well-known/openid-configuration");
    for (const auto* no : {"", "login.example.com", "ftp://x", "https://x/?a=b", "https://x/#a", "https://u:p@x/"}) {
        EXPECT_FALSE(document_of(no)) << no;
    }
}

TEST(Provider, IsTheOneOfTheIssuerToTheLetter) {
    for (const auto* other : {"\"https://login.example.com/realms/main/\"", "\"https://evil.example\"", "7", "null"}) {
        EXPECT_THAT(refusal(document("issuer", other)), HasSubstr("issuer")) << other;
    }
    EXPECT_THAT(refusal(document("issuer", "\"" + issuer + "\",\"issuer\":\"https://evil.example\"")),
                HasSubstr("twice"));
}

TEST(Provider, HasAddressesThatNobodyListensTo) {
    for (const auto* member : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
        for (const auto* value : {"\"http://login.example.com/x\"", "\"javascript:alert(1)\"", "\"//evil.example\"",
                                  "\"https://u:p@x/\"", "\"https://x/#f\"", "\"https://x/?a=\\r\\nSet-Cookie: b\"",
                                  "\"https://x/?a b\"", "\"https://x/?\\u00e9\"", "\"\"", "7", "null", "[]"}) {
            EXPECT_THAT(refusal(document(member, value)), HasSubstr(member)) << value;
        }
        EXPECT_NE(refusal(document(member, "\"https://x/" + std::string(3'000, 'a') + "\"")), "");
    }
    auto here = document("issuer", "\"http://127.0.0.1:9000\"");
    for (std::size_t at = 0; (at = here.find("https://", at)) != here.npos;) {
        here.erase(at + 4, 1);
    }
    EXPECT_EQ(refusal(here, "http://127.0.0.1:9000"), "") << "a test's, on this machine";
}

TEST(Provider, LacksNothingThatIsUsed) {
    EXPECT_THAT(refusal(document("", "", R"(,"response_types_supported":["id_token"])")), HasSubstr("code flow"));
    EXPECT_THAT(refusal(document("", "", R"(,"code_challenge_methods_supported":["plain",7])")), HasSubstr("S256"));
    EXPECT_EQ(refusal(document("", "",
                               R"(,"response_types_supported":["code"],)"
                               R"("code_challenge_methods_supported":["plain","S256"])")),
              "");
}

TEST(Provider, SaysHowItKnowsItsClients) {
    const auto in_body = [](const std::string& methods) {
        return read_provider(document("", "", R"(,"token_endpoint_auth_methods_supported":)" + methods), issuer)
            .value()
            .secret_in_body;
    };
    EXPECT_TRUE(in_body(R"(["client_secret_post"])"));
    EXPECT_FALSE(in_body(R"(["client_secret_post","client_secret_basic"])"));
    EXPECT_FALSE(in_body(R"(["private_key_jwt"])"));
    EXPECT_TRUE(read_provider(document("", "", R"(,"authorization_response_iss_parameter_supported":true)"), issuer)
                    .value()
                    .names_itself);
}

TEST(Provider, IsNotReadOutOfAnythingElse) {
    for (const std::string& text : {std::string{}, std::string{"[]"}, std::string{"{"}, std::string{"{}"},
                                    std::string{"<html>"}, document() + "x", std::string(100'000, ' ') + document()}) {
        EXPECT_NE(refusal(text), "") << text.substr(0, 40);
    }
    std::string deep(1'000, '[');
    EXPECT_NE(refusal(document("", "", ",\"a\":" + deep)), "");
}

TEST(Provider, GetsTheQuestionBehindItsOwnQuery) {
    EXPECT_EQ(with_query("https://x/a", "b=c"), "https://x/a?b=c");
    EXPECT_EQ(with_query("https://x/a?p=q", "b=c"), "https://x/a?p=q&b=c");
}

} // namespace
} // namespace semel::api::oidc
