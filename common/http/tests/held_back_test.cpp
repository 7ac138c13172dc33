// Answers that are held back: they slow one client down and take nothing from the others.

#include <http/client.hpp>
#include <http/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/slowness.hpp>

#include <functional>
#include <optional>

namespace semel::http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

struct HeldBack : testing::Test {
    asio::io_context io;
    std::optional<server> here;
    bool asked = false;

    void serve(server_options options, std::chrono::milliseconds wait) {
        router routes;
        routes.add("GET", "/held", [this, wait](request&) -> asio::awaitable<response> {
            asked = true; // held from here on: nothing is waited for in between
            auto r = problem(401, "no");
            r.held_back = wait;
            co_return r;
        });
        routes.add("GET", "/fine", [](request&) -> asio::awaitable<response> { co_return response{}; });
        here.emplace(io.get_executor(), std::move(options), std::move(routes));
        asio::co_spawn(io, here->run(), asio::detached);
    }
    /// The status, or 0 for a connection that was cut; nothing yet.
    using outcome = std::optional<unsigned>;
    void ask(std::string target, outcome& into) { asio::co_spawn(io, fetch(std::move(target), into), asio::detached); }
    asio::awaitable<void> fetch(std::string target, outcome& into) {
        client asking{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", here->port())}};
        client_request r;
        r.target = std::move(target);
        const auto got = co_await asking.send(std::move(r));
        into = got ? got->status : 0U;
    }
    void run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + 20s * support::slowness;
        while (!done() && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_one_until(deadline);
        }
        ASSERT_TRUE(done());
    }
    ~HeldBack() override {
        outcome ended;
        asio::co_spawn(io, stop(ended), asio::detached);
        run_until([&] { return ended.has_value(); });
    }
    asio::awaitable<void> stop(outcome& into) { into = co_await here->stop(10s) ? 1U : 0U; }
};

TEST_F(HeldBack, ComesLater) {
    serve({}, 100ms);
    outcome got;
    const auto began = std::chrono::steady_clock::now();
    ask("/held", got);
    run_until([&] { return got.has_value(); });
    EXPECT_EQ(got, 401U);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 100ms);
}

TEST_F(HeldBack, GivesItsPlaceToWhoeverComes) {
    server_options few;
    few.connections = 3;
    few.kept = 2;
    serve(std::move(few), 1h);
    outcome held, fine, another;
    ask("/held", held);
    run_until([&] { return asked; });
    ask("/fine", fine);
    run_until([&] { return fine.has_value(); });
    EXPECT_EQ(fine, 200U);
    run_until([&] { return held.has_value(); });
    EXPECT_EQ(held, 0U) << "its connection was closed";
    ask("/fine", another);
    run_until([&] { return another.has_value(); });
    EXPECT_EQ(another, 200U) << "and its place is free again";
}

TEST_F(HeldBack, GoesOutWhenTheServerStops) {
    serve({}, 1h);
    outcome held, ended;
    ask("/held", held);
    run_until([&] { return asked; });
    asio::co_spawn(io, stop(ended), asio::detached);
    run_until([&] { return held.has_value() && ended.has_value(); });
    EXPECT_EQ(held, 401U);
    EXPECT_EQ(ended, 1U) << "nobody had to be cut off";
}

} // namespace
} // namespace semel::http
