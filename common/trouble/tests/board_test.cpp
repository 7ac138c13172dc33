// Over a real Redis: what is told is read, is gone when it is over, and nobody waits for a Redis that is away.

#include <gtest/gtest.h>
#include <support/play.hpp>
#include <support/redis_server.hpp>
#include <support/slowness.hpp>
#include <trouble/board.hpp>

namespace semel::trouble {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using support::play;

entry stopped(std::string gateway) {
    return {.subject = std::move(gateway), .what = kind::stopped, .since = {}, .words = "it refuses us"};
}

TEST(Board, ShowsWhatIsToldUntilItIsOver) {
    support::redis_server server;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        redis::client client{ex, {.port = server.port()}};
        co_await client.connected();
        teller email{client, "email", "email"};
        teller sms{client, "sms", "sms-2"};
        std::vector<entry> one{stopped("relay-a")};
        co_await email.tell(one);
        std::vector<entry> other{stopped("smsc-a")};
        co_await sms.tell(std::move(other));
        const auto both = co_await read(client, 1s * support::slowness);
        EXPECT_TRUE(both && both->size() == 2);
        const auto began = both->at(0).entries.at(0).since;
        EXPECT_NE(began, base::timestamp{});
        co_await email.tell(std::move(one));
        co_await sms.tell({});
        const auto left = co_await read(client, 1s * support::slowness);
        EXPECT_TRUE(left && left->size() == 1);
        EXPECT_EQ(left->at(0).service, "email");
        EXPECT_TRUE(left->at(0).entries.at(0).since == began || both->at(0).service != "email");
        std::vector<std::string> ask{"TTL", "semel:trouble:email"};
        const auto ttl = co_await client.command(std::move(ask));
        EXPECT_TRUE(ttl && ttl->integer > 0 && ttl->integer <= kept.count()) << "of a process that dies it goes away";
    });
}

TEST(Board, NobodyWaitsForARedisThatIsAway) {
    support::redis_server server;
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        redis::client client{ex, {.port = server.port()}};
        co_await client.connected();
        server.hold();
        const auto began = std::chrono::steady_clock::now();
        const auto none = co_await read(client, 200ms);
        EXPECT_FALSE(none);
        EXPECT_LT(std::chrono::steady_clock::now() - began, 2s * support::slowness);
        server.go_on();
    });
}

} // namespace
} // namespace semel::trouble
