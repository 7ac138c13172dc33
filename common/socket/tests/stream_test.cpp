#include <socket/stream.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <array>

namespace semel::socket {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;

/// A connected pair: `near` is the stream under test, `far` says nothing by itself.
struct Stream : ::testing::Test {
    asio::io_context io;
    stream near{io.get_executor()};
    tcp::socket far{io};

    void SetUp() override {
        tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
        run(
            [](tcp::acceptor& a, tcp::socket& into) -> asio::awaitable<void> {
                into = co_await a.async_accept(asio::use_awaitable);
            }(acceptor, far),
            [](stream& s, std::uint16_t port) -> asio::awaitable<void> {
                const auto done = co_await s.connect("127.0.0.1", port);
                EXPECT_TRUE(done) << done.error().why();
            }(near, acceptor.local_endpoint().port()));
    }
    template <class... Work>
    void run(Work... work) {
        (asio::co_spawn(io, std::move(work), [](std::exception_ptr e) { EXPECT_FALSE(e); }), ...);
        io.restart();
        io.run_for(30s);
    }
};

TEST_F(Stream, EndsWhatIsUnderWayWhenItsTimeIsUp) {
    near.expires_after(20ms);
    run([](stream& s) -> asio::awaitable<void> {
        std::array<char, 8> bytes{};
        const auto [error, n] = co_await s.read_some(bytes);
        EXPECT_TRUE(error);
        EXPECT_EQ(n, 0U);
    }(near));
    EXPECT_TRUE(near.timed_out());
    EXPECT_FALSE(near.is_open());
}

// A command that has its answer would wait for the timer of the connection that it keeps.
TEST_F(Stream, AtRestKeepsNoLoopFromEnding) {
    near.expires_after(1h);
    near.rest();
    io.restart();
    io.run_for(5s);
    EXPECT_TRUE(io.stopped()) << "nothing is left to wait for";
    EXPECT_TRUE(near.is_open());
}

TEST_F(Stream, IsWatchedAgainAfterARest) {
    near.expires_after(1h);
    near.rest();
    near.expires_after(20ms);
    run([](stream& s) -> asio::awaitable<void> {
        std::array<char, 8> bytes{};
        const auto [error, n] = co_await s.read_some(bytes);
        EXPECT_TRUE(error);
    }(near));
    EXPECT_TRUE(near.timed_out());
}

TEST_F(Stream, IsQuietUntilThePeerSpeaksOrEnds) {
    EXPECT_TRUE(near.is_quiet());
    far.close();
    run([](stream& s) -> asio::awaitable<void> {
        std::array<char, 8> bytes{};
        const auto [error, n] = co_await s.read_some(bytes);
        EXPECT_EQ(error, asio::error::eof);
    }(near));
    EXPECT_FALSE(near.is_quiet()) << "its end waits to be read";
}

} // namespace
} // namespace semel::socket
