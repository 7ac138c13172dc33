#include <http2/pool.hpp>
#include <http2/testing/run.hpp>
#include <http2/testing/scripted_server.hpp>
#include <runtime/race.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

namespace semel::http2 {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::eventually;
using testing::scripted_answer;
using testing::scripted_server;
using testing::seen_request;

request a_request() {
    request r;
    r.authority = "localhost";
    r.path = "/3/device/00fc13";
    r.body = "{}";
    return r;
}

std::optional<scripted_answer> yes(const seen_request&) {
    return scripted_answer{};
}
std::optional<scripted_answer> silence(const seen_request&) {
    return std::nullopt;
}

struct Pool : ::testing::Test {
    asio::io_context io;
    scripted_server server{io.get_executor(), yes};

    std::unique_ptr<pool> a_pool(pool_settings settings) {
        settings.first_pause = 2ms;
        settings.longest_pause = 20ms;
        return std::make_unique<pool>(io.get_executor(), *parse_target(server.endpoint()), *client_tls(server.ca()),
                                      settings);
    }
    /// The story with the pool running beside it.
    void tell(pool& p, asio::awaitable<void> story) { testing::run(io, runtime::race(p.run(), std::move(story))); }
};

asio::awaitable<bool> is_answered(pool& p) {
    auto r = a_request();
    auto got = co_await p.submit(r, false, 5s);
    if (!got) {
        ADD_FAILURE() << got.error().why();
        co_return false;
    }
    const auto end = co_await (*got)->answer(5s);
    co_return end.has_value();
}

TEST_F(Pool, TakesTheConnectionWithTheMostFreeStreams) {
    server.answer_with(silence);
    const auto p = a_pool({.connections = 2, .streams = 2});
    EXPECT_EQ(p->window(), 4U);
    tell(*p, [](Pool& t, pool& p) -> asio::awaitable<void> {
        EXPECT_TRUE(co_await eventually([&] { return p.connected() == 2; }));
        std::vector<std::unique_ptr<exchange>> calls;
        for (int i = 0; i < 4; ++i) {
            auto r = a_request();
            auto got = co_await p.submit(r, false, 5s);
            EXPECT_TRUE(got);
            calls.push_back(std::move(*got));
        }
        EXPECT_TRUE(co_await eventually([&] { return t.server.requests().size() == 4; }));
        EXPECT_EQ(std::ranges::count(t.server.requests(), 1, &seen_request::connection), 2);
        EXPECT_EQ(p.open_streams(), 4U);
    }(*this, *p));
}

TEST_F(Pool, ABusyPoolGivesUpAfterThePatience) {
    server.answer_with(silence);
    const auto p = a_pool({.connections = 1, .streams = 1});
    tell(*p, [](pool& p) -> asio::awaitable<void> {
        auto first = a_request();
        auto got = co_await p.submit(first, false, 5s);
        EXPECT_TRUE(got);
        auto second = a_request();
        const auto refused = co_await p.submit(second, false, 5ms);
        EXPECT_FALSE(refused);
        EXPECT_EQ(refused.error().what(), base::fault::kind::throttled);
        EXPECT_EQ(second.body, "{}");
        got->reset(); // frees the stream
        const auto third = co_await p.submit(second, false, 5s);
        EXPECT_TRUE(third);
    }(*p));
}

TEST_F(Pool, WaitersAreServedInTheirOrder) {
    const auto p = a_pool({.connections = 1, .streams = 1});
    tell(*p, [](pool& p) -> asio::awaitable<void> {
        auto first = a_request();
        auto got = co_await p.submit(first, true, 5s);
        std::vector<int> order;
        std::vector<asio::awaitable<void>> waiting;
        const auto on = co_await asio::this_coro::executor;
        for (int i = 0; i < 5; ++i) {
            asio::co_spawn(
                on,
                [](pool& p, std::vector<int>& order, int i) -> asio::awaitable<void> {
                    auto r = a_request();
                    auto mine = co_await p.submit(r, false, 5s);
                    order.push_back(i);
                    co_await (*mine)->answer(5s);
                }(p, order, i),
                [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
        }
        (*got)->release();
        co_await (*got)->answer(5s);
        EXPECT_TRUE(co_await eventually([&] { return order.size() == 5 && p.open_streams() == 0; }));
        EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4));
    }(*p));
}

TEST_F(Pool, ReplacesALostConnection) {
    const auto p = a_pool({.connections = 1, .streams = 10});
    tell(*p, [](Pool& t, pool& p) -> asio::awaitable<void> {
        for (int i = 1; i <= 5; ++i) {
            EXPECT_TRUE(co_await is_answered(p));
            EXPECT_EQ(t.server.connections_accepted(), i);
            t.server.close_connections();
            EXPECT_TRUE(co_await eventually([&] { return p.connected() == 0; }));
        }
        EXPECT_TRUE(co_await is_answered(p));
    }(*this, *p));
}

TEST_F(Pool, ReplacesADepartingConnectionWhileItsStreamsEnd) {
    server.answer_with(silence);
    const auto p = a_pool({.connections = 1, .streams = 10});
    tell(*p, [](Pool& t, pool& p) -> asio::awaitable<void> {
        auto r = a_request();
        auto held = co_await p.submit(r, true, 5s);
        EXPECT_TRUE(co_await eventually([&] { return t.server.streams_begun() == 1; }));
        t.server.goaway(1, NGHTTP2_NO_ERROR);
        t.server.answer_with(yes);
        EXPECT_TRUE(co_await eventually([&] { return t.server.connections_accepted() == 2; }));
        EXPECT_TRUE(co_await is_answered(p));
        EXPECT_EQ(t.server.requests().back().connection, 2);
        (*held)->release();
        const auto end = co_await (*held)->answer(5s);
        EXPECT_TRUE(end);
        EXPECT_EQ(t.server.requests().back().connection, 1);
    }(*this, *p));
}

TEST_F(Pool, SaysWhyNoConnectionIsUp) {
    scripted_server other{io.get_executor(), yes};
    pool p{io.get_executor(), *parse_target(server.endpoint()), *client_tls(other.ca()), {.connections = 1}};
    int troubles = 0;
    p.on_trouble([&](const base::fault&) { ++troubles; });
    tell(p, [](pool& p, int& troubles) -> asio::awaitable<void> {
        EXPECT_TRUE(co_await eventually([&] { return troubles > 0; }));
        auto r = a_request();
        const auto got = co_await p.submit(r, false, 5ms);
        EXPECT_FALSE(got);
        EXPECT_EQ(got.error().what(), base::fault::kind::unreachable);
        EXPECT_THAT(got.error().why(), ::testing::HasSubstr("certificate"));
    }(p, troubles));
}

TEST_F(Pool, CloseWaitsForOpenStreams) {
    const auto p = a_pool({.connections = 2, .streams = 10});
    testing::run(io, [](Pool& t, pool& p) -> asio::awaitable<void> {
        const auto on = co_await asio::this_coro::executor;
        bool ran = false;
        asio::co_spawn(on, p.run(), [&](const std::exception_ptr& e) { ran = !e; });
        auto r = a_request();
        auto held = co_await p.submit(r, true, 5s);
        bool closed = false;
        asio::co_spawn(on, p.close(5s), [&](const std::exception_ptr&) { closed = true; });
        auto late = a_request();
        EXPECT_TRUE(co_await eventually([&] { return p.connected() == 0; }));
        const auto refused = co_await p.submit(late, true, 5s);
        EXPECT_EQ(refused.error().what(), base::fault::kind::stopping);
        EXPECT_FALSE(closed);
        (*held)->release();
        const auto end = co_await (*held)->answer(5s);
        EXPECT_TRUE(end);
        EXPECT_TRUE(co_await eventually([&] { return closed && ran; }));
        EXPECT_EQ(t.server.requests().size(), 1U);
    }(*this, *p));
}

TEST_F(Pool, AdaptsToWhatThePeerAllows) {
    server.allow_streams(3);
    server.answer_with(silence);
    const auto p = a_pool({.connections = 1, .streams = 100});
    tell(*p, [](pool& p) -> asio::awaitable<void> {
        std::vector<std::unique_ptr<exchange>> calls;
        for (int i = 0; i < 3; ++i) {
            auto r = a_request();
            auto got = co_await p.submit(r, false, 5s);
            EXPECT_TRUE(got);
            calls.push_back(std::move(*got));
        }
        auto r = a_request();
        EXPECT_FALSE(co_await p.submit(r, false, 10ms));
    }(*p));
}

} // namespace
} // namespace semel::http2
