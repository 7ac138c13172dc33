// The connection over real sockets and TLS, against the scripted server.

#include <http2/connection.hpp>
#include <http2/testing/run.hpp>
#include <http2/testing/scripted_server.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <support/slowness.hpp>

namespace semel::http2 {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using enum failure::certainty;
using testing::eventually;
using ::testing::HasSubstr;
using testing::scripted_answer;
using testing::scripted_server;
using testing::seen_request;

request a_request(std::string body = "{\"aps\":{}}") {
    request r;
    r.authority = "localhost";
    r.path = "/3/device/00fc13";
    r.headers = {{"apns-topic", "com.example.app"}};
    r.body = std::move(body);
    return r;
}

std::optional<scripted_answer> yes(const seen_request&) {
    return scripted_answer{};
}
std::optional<scripted_answer> silence(const seen_request&) {
    return std::nullopt;
}

struct Connection : ::testing::Test {
    asio::io_context io;
    scripted_server server{io.get_executor(), yes};

    asio::awaitable<std::shared_ptr<connection>> connect(timing when = {}, std::size_t streams = 100) {
        auto opened =
            co_await connection::open(*parse_target(server.endpoint()), *client_tls(server.ca()), streams, when);
        EXPECT_TRUE(opened) << opened.error().why();
        auto c = std::move(opened).value();
        EXPECT_TRUE(co_await eventually([&] { return c->free_streams() > 1; }));
        co_return c;
    }
    void tell(asio::awaitable<void> story) { testing::run(io, std::move(story)); }
};

TEST(Target, NamesAHostAndAPort) {
    EXPECT_EQ(parse_target("https://api.push.apple.com")->port, 443);
    EXPECT_EQ(parse_target("https://127.0.0.1:8443")->host, "127.0.0.1");
    EXPECT_EQ(parse_target("https://127.0.0.1:8443")->authority, "127.0.0.1:8443");
    EXPECT_EQ(parse_target("https://[::1]:8443")->host, "::1");
    EXPECT_EQ(parse_target("https://[::1]")->port, 443);
    EXPECT_EQ(parse_target("https://push.example.com/")->authority, "push.example.com");
}

TEST(Target, RefusesEverythingElse) {
    for (const auto* bad : {"", "http://a", "https://", "https://a:0", "https://a:65536", "https://a:b", "https://a/b",
                            "https://user@a", "https://a?b", "ftp://a", "https://:443"}) {
        EXPECT_FALSE(parse_target(bad)) << bad;
    }
}

TEST_F(Connection, CarriesARequest) {
    server.answer_with([](const seen_request& r) {
        return scripted_answer{.status = 200, .headers = {{"apns-id", r.headers.at(":path")}}, .body = r.body};
    });
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        const auto call = c->submit(a_request(), false);
        const auto end = co_await call->answer(5s);
        EXPECT_TRUE(end);
        EXPECT_EQ(end->status, 200);
        EXPECT_EQ(end->body, "{\"aps\":{}}");
        EXPECT_EQ(end->header_value("apns-id"), "/3/device/00fc13");
    }(*this));
}

TEST_F(Connection, TheServerGetsTheLastByteOnlyAfterRelease) {
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        const auto held = c->submit(a_request(), true);
        const auto other = c->submit(a_request(), false);
        EXPECT_TRUE(co_await other->answer(5s)); // written after the held one
        EXPECT_EQ(t.server.streams_begun(), 2U);
        EXPECT_EQ(t.server.requests().size(), 1U);
        held->release();
        EXPECT_TRUE(co_await held->answer(5s));
        EXPECT_EQ(t.server.requests().size(), 2U);
    }(*this));
}

TEST_F(Connection, DestroyingAHeldExchangeWithdrawsIt) {
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        c->submit(a_request(), true).reset(); // never written
        auto held = c->submit(a_request(), true);
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 1; }));
        held.reset();
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_reset() == 1; }));
        EXPECT_TRUE(t.server.requests().empty());
        EXPECT_EQ(c->free_streams(), 100U);
    }(*this));
}

TEST_F(Connection, SilenceAfterTheLastByteIsUnknown) {
    server.answer_with(silence);
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        const auto call = c->submit(a_request(), true);
        call->release();
        EXPECT_TRUE(co_await eventually([&] { return t.server.requests().size() == 1; }));
        const auto end = co_await call->answer(20ms);
        EXPECT_FALSE(end);
        EXPECT_EQ(end.error().sure, unknown);
        EXPECT_THAT(end.error().why, HasSubstr("20 ms"));
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_reset() == 1; }));
        EXPECT_TRUE(c->usable());
    }(*this));
}

TEST_F(Connection, ALateAnswerHarmsNobody) {
    server.answer_with(silence);
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        auto call = c->submit(a_request(), false);
        const auto end = co_await call->answer(1ms);
        EXPECT_FALSE(end);
        call.reset();
        t.server.answer_with(yes);
        const auto next = c->submit(a_request(), false);
        EXPECT_TRUE(co_await next->answer(5s));
    }(*this));
}

TEST_F(Connection, LosingItSortsWhatWasOpen) {
    server.answer_with(silence);
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        const auto sent = c->submit(a_request(), false);
        const auto held = c->submit(a_request(), true);
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 2 && !t.server.requests().empty(); }));
        t.server.close_connections();
        const auto first = co_await sent->answer(5s);
        const auto second = co_await held->answer(5s);
        EXPECT_EQ(first.error().sure, unknown);
        EXPECT_EQ(second.error().sure, not_processed);
        EXPECT_TRUE(c->ended());
        EXPECT_FALSE(c->submit(a_request(), false));
        EXPECT_THAT(c->reason(), HasSubstr("lost"));
    }(*this));
}

// F10: the request is cut at each of its last bytes on the wire. As long as the server cannot have the last byte of the
// body, it must not have seen a whole request; and what it has seen whole is never called "not processed".
TEST_F(Connection, ARequestCutAtAnyByteIsNeverWronglyCertain) {
    server.answer_with(silence);
    tell([](Connection& t) -> asio::awaitable<void> {
        std::size_t whole = 0;
        {
            const auto c = co_await t.connect();
            const auto call = c->submit(a_request(), false);
            EXPECT_TRUE(co_await eventually([&] { return t.server.requests().size() == 1; }));
            whole = t.server.bytes_read();
        }
        for (std::size_t n = whole - 64; n <= whole; ++n) {
            t.server.cut_after_reading(std::nullopt);
            const auto before = t.server.requests().size();
            const auto c = co_await t.connect();
            t.server.cut_after_reading(n);
            const auto call = c->submit(a_request(), false);
            const auto end = co_await call->answer(5s);
            EXPECT_FALSE(end) << n;
            const bool seen = t.server.requests().size() > before;
            EXPECT_EQ(seen, n == whole) << n;
            if (seen) {
                EXPECT_EQ(end.error().sure, unknown) << n;
            }
        }
    }(*this));
}

TEST_F(Connection, AnAnswerCutAtAnyByteIsAStatusOrUnknown) {
    tell([](Connection& t) -> asio::awaitable<void> {
        std::size_t greeting = 0;
        std::size_t whole = 0;
        {
            const auto c = co_await t.connect();
            const auto call = c->submit(a_request(), false);
            EXPECT_TRUE(co_await call->answer(5s));
            whole = t.server.bytes_written();
        }
        {
            const auto c = co_await t.connect();
            greeting = t.server.bytes_written();
        }
        EXPECT_LT(greeting, whole);
        for (std::size_t n = greeting; n <= whole; ++n) {
            t.server.cut_after_writing(std::nullopt);
            const auto c = co_await t.connect();
            t.server.cut_after_writing(n);
            const auto call = c->submit(a_request(), false);
            const auto end = co_await call->answer(5s);
            if (end) {
                EXPECT_EQ(end->status, 200);
                EXPECT_EQ(n, whole);
            } else if (t.server.requests().back().connection == t.server.connections_accepted()) {
                EXPECT_EQ(end.error().sure, unknown) << n;
            }
        }
    }(*this));
}

TEST_F(Connection, GoawayLetsWhatIsBelowItEnd) {
    server.answer_with(silence);
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        bool told = false;
        c->on_change([&] { told = told || !c->usable(); });
        const auto below = c->submit(a_request(), false);
        const auto above = c->submit(a_request(), false);
        EXPECT_TRUE(co_await eventually([&] { return t.server.requests().size() == 2; }));
        t.server.goaway(1, NGHTTP2_NO_ERROR);
        const auto second = co_await above->answer(5s);
        EXPECT_EQ(second.error().sure, not_processed);
        EXPECT_TRUE(told);
        EXPECT_FALSE(c->usable());
        EXPECT_FALSE(c->ended());
        const auto first = co_await below->answer(10ms);
        EXPECT_EQ(first.error().sure, unknown);
        EXPECT_TRUE(co_await eventually([&] { return c->ended(); }));
        c->on_change({});
    }(*this));
}

TEST_F(Connection, GoodbyeDrainsAndEnds) {
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        const auto call = c->submit(a_request(), true);
        c->goodbye();
        EXPECT_FALSE(c->submit(a_request(), false));
        call->release();
        const auto end = co_await call->answer(5s);
        EXPECT_TRUE(end);
        EXPECT_TRUE(co_await eventually([&] { return c->ended(); }));
        EXPECT_THAT(c->reason(), HasSubstr("agreement"));
    }(*this));
}

TEST_F(Connection, AMutePeerIsFoundByPing) {
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect(
            timing{.ping_every = 20ms * support::slowness, .ping_timeout = 50ms * support::slowness});
        t.server.fall_silent(true);
        const auto call = c->submit(a_request(), false);
        const auto end = co_await call->answer(10s);
        EXPECT_EQ(end.error().sure, unknown);
        EXPECT_THAT(end.error().why, HasSubstr("PING"));
    }(*this));
}

TEST_F(Connection, PingKeepsAQuietConnectionUp) {
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect(timing{.ping_every = 5ms, .ping_timeout = 2s});
        const auto before = t.server.bytes_written();
        EXPECT_TRUE(co_await eventually([&] { return t.server.bytes_written() > before + 5 * 17; })); // five answers
        EXPECT_TRUE(c->usable());
    }(*this));
}

TEST_F(Connection, AForeignCertificateIsRefused) {
    tell([](Connection& t) -> asio::awaitable<void> {
        scripted_server other{t.io.get_executor(), yes};
        const auto opened = co_await connection::open(*parse_target(t.server.endpoint()), *client_tls(other.ca()), 100);
        EXPECT_FALSE(opened);
        EXPECT_EQ(opened.error().what(), base::fault::kind::broken);
        EXPECT_THAT(opened.error().why(), HasSubstr("certificate"));
    }(*this));
}

TEST_F(Connection, ACertificateForAnotherNameIsRefused) {
    tell([](Connection& t) -> asio::awaitable<void> {
        auto peer = *parse_target(t.server.endpoint());
        peer.host = "127.0.0.2"; // listens on 127.0.0.1 only: reach it by a name that the certificate lacks
        const auto wrong = co_await connection::open(peer, *client_tls(t.server.ca()), 100);
        EXPECT_FALSE(wrong);
        EXPECT_EQ(wrong.error().what(), base::fault::kind::unreachable);
        peer.host = "127.1"; // an address to the resolver, and no name of the certificate
        const auto unnamed = co_await connection::open(peer, *client_tls(t.server.ca()), 100);
        EXPECT_FALSE(unnamed);
        EXPECT_EQ(unnamed.error().what(), base::fault::kind::broken);
    }(*this));
}

TEST_F(Connection, ManyStreamsShareIt) {
    tell([](Connection& t) -> asio::awaitable<void> {
        const auto c = co_await t.connect();
        std::vector<std::unique_ptr<exchange>> calls;
        for (int i = 0; i < 100; ++i) {
            calls.push_back(c->submit(a_request(), true));
        }
        EXPECT_FALSE(c->submit(a_request(), true));
        for (const auto& call : calls) {
            call->release();
        }
        for (const auto& call : calls) {
            const auto end = co_await call->answer(5s);
            EXPECT_TRUE(end);
        }
        EXPECT_EQ(c->free_streams(), 100U);
    }(*this));
}

} // namespace
} // namespace semel::http2
