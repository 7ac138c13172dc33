// Both gateways over real sockets and TLS, against a scripted HTTP/2 server.

#include <http/json.hpp>
#include <http2/testing/run.hpp>
#include <http2/testing/scripted_server.hpp>
#include <runtime/race.hpp>

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <push/edge/apns_gateway.hpp>
#include <push/edge/fcm_gateway.hpp>
#include <support/slowness.hpp>

#include <filesystem>
#include <fstream>

namespace semel::push {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using delivery::verdict;
using http2::testing::eventually;
using http2::testing::scripted_answer;
using http2::testing::scripted_server;
using http2::testing::seen_request;
using ::testing::HasSubstr;
using kind = verdict::kind;

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

delivery::outbound a_message(std::string transport, std::uint8_t number = 1) {
    delivery::outbound m;
    base::byte_array<32> id{};
    id[0] = number;
    m.notification = base::notification_id{id};
    m.transport = std::move(transport);
    m.address = std::string(64, 'a');
    m.parts = {R"({"aps":{"alert":"notice"}})"};
    m.planned_at = base::now();
    return m;
}

constexpr tuning quick{.answer = 5s, .drain = 2s, .first_pause = 2ms, .longest_pause = 20ms};

struct Gateway : ::testing::Test {
    asio::io_context io;
    scripted_server server{io.get_executor(), [](const seen_request&) { return scripted_answer{}; }};
    fs::path dir;

    Gateway() {
        std::string name = (fs::temp_directory_path() / "semel-push-XXXXXX").string();
        dir = ::mkdtemp(name.data());
    }
    ~Gateway() override { fs::remove_all(dir); }

    fs::path file(const std::string& name, const std::string& content) {
        std::ofstream{dir / name} << content;
        return dir / name;
    }
    std::unique_ptr<apns_gateway> an_apns(tuning t = quick, unsigned connections = 1, unsigned streams = 100) {
        config::apns link;
        link.endpoint = server.endpoint();
        link.ca = server.ca();
        link.team_id = "TEAM000001";
        link.key_id = "KEY0000001";
        link.topic = "com.example.app";
        link.key_file = file("key.p8", pem_of(EVP_EC_gen("P-256")));
        link.connections = connections;
        link.streams = streams;
        auto made =
            apns_gateway::make(io.get_executor(), {.name = "apns", .limit = {}, .domains = {}, .link = link}, t);
        EXPECT_TRUE(made) << made.error().why();
        return std::move(*made);
    }
    std::unique_ptr<fcm_gateway> an_fcm(tuning t = quick) {
        config::fcm link;
        link.endpoint = server.endpoint();
        link.ca = server.ca();
        link.token_endpoint = server.endpoint() + "/token";
        link.service_account = file("sa.json", json::serialize(json::object{
                                                   {"project_id", "shop-1"},
                                                   {"private_key", pem_of(EVP_RSA_gen(2048))},
                                                   {"client_email", "sender@shop-1.example.com"},
                                                   {"token_uri", "https://oauth2.example.com/token"},
                                               }));
        link.connections = 1;
        auto made = fcm_gateway::make(io.get_executor(), {.name = "fcm", .limit = {}, .domains = {}, .link = link}, t);
        EXPECT_TRUE(made) << made.error().why();
        return std::move(*made);
    }
    /// The story beside the running gateway.
    void tell(delivery::gateway& g, asio::awaitable<void> story) {
        http2::testing::run(io, runtime::race(g.run(), std::move(story)));
    }
};

asio::awaitable<verdict> send(delivery::gateway& g, const delivery::outbound& m) {
    auto staged = co_await g.stage(m, 5s);
    if (const auto* refused = std::get_if<delivery::refused>(&staged)) {
        co_return refused->why();
    }
    co_return co_await std::get<0>(staged)->release();
}

// ---- APNs

TEST_F(Gateway, ApnsSendsTheExactBytesAfterRelease) {
    server.answer_with([](const seen_request& r) {
        return scripted_answer{.status = 200, .headers = {{"apns-id", r.headers.at("apns-id")}}, .body = {}};
    });
    const auto g = an_apns();
    tell(*g, [](Gateway& t, delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        EXPECT_TRUE(g.serves(m));
        EXPECT_FALSE(g.serves(a_message("fcm")));
        auto staged = co_await g.stage(m, 5s);
        EXPECT_EQ(staged.index(), 0U);
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 1; }));
        EXPECT_TRUE(t.server.requests().empty());
        const auto v = co_await std::get<0>(staged)->release();
        EXPECT_EQ(v.what, kind::accepted);
        EXPECT_EQ(v.message_id, "01000000-0000-8000-8000-000000000000");
        const auto& seen = t.server.requests().at(0);
        EXPECT_EQ(seen.body, m.parts[0]);
        EXPECT_EQ(seen.headers.at(":path"), "/3/device/" + m.address);
        EXPECT_EQ(seen.headers.at("apns-topic"), "com.example.app");
        EXPECT_THAT(seen.headers.at("authorization"), ::testing::StartsWith("bearer ey"));
    }(*this, *g));
}

TEST_F(Gateway, ApnsWithdrawsWhatWasNotReleased) {
    const auto g = an_apns();
    tell(*g, [](Gateway& t, delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        {
            auto staged = co_await g.stage(m, 5s);
            EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 1; }));
        }
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_reset() == 1; }));
        EXPECT_TRUE(t.server.requests().empty());
        const auto next = co_await send(g, m);
        EXPECT_EQ(next.what, kind::accepted);
    }(*this, *g));
}

TEST_F(Gateway, ApnsSilenceAndLossAreInDoubt) {
    server.answer_with([](const seen_request&) { return std::nullopt; });
    auto impatient = quick;
    impatient.answer = 20ms;
    const auto g = an_apns(impatient);
    tell(*g, [](Gateway& t, delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        const auto silent = co_await send(g, m);
        EXPECT_EQ(silent.what, kind::unknown);
        t.server.cut_after_writing(0); // from the next connection on
        t.server.close_connections();
        const auto lost = co_await send(g, m);
        EXPECT_NE(lost.what, kind::accepted);
    }(*this, *g));
}

TEST_F(Gateway, ApnsConnectionLostWhileHeldIsCertain) {
    const auto g = an_apns();
    tell(*g, [](Gateway& t, delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        auto staged = co_await g.stage(m, 5s);
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 1; }));
        t.server.close_connections();
        const auto v = co_await std::get<0>(staged)->release();
        // The last byte may have been written before the loss was seen; then, and only then, it is in doubt.
        EXPECT_TRUE(v.what == kind::transient || v.what == kind::unknown);
        EXPECT_TRUE(t.server.requests().empty());
    }(*this, *g));
}

TEST_F(Gateway, ApnsRefusedStreamsAndGoawayAreCertain) {
    server.answer_with([](const seen_request&) {
        return scripted_answer{.headers = {}, .body = {}, .how = scripted_answer::end::refused_stream};
    });
    const auto g = an_apns();
    tell(*g, [](Gateway& t, delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        const auto refused = co_await send(g, m);
        EXPECT_EQ(refused.what, kind::transient);
        auto staged = co_await g.stage(m, 5s);
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 2; }));
        t.server.goaway(1, NGHTTP2_NO_ERROR);
        const auto away = co_await std::get<0>(staged)->release();
        EXPECT_EQ(away.what, kind::transient);
        t.server.answer_with([](const seen_request&) { return scripted_answer{}; });
        const auto again = co_await send(g, m); // and then the service recovers
        EXPECT_EQ(again.what, kind::accepted);
    }(*this, *g));
}

TEST_F(Gateway, ApnsCallsAFreshTokensRefusalAConfigurationError) {
    server.answer_with([](const seen_request&) {
        return scripted_answer{.status = 403, .headers = {}, .body = R"({"reason":"ExpiredProviderToken"})"};
    });
    const auto g = an_apns();
    tell(*g, [](delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        const auto v = co_await send(g, m);
        EXPECT_EQ(v.what, kind::lane_stop);
        EXPECT_EQ(v.code, "403 ExpiredProviderToken");
        EXPECT_THAT(v.text, HasSubstr("clock"));
    }(*g));
}

TEST_F(Gateway, ApnsHasNoMoreInFlightThanItsWindow) {
    server.answer_with([](const seen_request&) { return std::nullopt; });
    const auto g = an_apns(quick, 2, 3);
    EXPECT_EQ(g->window(), 6U);
    tell(*g, [](delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("apns");
        std::vector<std::unique_ptr<delivery::staged>> all;
        for (std::size_t i = 0; i < g.window(); ++i) {
            auto staged = co_await g.stage(m, 5s);
            EXPECT_EQ(staged.index(), 0U);
            all.push_back(std::move(std::get<0>(staged)));
        }
        auto more = co_await g.stage(m, 5ms);
        EXPECT_TRUE(std::holds_alternative<delivery::busy>(more)) << "not a failure of the gateway";
        all.pop_back();
        auto now = co_await g.stage(m, 5s);
        EXPECT_EQ(now.index(), 0U);
    }(*g));
}

TEST_F(Gateway, ApnsSaysWhatIsMissing) {
    config::apns link;
    link.endpoint = "https://localhost:1";
    link.key_file = "/nonexistent/key.p8";
    const config::gateway c{.name = "apns", .limit = {}, .domains = {}, .link = link};
    const auto no_key = apns_gateway::make(io.get_executor(), c);
    ASSERT_FALSE(no_key);
    EXPECT_EQ(no_key.error().what(), base::fault::kind::broken);
    EXPECT_THAT(no_key.error().why(), HasSubstr("key.p8"));
    link.key_file = file("rsa.p8", pem_of(EVP_RSA_gen(2048)));
    const auto wrong_key =
        apns_gateway::make(io.get_executor(), {.name = "a", .limit = {}, .domains = {}, .link = link});
    EXPECT_FALSE(wrong_key);
}

TEST_F(Gateway, ApnsCloseDrains) {
    const auto g = an_apns();
    http2::testing::run(io, [](Gateway& t, delivery::gateway& g) -> asio::awaitable<void> {
        const auto on = co_await asio::this_coro::executor;
        bool ran = false;
        asio::co_spawn(on, g.run(), [&](const std::exception_ptr& e) { ran = !e; });
        const auto m = a_message("apns");
        auto staged = co_await g.stage(m, 5s);
        bool closed = false;
        asio::co_spawn(on, g.close(), [&](const std::exception_ptr&) { closed = true; });
        const auto v = co_await std::get<0>(staged)->release();
        EXPECT_EQ(v.what, kind::accepted);
        EXPECT_TRUE(co_await eventually([&] { return closed && ran; }));
        auto late = co_await g.stage(m, 5s);
        EXPECT_EQ(late.index(), 2U);
        EXPECT_EQ(t.server.requests().size(), 1U);
    }(*this, *g));
}

// ---- FCM

struct google {
    int tokens = 0;
    int token_status = 200;
    int message_status = 200;
    std::string error = {};

    scripted_answer operator()(const seen_request& r) {
        if (r.headers.at(":path") == "/token") {
            ++tokens;
            if (token_status != 200) {
                return {.status = token_status, .headers = {}, .body = R"({"error":"invalid_grant"})"};
            }
            return {.status = 200,
                    .headers = {},
                    .body = fmt::format(R"({{"access_token":"token-{}","expires_in":3599,"token_type":"Bearer"}})",
                                        tokens)};
        }
        if (message_status != 200) {
            return {.status = message_status, .headers = {}, .body = error};
        }
        return {.status = 200, .headers = {}, .body = R"({"name":"projects/shop-1/messages/1"})"};
    }
};

TEST_F(Gateway, FcmFetchesOneTokenForAll) {
    google fake;
    server.answer_with(std::ref(fake));
    const auto g = an_fcm();
    tell(*g, [](Gateway& t, delivery::gateway& g, google& fake) -> asio::awaitable<void> {
        for (int i = 0; i < 20; ++i) {
            const auto m = a_message("fcm");
            const auto v = co_await send(g, m);
            EXPECT_EQ(v.what, kind::accepted) << v.text;
            EXPECT_EQ(v.message_id, "projects/shop-1/messages/1");
        }
        EXPECT_EQ(fake.tokens, 1);
        const auto& seen = t.server.requests();
        EXPECT_THAT(seen.front().body, ::testing::StartsWith("grant_type="));
        EXPECT_EQ(seen.back().headers.at("authorization"), "Bearer token-1");
        EXPECT_EQ(seen.back().headers.at(":path"), "/v1/projects/shop-1/messages:send");
        EXPECT_EQ(seen.back().body, R"({"aps":{"alert":"notice"}})");
    }(*this, *g, fake));
}

TEST_F(Gateway, FcmStopsTheLaneWhenTheAccountIsRefused) {
    google fake;
    fake.token_status = 400;
    server.answer_with(std::ref(fake));
    const auto g = an_fcm();
    tell(*g, [](delivery::gateway& g, google& fake) -> asio::awaitable<void> {
        const auto m = a_message("fcm");
        const auto v = co_await send(g, m);
        EXPECT_EQ(v.what, kind::lane_stop);
        EXPECT_THAT(v.text, HasSubstr("invalid_grant"));
        fake.token_status = 200;
        verdict later;
        while ((later = co_await send(g, m)).what == kind::lane_stop) {
            co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); // until the next exchange
        }
        EXPECT_EQ(later.what, kind::accepted);
    }(*g, fake));
}

TEST_F(Gateway, FcmWaitsWithPatienceForItsToken) {
    google fake;
    fake.token_status = 503;
    server.answer_with(std::ref(fake));
    const auto g = an_fcm();
    tell(*g, [](delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("fcm");
        auto staged = co_await g.stage(m, 100ms * support::slowness);
        EXPECT_EQ(staged.index(), 2U);
        EXPECT_EQ(std::get<delivery::refused>(staged).why().what, kind::transient);
        EXPECT_THAT(std::get<delivery::refused>(staged).why().text, HasSubstr("503"));
    }(*g));
}

TEST_F(Gateway, FcmCallsAFreshTokensRefusalAConfigurationError) {
    google fake;
    fake.message_status = 401;
    fake.error = R"({"error":{"status":"UNAUTHENTICATED"}})";
    server.answer_with(std::ref(fake));
    const auto g = an_fcm();
    tell(*g, [](delivery::gateway& g) -> asio::awaitable<void> {
        const auto m = a_message("fcm");
        const auto v = co_await send(g, m);
        EXPECT_EQ(v.what, kind::lane_stop);
    }(*g));
}

TEST_F(Gateway, FcmSorts) {
    google fake;
    server.answer_with(std::ref(fake));
    const auto g = an_fcm();
    tell(*g, [](delivery::gateway& g, google& fake) -> asio::awaitable<void> {
        const auto m = a_message("fcm");
        fake.message_status = 404;
        fake.error = R"({"error":{"status":"NOT_FOUND","details":[)"
                     R"({"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}})";
        const auto gone = co_await send(g, m);
        EXPECT_EQ(gone.what, kind::permanent);
        fake.message_status = 500;
        fake.error = "";
        const auto doubt = co_await send(g, m);
        EXPECT_EQ(doubt.what, kind::unknown);
        fake.message_status = 503;
        const auto later = co_await send(g, m);
        EXPECT_EQ(later.what, kind::transient);
    }(*g, fake));
}

} // namespace
} // namespace semel::push
