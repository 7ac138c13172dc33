// ID tokens and key sets, row by row: what a provider signs is believed, and nothing that is bent in one place.

#include "token_maker.hpp"

#include <crypto/hash.hpp>

#include <api/core/oidc_token.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace semel::api::oidc {
namespace {

using test::token_maker;
using testing::HasSubstr;

const base::timestamp now{1'790'000'000s};
constexpr const char* nonce = "the-nonce-of-this-attempt";

struct provider_keys {
    token_maker rsa = token_maker::rsa(), ec = token_maker::ec(), ed = token_maker::ed25519();

    const token_maker& of(std::string_view alg) const { return alg == "ES256" ? ec : alg == "EdDSA" ? ed : rsa; }
    /// Each under the name of what it signs by.
    std::string published() const {
        return R"({"keys":[)" + rsa.jwk("RS256", R"(,"use":"sig","alg":"RS256")") + "," +
               rsa.jwk("PS256", R"(,"alg":"PS256")") + "," + ec.jwk("ES256") + "," + ed.jwk("EdDSA") + "]}";
    }
};
const provider_keys& keys() {
    static const provider_keys made; // an RSA key takes a tenth of a second
    return made;
}
key_set published() {
    return read_key_set(keys().published()).value();
}

std::string seconds(std::int64_t from_now) {
    return std::to_string(1'790'000'000 + from_now);
}

/// The claims of a good token, with members written anew; an empty text leaves one out.
std::string payload(const std::map<std::string, std::string>& anew = {}) {
    std::map<std::string, std::string> members{{"iss", "\"https://login.example.com\""},
                                               {"sub", "\"248289761001\""},
                                               {"aud", "\"semel\""},
                                               {"exp", seconds(300)},
                                               {"iat", seconds(-2)},
                                               {"auth_time", seconds(-20)},
                                               {"nonce", "\"" + std::string{nonce} + "\""},
                                               {"preferred_username", "\"kim\""}};
    for (const auto& [name, value] : anew) {
        members[name] = value;
    }
    std::string out = "{";
    for (const auto& [name, value] : members) {
        if (!value.empty()) {
            out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
        }
    }
    return out + "}";
}

expectations expected() {
    return {.issuer = "https://login.example.com", .client_id = "semel", .nonce = nonce, .now = now};
}

/// Empty: it is believed.
std::string refusal(const std::string& token, const expectations& e = expected(), const key_set& set = published()) {
    const auto got = verify(token, set, e);
    return got ? std::string{} : got.error().why();
}
std::string refusal_of(const std::map<std::string, std::string>& anew, const expectations& e = expected()) {
    return refusal(keys().ec.token("ES256", payload(anew)), e);
}

TEST(IdToken, OfEachAlgorithmOnTheListIsBelieved) {
    for (const auto* alg : {"RS256", "PS256", "ES256", "EdDSA"}) {
        const auto got = verify(keys().of(alg).token(alg, payload()), published(), expected());
        ASSERT_TRUE(got) << alg << ": " << got.error().why();
        EXPECT_EQ(got->subject, "248289761001");
        EXPECT_EQ(got->authenticated, now - 20s);
        EXPECT_EQ(got->all.at("preferred_username").as_string(), "kim");
    }
    EXPECT_EQ(scheme_from("Ed25519"), crypto::signature_scheme::ed25519);
}

TEST(IdToken, OfNoOtherAlgorithmIs) {
    for (const auto* alg : {"none", "None", "NONE", "", "HS256", "HS512", "RS384", "RS512", "PS512", "ES384", "ES256K",
                            "Ed448", "rs256", "RSA-OAEP"}) {
        const auto text =
            keys().ec.token("ES256", "{\"alg\":\"" + std::string{alg} + "\",\"kid\":\"ES256\"}", payload());
        EXPECT_THAT(refusal(text), HasSubstr("not signed by")) << alg;
    }
    const auto unsigned_one = base::to_base64url(R"({"alg":"none"})") + "." + base::to_base64url(payload()) + ".";
    EXPECT_THAT(refusal(unsigned_one), HasSubstr("not signed by"));
}

// The classic: everybody has the public key, so everybody could make that HMAC.
TEST(IdToken, ThatTakesThePublicKeyForASharedSecretIsNot) {
    const auto jwk = keys().rsa.jwk("RS256");
    for (const auto* alg : {"HS256", "RS256"}) {
        const auto text = base::to_base64url("{\"alg\":\"" + std::string{alg} + "\",\"kid\":\"RS256\"}") + "." +
                          base::to_base64url(payload());
        const auto mac = crypto::hmac_sha256(jwk, text);
        EXPECT_NE(refusal(text + "." + base::to_base64url(base::as_view(mac))), "") << alg;
    }
}

TEST(IdToken, IsVerifiedByAKeyOfItsAlgorithmsKindAlone) {
    const auto named = [](const char* alg, const char* kid) {
        return "{\"alg\":\"" + std::string{alg} + "\",\"kid\":\"" + kid + "\"}";
    };
    for (const auto* alg : {"RS256", "PS256", "ES256", "EdDSA"}) {
        for (const auto* kid : {"RS256", "PS256", "ES256", "EdDSA"}) {
            const auto text = keys().of(kid).token(kid, named(alg, kid), payload());
            EXPECT_EQ(refusal(text).empty(), std::string_view{alg} == kid) << alg << " by the key " << kid;
        }
    }
}

TEST(IdToken, SignedBySomebodyElseIsNotBelieved) {
    EXPECT_THAT(refusal(token_maker::ec().token("ES256", payload())), HasSubstr("signature"));
    EXPECT_THAT(refusal(token_maker::rsa().token("RS256", payload())), HasSubstr("signature"));
    EXPECT_THAT(refusal(token_maker::ed25519().token("EdDSA", payload())), HasSubstr("signature"));
}

TEST(IdToken, BentInAnyPlaceIsNotBelieved) {
    for (const auto* alg : {"RS256", "PS256", "ES256", "EdDSA"}) {
        const auto good = keys().of(alg).token(alg, payload());
        for (std::size_t i = 0; i < good.size(); i += 7) {
            auto bent = good;
            bent[i] = bent[i] == 'A' ? 'B' : 'A';
            if (bent != good) {
                EXPECT_NE(refusal(bent), "") << alg << ", at " << i;
            }
        }
        EXPECT_NE(refusal(good.substr(0, good.rfind('.') + 1)), "") << alg << ", without its signature";
        EXPECT_NE(refusal(good + "AAAA"), "") << alg;
        EXPECT_NE(refusal(good + "="), "") << alg;
    }
}

TEST(IdToken, BringsNoKeyOfItsOwn) {
    const auto evil = token_maker::ec();
    for (const auto& more : {R"("jwk":)" + evil.jwk("ES256"), std::string{R"("jku":"https://evil.example/keys")"},
                             std::string{R"("x5u":"https://evil.example/cert")"}, std::string{R"("x5c":["MIIB"])"},
                             std::string{R"("crit":["exp"])"}, std::string{R"("b64":false)"}}) {
        const auto header = R"({"alg":"ES256","kid":"ES256",)" + more + "}";
        EXPECT_THAT(refusal(evil.token("ES256", header, payload())), HasSubstr("never taken")) << more;
        EXPECT_THAT(refusal(keys().ec.token("ES256", header, payload())), HasSubstr("never taken"))
            << more << ", though the provider signed it";
    }
}

TEST(IdToken, OfAnotherTypeIsNone) {
    for (const auto* type : {R"("at+jwt")", R"("logout+jwt")", R"("JWE")", "7", "null"}) {
        const auto header = R"({"alg":"ES256","kid":"ES256","typ":)" + std::string{type} + "}";
        EXPECT_THAT(refusal(keys().ec.token("ES256", header, payload())), HasSubstr("typ")) << type;
    }
    EXPECT_EQ(refusal(keys().ec.token("ES256", R"({"typ":"JWT","alg":"ES256","kid":"ES256"})", payload())), "");
}

TEST(IdToken, IsSignedWithAKeyThatIsPublishedUnderItsName) {
    const auto by = [](const std::string& kid) {
        return keys().ec.token("ES256", R"({"alg":"ES256")" + kid + "}", payload());
    };
    EXPECT_THAT(refusal(by(R"(,"kid":"of-yesterday")")), HasSubstr("kid"));
    EXPECT_THAT(refusal(by(R"(,"kid":"")")), HasSubstr("kid"));
    EXPECT_THAT(refusal(by(R"(,"kid":7)")), HasSubstr("kid"));
    EXPECT_THAT(refusal(by(R"(,"kid":")" + std::string(300, 'k') + "\"")), HasSubstr("kid"));
    EXPECT_EQ(refusal(by("")), "") << "one key alone fits: no name is needed";
    const auto two = read_key_set("{\"keys\":[" + keys().ec.jwk("one") + "," + token_maker::ec().jwk("two") + "]}");
    EXPECT_THAT(refusal(by(""), expected(), two.value()), HasSubstr("kid")) << "which of the two?";
    EXPECT_EQ(refusal(by(R"(,"kid":"one")"), expected(), two.value()), "");
    const auto same = read_key_set("{\"keys\":[" + keys().ec.jwk("one") + "," + token_maker::ec().jwk("one") + "]}");
    EXPECT_THAT(refusal(by(R"(,"kid":"one")"), expected(), same.value()), HasSubstr("kid"));
}

TEST(IdToken, IsOfTheIssuer) {
    for (const auto* iss : {R"("https://login.example.com/")", R"("https://evil.example")", R"("")", "7", ""}) {
        EXPECT_THAT(refusal_of({{"iss", iss}}), HasSubstr("issuer")) << iss;
    }
}

TEST(IdToken, IsForThisClient) {
    using row = std::map<std::string, std::string>;
    for (const auto& good : {row{{"aud", R"(["semel"])"}}, row{{"azp", R"("semel")"}},
                             row{{"aud", R"(["account","semel"])"}, {"azp", R"("semel")"}}}) {
        EXPECT_EQ(refusal_of(good), "");
    }
    for (const auto& bad :
         {row{{"aud", ""}}, row{{"aud", R"("another")"}}, row{{"aud", "[]"}}, row{{"aud", R"(["another"])"}},
          row{{"aud", R"(["semel",7])"}}, row{{"aud", "7"}}, row{{"aud", R"({"semel":1})"}},
          row{{"aud", R"(["semel","another"])"}}, row{{"azp", R"("another")"}}, row{{"azp", "null"}},
          row{{"aud", R"(["another","semel"])"}, {"azp", R"("another")"}}, row{{"aud", R"("semel ")"}}}) {
        EXPECT_THAT(refusal_of(bad), HasSubstr("another client")) << payload(bad);
    }
}

TEST(IdToken, HoldsFromItsBeginningToItsEndWithinTheSkewOfClocks) {
    using row = std::map<std::string, std::string>;
    for (const auto& good : {row{{"exp", seconds(-59)}}, row{{"iat", seconds(60)}}, row{{"iat", seconds(-600)}},
                             row{{"nbf", seconds(60)}}, row{{"exp", seconds(10) + ".5"}}}) {
        EXPECT_EQ(refusal_of(good), "") << payload(good);
    }
    EXPECT_THAT(refusal_of({{"exp", seconds(-60)}}), HasSubstr("expired"));
    EXPECT_THAT(refusal_of({{"exp", seconds(-86'400)}}), HasSubstr("expired"));
    EXPECT_THAT(refusal_of({{"iat", seconds(61)}}), HasSubstr("future"));
    EXPECT_THAT(refusal_of({{"nbf", seconds(61)}}), HasSubstr("future"));
    EXPECT_THAT(refusal_of({{"iat", seconds(-661)}}), HasSubstr("too long ago"));
    for (const auto* claim : {"exp", "iat", "nbf"}) {
        for (const auto* value : {R"("1790000300")", "-1", "1e400", "9e18", "true", "null", "[]"}) {
            EXPECT_NE(refusal_of({{claim, value}}), "") << claim << ' ' << value;
        }
    }
    EXPECT_NE(refusal_of({{"exp", ""}}), "");
    EXPECT_NE(refusal_of({{"iat", ""}}), "");
}

TEST(IdToken, IsOfThisSignIn) {
    for (const auto* value : {"", R"("")", R"("another")", "7", R"("the-nonce-of-this-attempt ")"}) {
        EXPECT_THAT(refusal_of({{"nonce", value}}), HasSubstr("nonce")) << value;
    }
    auto without = expected();
    without.nonce = "";
    EXPECT_THAT(refusal_of({{"nonce", R"("")"}}, without), HasSubstr("nonce"));
}

TEST(IdToken, SaysWhoItIs) {
    for (const std::string& value :
         {std::string{}, std::string{R"("")"}, std::string{"7"}, std::string{R"("a\u0000b")"},
          std::string{R"("\u00e9")"}, "\"" + std::string(256, 's') + "\""}) {
        EXPECT_THAT(refusal_of({{"sub", value}}), HasSubstr("who it is")) << value;
    }
}

TEST(IdToken, SaysThatThePersonSignedInAnewWhereThatWasAskedFor) {
    auto fresh = expected();
    fresh.fresh_since = now - 30s;
    EXPECT_EQ(refusal_of({}, fresh), "");
    EXPECT_EQ(refusal_of({{"auth_time", seconds(-90)}}, fresh), "") << "within the skew";
    EXPECT_THAT(refusal_of({{"auth_time", seconds(-91)}}, fresh), HasSubstr("earlier sign-in"));
    EXPECT_THAT(refusal_of({{"auth_time", ""}}, fresh), HasSubstr("auth_time"));
    EXPECT_THAT(refusal_of({{"auth_time", seconds(61)}}, fresh), HasSubstr("auth_time"));
    EXPECT_THAT(refusal_of({{"auth_time", R"("now")"}}, fresh), HasSubstr("auth_time"));
    EXPECT_EQ(refusal_of({{"auth_time", ""}}), "") << "not asked for";
    EXPECT_THAT(refusal_of({{"auth_time", seconds(61)}}), HasSubstr("auth_time"));
}

TEST(IdToken, HasEachMemberOnce) {
    const auto twice = [](const std::string& header, const std::string& claims) {
        return refusal(keys().ec.token("ES256", header, claims));
    };
    const std::string head = R"({"alg":"ES256","kid":"ES256"})";
    auto claims = payload();
    claims.insert(1, R"("sub":"somebody-else",)");
    EXPECT_THAT(twice(head, claims), HasSubstr("twice"));
    EXPECT_THAT(twice(R"({"alg":"none","kid":"ES256","alg":"ES256"})", payload()), HasSubstr("twice"));
    EXPECT_THAT(twice(R"({"\u0061lg":"none","kid":"ES256","alg":"ES256"})", payload()), HasSubstr("twice"))
        << "in another spelling";
    EXPECT_THAT(twice(head, payload({{"groups", R"([{"a":1,"a":2}])"}})), HasSubstr("twice")) << "at any depth";
    EXPECT_EQ(twice(head, payload({{"groups", R"([{"a":1},{"a":2}])"}})), "");
}

TEST(IdToken, IsThreePartsOfBase64AndNoMoreThanItMayBe) {
    const auto good = keys().ec.token("ES256", payload());
    for (const auto& text : {std::string{}, std::string{"."}, std::string{".."}, std::string{"a.b"}, good + ".",
                             "." + good, good + ".a.b", good + "\n", " " + good, std::string(70'000, 'A') + good}) {
        EXPECT_NE(refusal(text), "") << text.substr(0, 30);
    }
    const auto big = payload({{"groups", "\"" + std::string(70'000, 'g') + "\""}});
    EXPECT_THAT(refusal(keys().ec.token("ES256", big)), HasSubstr("bytes"));
    EXPECT_NE(refusal(keys().ec.token("ES256", "[]")), "");
    EXPECT_NE(refusal(keys().ec.token("ES256", payload() + "{}")), "");
    EXPECT_NE(refusal(keys().ec.token("ES256", payload({{"groups", std::string(100, '[')}}))), "");
}

TEST(IdToken, IsFoundInTheProvidersAnswer) {
    EXPECT_EQ(read_token_answer(200, R"({"access_token":"x","id_token":"a.b.c"})").value(), "a.b.c");
    using kind = base::fault::kind;
    const auto what = [](unsigned status, const std::string& body) {
        const auto got = read_token_answer(status, body);
        return got ? std::optional<kind>{} : got.error().what();
    };
    EXPECT_EQ(what(400, R"({"error":"invalid_grant"})"), kind::permanent);
    EXPECT_EQ(what(401, R"({"error":"invalid_client"})"), kind::broken);
    EXPECT_EQ(what(400, R"({"error":"unauthorized_client"})"), kind::broken);
    EXPECT_EQ(what(503, "<html>"), kind::transient);
    EXPECT_EQ(what(200, "{}"), kind::transient);
    EXPECT_EQ(what(200, R"({"id_token":7})"), kind::transient);
    EXPECT_EQ(what(200, R"({"id_token":"a","id_token":"b"})"), kind::transient);
    EXPECT_EQ(what(302, R"({"id_token":"a.b.c"})"), kind::transient);
    EXPECT_EQ(what(200, "{\"id_token\":\"" + std::string(200'000, 'a') + "\"}"), kind::transient);
    EXPECT_THAT(read_token_answer(500, "{\"error\":\"a\\nb\"}").error().why(), testing::Not(HasSubstr("\n")));
}

std::size_t keys_in(const std::string& list) {
    const auto read = read_key_set("{\"keys\":[" + list + "]}");
    return read ? read->keys.size() : 0;
}

TEST(KeySet, LeavesOutWhatSignsNothingHere) {
    EXPECT_EQ(published().keys.size(), 4U);
    const auto ec = keys().ec.jwk("a");
    for (const auto& other :
         {std::string{R"({"kty":"oct","kid":"b","k":"AAAA"})"}, keys().rsa.jwk("b", R"(,"use":"enc")"),
          keys().rsa.jwk("b", R"(,"alg":"RSA-OAEP")"), keys().rsa.jwk("b", R"(,"alg":"HS256")"),
          keys().rsa.jwk("b", R"(,"alg":"ES256")"), keys().rsa.jwk("b", R"(,"key_ops":["encrypt"])"),
          keys().rsa.jwk("b", R"(,"key_ops":"verify")"), keys().rsa.jwk(""), keys().rsa.jwk(std::string(300, 'k')),
          token_maker::rsa(1'024).jwk("b"), std::string{"{}"}, std::string{R"({"kty":"RSA","kid":"b","n":"AQAB"})"},
          std::string{R"({"kty":"OKP","crv":"Ed448","kid":"b","x":"AAAA"})"},
          std::string{R"({"kty":"OKP","crv":"Ed25519","kid":"b","x":"AAAA"})"},
          std::string{R"({"kty":"EC","crv":"P-384","kid":"b","x":"AAAA","y":"AAAA"})"}}) {
        EXPECT_EQ(keys_in(ec + "," + other), 1U) << other;
    }
}

TEST(KeySet, HasNoPointOffTheCurve) {
    const std::string zero = base::to_base64url(std::string(32, '\0'));
    const auto one = base::to_base64url(std::string(31, '\0') + "\x01");
    for (const auto& [x, y] : {std::pair{zero, zero}, std::pair{one, one}, std::pair{one, zero}}) {
        EXPECT_EQ(keys_in(R"({"kty":"EC","crv":"P-256","kid":"a","x":")" + x + R"(","y":")" + y + "\"}"), 0U);
    }
}

TEST(KeySet, HasNoRsaKeyThatAnybodyCouldSignWith) {
    const auto n = [](int bytes) { return base::to_base64url(std::string(static_cast<std::size_t>(bytes), '\xff')); };
    const auto key = [](const std::string& modulus, const std::string& exponent) {
        return keys_in(R"({"kty":"RSA","kid":"a","n":")" + modulus + R"(","e":")" + base::to_base64url(exponent) +
                       "\"}");
    };
    EXPECT_EQ(key(n(256), std::string{"\x01\x00\x01", 3}), 1U) << "the form is right";
    EXPECT_EQ(key(n(256), std::string{"\x01"}), 0U) << "a signature would be the message";
    EXPECT_EQ(key(n(256), std::string{"\x02"}), 0U);
    EXPECT_EQ(key(n(256), std::string(32, '\xff')), 0U);
    EXPECT_EQ(key(n(2'000), "\x01\x01"), 0U) << "minutes for each signature";
    EXPECT_EQ(key("", "\x01\x01"), 0U);
}

TEST(KeySet, IsRefusedWholeWhereItIsNone) {
    for (const auto& text :
         {std::string{}, std::string{"[]"}, std::string{"{}"}, std::string{R"({"keys":{}})"},
          std::string{R"({"keys":[]})"}, std::string{R"({"keys":[7]})"},
          R"({"keys":[)" + keys().ec.jwk("a") + R"(],"keys":[]})",
          R"({"keys":[)" + keys().ec.jwk("a", R"(,"x":"AAAA")") + "]}",
          R"({"keys":[)" + keys().ec.jwk("a") + R"(],"more":")" + std::string(300'000, 'x') + "\"}"}) {
        EXPECT_FALSE(read_key_set(text)) << text.substr(0, 60);
    }
    std::string many = keys().ec.jwk("a");
    for (int i = 0; i < 100; ++i) {
        many += ",{}";
    }
    EXPECT_EQ(keys_in(many), 0U);
}

} // namespace
} // namespace semel::api::oidc
