#include <http/json.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <push/core/apns.hpp>
#include <push/core/fcm.hpp>
#include <push/core/oauth.hpp>
#include <push/core/provider_token.hpp>

namespace semel::push {
namespace {

using namespace std::chrono_literals;
using delivery::verdict;
using kind = verdict::kind;
using base::fault;

const base::timestamp noon = *base::from_rfc3339("2026-11-24T12:00:00Z");

std::string pem_of(EVP_PKEY* key) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(out, &data);
    std::string pem{data, static_cast<std::size_t>(size)};
    BIO_free(out);
    EVP_PKEY_free(key);
    return pem;
}
std::string ec_pem() {
    return pem_of(EVP_EC_gen("P-256"));
}
std::string rsa_pem() {
    return pem_of(EVP_RSA_gen(2048));
}

delivery::outbound a_message() {
    delivery::outbound m;
    base::byte_array<32> id{};
    for (std::size_t i = 0; i < id.size(); ++i) {
        id[i] = static_cast<std::uint8_t>(0xf0 + i);
    }
    m.notification = base::notification_id{id};
    m.address = std::string(64, 'a');
    m.transport = "apns";
    m.parts = {R"({"aps":{"alert":"x"}})"};
    m.planned_at = noon;
    m.give_up = noon + 72h;
    return m;
}

http2::response answer(int status, std::string body = {}, bool complete = true) {
    http2::response r;
    r.status = status;
    r.body = std::move(body);
    r.complete = complete;
    return r;
}

std::string header(const http2::request& r, std::string_view name) {
    for (const auto& h : r.headers) {
        if (h.name == name) {
            return h.value;
        }
    }
    return "(none)";
}

// ---- APNs

TEST(ApnsRequest, IsTheSameForEveryAttempt) {
    auto m = a_message();
    const auto first = apns::request_for(m, "api.push.apple.com", "com.example.app", "TOKEN");
    m.attempt = 2;
    const auto second = apns::request_for(m, "api.push.apple.com", "com.example.app", "TOKEN");
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_EQ(first->path, "/3/device/" + std::string(64, 'a'));
    EXPECT_EQ(header(*first, "apns-id"), header(*second, "apns-id"));
    EXPECT_EQ(header(*first, "apns-collapse-id"), base::to_hex(m.notification));
    EXPECT_EQ(header(*first, "apns-collapse-id").size(), 64U);  // the most that Apple takes
    EXPECT_EQ(header(*first, "apns-expiration"), "1795780800"); // 2026-11-27T12:00:00Z
    EXPECT_EQ(header(*first, "apns-priority"), "10");
    EXPECT_EQ(header(*first, "apns-push-type"), "alert");
    EXPECT_EQ(header(*first, "apns-topic"), "com.example.app");
    EXPECT_EQ(header(*first, "authorization"), "bearer TOKEN");
    EXPECT_EQ(first->body, m.parts[0]);
}

TEST(ApnsRequest, IdIsAUuidOfVersion8) {
    EXPECT_EQ(apns::apns_id(a_message().notification), "f0f1f2f3-f4f5-86f7-b8f9-fafbfcfdfeff");
}

TEST(ApnsRequest, RefusesWhatIsNoDeviceToken) {
    auto m = a_message();
    for (const auto* bad : {"", "abc", "zz", "../../etc", "aa/bb", "aa?b", "\xff\xff"}) {
        m.address = bad;
        const auto r = apns::request_for(m, "h", "t", "j");
        ASSERT_FALSE(r) << bad;
        EXPECT_EQ(r.error().what(), fault::kind::permanent);
    }
    m.address = std::string(202, 'a');
    EXPECT_FALSE(apns::request_for(m, "h", "t", "j"));
}

TEST(ApnsRequest, WithoutAnEndWaitsForThirtyDays) {
    auto m = a_message();
    m.give_up.reset();
    EXPECT_EQ(header(*apns::request_for(m, "h", "t", "j"), "apns-expiration"), "1798113600");
}

struct apns_case {
    int status;
    const char* reason;
    kind what;
};

class ApnsAnswer : public ::testing::TestWithParam<apns_case> {};

TEST_P(ApnsAnswer, MeansWhatAppleSays) {
    const auto& [status, reason, what] = GetParam();
    const auto judged = apns::judge(answer(status, fmt::format(R"({{"reason":"{}"}})", reason)), "sent-id");
    EXPECT_EQ(judged.verdict.what, what);
    EXPECT_EQ(judged.verdict.code, fmt::format("{} {}", status, reason));
    EXPECT_FALSE(judged.verdict.text.empty());
    EXPECT_EQ(judged.token_refused, std::string_view{reason} == "ExpiredProviderToken");
}

INSTANTIATE_TEST_SUITE_P(
    Table, ApnsAnswer,
    ::testing::Values(
        apns_case{400, "BadDeviceToken", kind::ambiguous}, apns_case{400, "DeviceTokenNotForTopic", kind::ambiguous},
        apns_case{400, "MissingDeviceToken", kind::permanent}, apns_case{400, "BadCollapseId", kind::ambiguous},
        apns_case{400, "BadExpirationDate", kind::ambiguous}, apns_case{400, "BadMessageId", kind::ambiguous},
        apns_case{400, "BadPriority", kind::ambiguous}, apns_case{400, "BadTopic", kind::ambiguous},
        apns_case{400, "MissingTopic", kind::ambiguous}, apns_case{400, "DuplicateHeaders", kind::ambiguous},
        apns_case{400, "InvalidPushType", kind::ambiguous}, apns_case{400, "PayloadEmpty", kind::ambiguous},
        apns_case{400, "TopicDisallowed", kind::ambiguous}, apns_case{400, "SomethingNew", kind::ambiguous},
        apns_case{400, "IdleTimeout", kind::transient}, apns_case{403, "ExpiredProviderToken", kind::transient},
        apns_case{403, "InvalidProviderToken", kind::lane_stop},
        apns_case{403, "MissingProviderToken", kind::lane_stop}, apns_case{403, "BadCertificate", kind::lane_stop},
        apns_case{403, "BadCertificateEnvironment", kind::lane_stop}, apns_case{403, "Forbidden", kind::ambiguous},
        apns_case{403, "UnrelatedKeyIdInToken", kind::lane_stop},
        apns_case{403, "BadEnvironmentKeyIdInToken", kind::lane_stop},
        apns_case{403, "BadEnvironmentKeyInToken", kind::lane_stop}, apns_case{404, "BadPath", kind::ambiguous},
        apns_case{405, "MethodNotAllowed", kind::ambiguous}, apns_case{410, "Unregistered", kind::permanent},
        apns_case{410, "ExpiredToken", kind::permanent}, apns_case{413, "PayloadTooLarge", kind::permanent},
        apns_case{429, "TooManyRequests", kind::throttled},
        apns_case{429, "TooManyProviderTokenUpdates", kind::throttled},
        apns_case{500, "InternalServerError", kind::unknown}, apns_case{503, "ServiceUnavailable", kind::transient},
        apns_case{503, "Shutdown", kind::transient}));

TEST(ApnsVerdict, TooManyMessagesToOneDeviceConcernItAlone) {
    const auto v = apns::judge(answer(429, R"({"reason":"TooManyRequests"})"), "").verdict;
    EXPECT_EQ(v.concerns, delivery::verdict::reach::message);
    EXPECT_EQ(v.retry_after, 1min);
    EXPECT_EQ(apns::judge(answer(429, R"({"reason":"TooManyProviderTokenUpdates"})"), "").verdict.concerns,
              delivery::verdict::reach::lane);
}

TEST(ApnsVerdict, AcceptsWithTheProvidersId) {
    auto r = answer(200);
    EXPECT_EQ(apns::judge(r, "sent-id").verdict.message_id, "sent-id");
    r.headers = {{"apns-id", "their-id"}};
    r.complete = false; // a 200 whose end was cut off is a 200
    const auto v = apns::judge(r, "sent-id").verdict;
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.message_id, "their-id");
    EXPECT_EQ(v.code, "200");
}

TEST(ApnsVerdict, AReasonWithoutARowIsItsStatus) {
    const std::pair<int, kind> table[] = {{400, kind::ambiguous}, {403, kind::ambiguous}, {404, kind::ambiguous},
                                          {408, kind::transient}, {410, kind::permanent}, {413, kind::permanent},
                                          {421, kind::transient}, {429, kind::transient}, {500, kind::unknown},
                                          {502, kind::unknown},   {503, kind::transient}, {302, kind::ambiguous}};
    for (const auto& [status, what] : table) {
        EXPECT_EQ(apns::judge(answer(status, R"({"reason":"SomethingNew"})"), "").verdict.what, what) << status;
    }
}

TEST(ApnsVerdict, AnAnswerWhoseReasonWasCutStopsNothing) {
    EXPECT_EQ(apns::judge(answer(400, R"({"reason":"Bad)", false), "").verdict.what, kind::transient);
    EXPECT_EQ(apns::judge(answer(403, "", false), "").verdict.what, kind::transient);
    EXPECT_EQ(apns::judge(answer(410, "", false), "").verdict.what, kind::permanent);
    EXPECT_EQ(apns::judge(answer(500, "", false), "").verdict.what, kind::unknown);
    EXPECT_EQ(apns::judge(answer(503, "", false), "").verdict.what, kind::transient);
}

TEST(ApnsVerdict, HostileBodiesAreOnlyAStatus) {
    std::string deep;
    for (int i = 0; i < 10'000; ++i) {
        deep += R"({"reason":)";
    }
    for (const std::string& body :
         {std::string{"not json"}, std::string{"[]"}, std::string{"null"}, std::string{R"({"reason":5})"},
          std::string{R"({"reason":{"a":1}})"}, deep, std::string(64 * 1024, '['), std::string{"\xff\xfe"},
          std::string{R"({"reason":"<script>alert(1)</script>"})"},
          R"({"reason":")" + std::string(5000, 'A') + "\"}"}) {
        const auto v = apns::judge(answer(429, body), "").verdict;
        EXPECT_EQ(v.what, kind::transient);
        EXPECT_EQ(v.code, "429");
    }
}

TEST(ApnsVerdict, WaitsAsLongAsAppleAsks) {
    auto r = answer(503, R"({"reason":"ServiceUnavailable"})");
    EXPECT_FALSE(apns::judge(r, "").verdict.retry_after);
    r.headers = {{"retry-after", "900"}};
    EXPECT_EQ(apns::judge(r, "").verdict.retry_after, 900s);
    r.headers = {{"retry-after", "99999999999"}};
    EXPECT_EQ(apns::judge(r, "").verdict.retry_after, 1h);
    for (const auto* bad : {"-1", "1.5", "soon", "9999999999999999999999", "Tue, 24 Nov 2026 12:00:00 GMT"}) {
        r.headers = {{"retry-after", bad}};
        EXPECT_FALSE(apns::judge(r, "").verdict.retry_after) << bad;
    }
}

TEST(Failure, IsTransientOnlyWhenCertain) {
    using enum http2::failure::certainty;
    EXPECT_EQ(judge(http2::failure{not_processed, "x"}).what, kind::transient);
    EXPECT_EQ(judge(http2::failure{unknown, "x"}).what, kind::unknown);
}

// ---- FCM

std::string fcm_body(std::string_view status, std::string_view error_code = {}, std::string_view field = {}) {
    json::array details;
    if (!error_code.empty()) {
        details.push_back(json::object{{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"},
                                       {"errorCode", std::string{error_code}}});
    }
    if (!field.empty()) {
        details.push_back(json::object{{"@type", "type.googleapis.com/google.rpc.BadRequest"},
                                       {"fieldViolations", json::array{json::object{{"field", std::string{field}}}}}});
    }
    return json::serialize(json::object{
        {"error",
         json::object{{"code", 400}, {"status", std::string{status}}, {"message", "m"}, {"details", details}}}});
}

struct fcm_case {
    int status;
    std::string body;
    kind what;
    std::string code;
    bool token_refused = false;
};

class FcmAnswer : public ::testing::TestWithParam<fcm_case> {};

TEST_P(FcmAnswer, MeansWhatGoogleSays) {
    const auto& c = GetParam();
    const auto judged = fcm::judge(answer(c.status, c.body));
    EXPECT_EQ(judged.verdict.what, c.what);
    EXPECT_EQ(judged.verdict.code, c.code);
    EXPECT_EQ(judged.token_refused, c.token_refused);
}

INSTANTIATE_TEST_SUITE_P(
    Table, FcmAnswer,
    ::testing::Values(
        fcm_case{404, fcm_body("NOT_FOUND", "UNREGISTERED"), kind::permanent, "404 UNREGISTERED"},
        fcm_case{404, fcm_body("NOT_FOUND"), kind::ambiguous, "404 NOT_FOUND"}, // the project, not the device
        fcm_case{400, fcm_body("INVALID_ARGUMENT", "INVALID_ARGUMENT"), kind::ambiguous, "400 INVALID_ARGUMENT"},
        fcm_case{400, fcm_body("INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token"), kind::ambiguous,
                 "400 INVALID_ARGUMENT"},
        fcm_case{400, fcm_body("INVALID_ARGUMENT", "", "message.android.ttl"), kind::ambiguous, "400 INVALID_ARGUMENT"},
        fcm_case{400, fcm_body("INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.data"), kind::ambiguous,
                 "400 INVALID_ARGUMENT"},
        fcm_case{400, fcm_body("INVALID_ARGUMENT"), kind::ambiguous, "400 INVALID_ARGUMENT"},
        fcm_case{403, fcm_body("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), kind::ambiguous, "403 SENDER_ID_MISMATCH"},
        fcm_case{403, fcm_body("PERMISSION_DENIED"), kind::ambiguous, "403 PERMISSION_DENIED"},
        fcm_case{401, fcm_body("UNAUTHENTICATED"), kind::transient, "401 UNAUTHENTICATED", true},
        fcm_case{401, "", kind::transient, "401", true},
        fcm_case{401, fcm_body("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), kind::ambiguous,
                 "401 THIRD_PARTY_AUTH_ERROR"},
        fcm_case{429, fcm_body("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), kind::throttled, "429 QUOTA_EXCEEDED"},
        fcm_case{429, "", kind::throttled, "429"},
        fcm_case{503, fcm_body("UNAVAILABLE", "UNAVAILABLE"), kind::transient, "503 UNAVAILABLE"},
        fcm_case{503, "<html>", kind::transient, "503"},
        fcm_case{500, fcm_body("INTERNAL", "INTERNAL"), kind::unknown, "500 INTERNAL"},
        fcm_case{502, "<html>", kind::unknown, "502"}, fcm_case{504, "", kind::unknown, "504"},
        fcm_case{429, fcm_body("RESOURCE_EXHAUSTED"), kind::throttled, "429 RESOURCE_EXHAUSTED"},
        fcm_case{400, fcm_body("FAILED_PRECONDITION"), kind::ambiguous,
                 "400 FAILED_PRECONDITION"}, // no row: the status
        fcm_case{413, "", kind::permanent, "413"}, fcm_case{408, "", kind::transient, "408"},
        fcm_case{302, "", kind::ambiguous, "302"}));

TEST(FcmVerdict, SaysWhetherATokenOrThePayloadIsRefused) {
    const auto text = [](std::string_view code, std::string_view field) {
        return fcm::judge(answer(400, fcm_body("INVALID_ARGUMENT", code, field))).verdict.text;
    };
    EXPECT_THAT(text("INVALID_ARGUMENT", "message.token"), ::testing::HasSubstr("token"));
    EXPECT_THAT(text("INVALID_ARGUMENT", "message.data"), ::testing::HasSubstr("payload"));
}

TEST(FcmVerdict, AcceptsWithTheMessagesName) {
    const auto v = fcm::judge(answer(200, R"({"name":"projects/p/messages/0:1"})")).verdict;
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.message_id, "projects/p/messages/0:1");
}

TEST(FcmVerdict, AnUnreadable200IsStillAccepted) {
    for (const auto* body : {"", "{", "[]", R"({"name":1})", "\xff"}) {
        EXPECT_EQ(fcm::judge(answer(200, body)).verdict.what, kind::accepted) << body;
    }
    EXPECT_EQ(fcm::judge(answer(200, R"({"na)", false)).verdict.what, kind::accepted);
}

TEST(FcmVerdict, AQuotaWithoutAPauseWaitsAMinute) {
    auto r = answer(429, fcm_body("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"));
    EXPECT_EQ(fcm::judge(r).verdict.retry_after, 60s);
    EXPECT_EQ(fcm::judge(r).verdict.concerns, delivery::verdict::reach::session) << "perhaps one device's quota";
    r.headers = {{"retry-after", "7"}};
    EXPECT_EQ(fcm::judge(r).verdict.retry_after, 7s);
    EXPECT_EQ(fcm::judge(r).verdict.concerns, delivery::verdict::reach::lane);
}

TEST(FcmVerdict, OddErrorsAreOnlyAStatus) {
    for (const auto* body :
         {"", "[]", R"({"error":1})", R"({"error":{"details":{}}})", R"({"error":{"details":[1,null]}})",
          R"({"error":{"status":"<b>"}})",
          R"({"error":{"details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[7]}]}})"}) {
        const auto v = fcm::judge(answer(503, body)).verdict;
        EXPECT_EQ(v.what, kind::transient) << body;
        EXPECT_EQ(v.code, "503") << body;
    }
}

TEST(FcmVerdict, NeverRepeatsTheProvidersProse) {
    auto body = fcm_body("NOT_FOUND", "UNREGISTERED");
    body.replace(body.find("\"m\""), 3, "\"token abc of kim@example.com\"");
    const auto v = fcm::judge(answer(404, body)).verdict;
    EXPECT_THAT(v.text, ::testing::Not(::testing::HasSubstr("example.com")));
}

TEST(FcmRequest, GoesToTheProject) {
    const auto r = fcm::request_for(a_message(), "fcm.googleapis.com", "shop-1", "ya29.x");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->path, "/v1/projects/shop-1/messages:send");
    EXPECT_EQ(header(*r, "authorization"), "Bearer ya29.x");
    EXPECT_EQ(header(*r, "content-type"), "application/json");
}

// ---- tokens

TEST(ProviderToken, IsReusedFor45Minutes) {
    provider_token t{*crypto::private_key::from_pem(ec_pem()), "KEY0000001", "TEAM000001"};
    const auto first = t.at(noon);
    ASSERT_TRUE(first);
    EXPECT_EQ(*t.at(noon + 44min), *first);
    const auto second = t.at(noon + 45min);
    EXPECT_NE(*second, *first);
    EXPECT_EQ(*t.at(noon + 60min), *second);
}

TEST(ProviderToken, SaysWhoAndWhen) {
    provider_token t{*crypto::private_key::from_pem(ec_pem()), "KEY0000001", "TEAM000001"};
    const auto token = *t.at(noon);
    const auto dot = token.find('.');
    const auto last = token.rfind('.');
    const auto head = json::read(*base::from_base64url(token.substr(0, dot)));
    const auto claims = json::read(*base::from_base64url(token.substr(dot + 1, last - dot - 1)));
    EXPECT_EQ(head->at("alg"), "ES256");
    EXPECT_EQ(head->at("kid"), "KEY0000001");
    EXPECT_EQ(claims->at("iss"), "TEAM000001");
    EXPECT_EQ(claims->at("iat").as_int64(), 1795521600);
    EXPECT_EQ(base::from_base64url(token.substr(last + 1))->size(), 64U); // raw R || S
}

TEST(ProviderToken, AClockSetBackMakesANewOne) {
    provider_token t{*crypto::private_key::from_pem(ec_pem()), "K", "T"};
    const auto first = *t.at(noon);
    EXPECT_EQ(*t.at(noon - 30s), first);
    const auto second = *t.at(noon - 5 * 24h);
    EXPECT_NE(second, first);
    EXPECT_EQ(*t.at(noon - 5 * 24h + 1min), second);
}

TEST(ProviderToken, ARefusalRenewsAtMostEvery20Minutes) {
    provider_token t{*crypto::private_key::from_pem(ec_pem()), "K", "T"};
    const auto first = *t.at(noon);
    EXPECT_FALSE(t.refused(first, noon + 19min));
    EXPECT_EQ(*t.at(noon + 19min), first);
    EXPECT_TRUE(t.refused(first, noon + 20min));
    const auto second = *t.at(noon + 20min);
    EXPECT_NE(second, first);
    EXPECT_TRUE(t.refused(first, noon + 21min)); // an answer to a request from before
    EXPECT_EQ(*t.at(noon + 21min), second);
    EXPECT_FALSE(t.refused(second, noon + 22min));
}

TEST(ProviderToken, NeedsAnEllipticKey) {
    provider_token t{*crypto::private_key::from_pem(rsa_pem()), "K", "T"};
    EXPECT_EQ(t.at(noon).error().what(), fault::kind::broken);
}

std::string account_json(const std::string& key) {
    return json::serialize(json::object{{"type", "service_account"},
                                        {"project_id", "shop-1"},
                                        {"private_key_id", "kid-1"},
                                        {"private_key", key},
                                        {"client_email", "sender@shop-1.example.com"},
                                        {"token_uri", "https://oauth2.example.com/token"}});
}

TEST(ServiceAccount, IsReadAndChecked) {
    const auto pem = rsa_pem();
    const auto a = parse_service_account(account_json(pem));
    ASSERT_TRUE(a) << a.error().why();
    EXPECT_EQ(a->project_id, "shop-1");
    EXPECT_EQ(a->client_email, "sender@shop-1.example.com");
    EXPECT_FALSE(parse_service_account("[]"));
    EXPECT_THAT(parse_service_account(R"({"project_id":"p"})").error().why(), ::testing::HasSubstr("client_email"));
    EXPECT_FALSE(parse_service_account(account_json("no key")));
    auto odd = account_json(pem);
    odd.replace(odd.find("shop-1"), 6, "shop/1");
    EXPECT_FALSE(parse_service_account(odd));
}

TEST(TokenRequest, CarriesASignedAssertion) {
    const auto a = parse_service_account(account_json(rsa_pem()));
    const auto form = token_request(*a, noon);
    ASSERT_TRUE(form);
    const std::string start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    ASSERT_TRUE(form->starts_with(start));
    const auto jwt = form->substr(start.size());
    const auto dot = jwt.find('.');
    const auto claims = json::read(*base::from_base64url(jwt.substr(dot + 1, jwt.rfind('.') - dot - 1)));
    EXPECT_EQ(claims->at("iss"), "sender@shop-1.example.com");
    EXPECT_EQ(claims->at("aud"), "https://oauth2.example.com/token");
    EXPECT_EQ(claims->at("scope"), "https://www.googleapis.com/auth/firebase.messaging");
    EXPECT_EQ(claims->at("exp").as_int64() - claims->at("iat").as_int64(), 3600);
}

TEST(TokenAnswer, GivesATokenWithAnEnd) {
    const auto t =
        parse_token_answer(200, R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})", noon);
    ASSERT_TRUE(t);
    EXPECT_EQ(t->value, "ya29.x");
    EXPECT_EQ(t->expires, noon + 3599s);
}

TEST(TokenAnswer, RefusesWhatIsNoToken) {
    for (const auto* body : {"", "[]", R"({"access_token":"x"})", R"({"access_token":"","expires_in":1})",
                             R"({"access_token":"a b","expires_in":1})", R"({"access_token":"a\r\nb","expires_in":1})",
                             R"({"access_token":"x","expires_in":-1})", R"({"access_token":"x","expires_in":"9"})"}) {
        const auto t = parse_token_answer(200, body, noon);
        ASSERT_FALSE(t) << body;
        EXPECT_EQ(t.error().what(), fault::kind::transient);
    }
    EXPECT_EQ(parse_token_answer(400, R"({"error":"invalid_grant"})", noon).error().what(), fault::kind::broken);
    EXPECT_EQ(parse_token_answer(503, "", noon).error().what(), fault::kind::transient);
    EXPECT_EQ(parse_token_answer(429, "", noon).error().what(), fault::kind::transient);
}

TEST(Access, IsRenewedBeforeItsEnd) {
    access a;
    EXPECT_TRUE(a.wants_renewal(noon));
    EXPECT_EQ(a.at(noon), nullptr);
    a.renewed({.value = "x", .expires = noon + 60min}, noon);
    EXPECT_FALSE(a.wants_renewal(noon + 54min));
    EXPECT_TRUE(a.wants_renewal(noon + 55min));
    ASSERT_NE(a.at(noon + 59min), nullptr);
    EXPECT_EQ(a.at(noon + 60min), nullptr);
    a.renewed({.value = "short", .expires = noon + 2min}, noon);
    EXPECT_FALSE(a.wants_renewal(noon + 30s));
    EXPECT_TRUE(a.wants_renewal(noon + 1min));
    EXPECT_TRUE(a.wants_renewal(noon - 1h)); // the clock was set back
}

TEST(Access, ARefusedTokenIsReplacedOnce) {
    access a;
    a.renewed({.value = "one", .expires = noon + 60min}, noon);
    EXPECT_FALSE(a.refused("one", noon + 59s));
    EXPECT_TRUE(a.refused("one", noon + 2min));
    EXPECT_TRUE(a.wants_renewal(noon + 2min));
    a.renewed({.value = "two", .expires = noon + 62min}, noon + 2min);
    EXPECT_TRUE(a.refused("one", noon + 2min)); // an answer to a request from before
    EXPECT_NE(a.at(noon + 3min), nullptr);
    EXPECT_FALSE(a.refused("two", noon + 2min + 1s));
}

} // namespace
} // namespace semel::push
