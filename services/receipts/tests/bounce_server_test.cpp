// Relays that hand mails over, as bytes on a socket.

#include <runtime/race.hpp>
#include <socket/stream.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <correlation/verp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <receipts/edge/bounce_server.hpp>
#include <support/play.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

namespace semel::receipts {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view a_bounce =
    "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
    "--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
    "Final-Recipient: rfc822; kim@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--x--\r\n";

config::gateway relay(std::string name, const std::string& key) {
    const auto file = std::filesystem::path{testing::TempDir()} / ("bounce-" + name + ".key");
    std::ofstream{file} << key;
    config::smtp link;
    link.host = "127.0.0.1";
    link.verp_key_file = file;
    return {.name = std::move(name), .limit = {}, .domains = {}, .link = link};
}

struct relays_world {
    telemetry::metrics metrics;
    std::vector<v1::GatewayReceipt> kept;
    bool kafka_is_there = true;
    base::notification_id id{[] {
        base::byte_array<32> bytes{};
        bytes.fill(9);
        return bytes;
    }()};

    std::unique_ptr<bounce_server> server(const asio::any_io_executor& executor, bounce_server::options with = {}) {
        return std::make_unique<bounce_server>(
            executor, std::move(with),
            reader_of({relay("relay-a", "a key of relay a's"), relay("relay-b", "another of relay b")}),
            [this](v1::GatewayReceipt r) -> asio::awaitable<bool> {
                if (kafka_is_there) {
                    kept.push_back(std::move(r));
                }
                co_return kafka_is_there;
            },
            metrics);
    }
    std::string path_of(std::string_view key) const {
        return correlation::verp{std::string{key}}.return_path(id, "bounces.example.com");
    }
};

/// Says these words and gives all that is answered until the server hangs up, or nothing more is expected.
asio::awaitable<std::string> talk(std::uint16_t port, std::string words) {
    socket::stream wire{co_await asio::this_coro::executor};
    wire.expires_after(10s * support::slowness);
    if (!co_await wire.connect("127.0.0.1", port)) {
        throw std::runtime_error{"it does not listen"};
    }
    co_await wire.write(words);
    std::string all;
    std::array<char, 1024> buffer;
    while (true) {
        const auto [failed, n] = co_await wire.read_some(buffer);
        if (failed) {
            co_return all;
        }
        all.append(buffer.data(), n);
    }
}

std::string handing_over(const std::string& path, std::string_view mail = a_bounce) {
    return "LHLO relay\r\nMAIL FROM:<>\r\nRCPT TO:<" + path + ">\r\nDATA\r\n" + std::string{mail} + ".\r\nQUIT\r\n";
}

template <class Story>
void with_server(relays_world& world, Story story, bounce_server::options with = {}) {
    support::play([&](const asio::any_io_executor& executor) -> asio::awaitable<void> {
        return
            [](relays_world& w, Story s, bounce_server::options o, asio::any_io_executor ex) -> asio::awaitable<void> {
                const auto here = w.server(ex, std::move(o));
                asio::co_spawn(ex, here->run(), asio::detached);
                co_await s(here->port());
            }(world, std::move(story), std::move(with), executor);
    });
}

TEST(BounceServer, HandsABounceOnAsAReportOfItsMessage) {
    relays_world world;
    with_server(world, [&](std::uint16_t port) -> asio::awaitable<void> {
        const auto said = co_await talk(port, handing_over(world.path_of("another of relay b")));
        EXPECT_THAT(said, EndsWith("250 2.0.0 kept\r\n221 2.0.0 goodbye\r\n"));
    });
    ASSERT_EQ(world.kept.size(), 1U);
    EXPECT_EQ(world.kept[0].gateway(), "relay-b");
    EXPECT_EQ(world.kept[0].state(), static_cast<unsigned>(v1::RECEIPT_BOUNCED));
    EXPECT_EQ(world.kept[0].code(), "5.1.1");
    EXPECT_EQ(world.kept[0].notification(), std::string(16, '\x09'));
    EXPECT_THAT(world.metrics.expose(),
                HasSubstr(R"(semel_receipts_bounces_total{gateway="relay-b",what="failed"} 1)"));
}

TEST(BounceServer, RefusesAReturnPathThatNobodyOfUsMade) {
    relays_world world;
    with_server(world, [&](std::uint16_t port) -> asio::awaitable<void> {
        for (const auto& forged : {world.path_of("a key that we lack"), std::string{"kim@example.org"}}) {
            EXPECT_THAT(co_await talk(port, handing_over(forged)), HasSubstr("550 5.1.1 ")) << forged;
        }
    });
    EXPECT_TRUE(world.kept.empty());
}

TEST(BounceServer, SaysThatAMailIsKeptOnlyWhenItIs) {
    relays_world world;
    world.kafka_is_there = false;
    with_server(world, [&](std::uint16_t port) -> asio::awaitable<void> {
        const auto said = co_await talk(port, handing_over(world.path_of("a key of relay a's")));
        EXPECT_THAT(said, HasSubstr("451 4.3.0 "));
        EXPECT_THAT(said, testing::Not(HasSubstr("kept\r\n250")));
        EXPECT_THAT(world.metrics.expose(), testing::Not(HasSubstr("semel_receipts_bounces_total{")));
        world.kafka_is_there = true;
        EXPECT_THAT(co_await talk(port, handing_over(world.path_of("a key of relay a's"))),
                    HasSubstr("250 2.0.0 kept"));
    });
    EXPECT_EQ(world.kept.size(), 1U);
}

TEST(BounceServer, TurnsAwayWhatIsTooManyAndWhoStandsStill) {
    relays_world world;
    with_server(world,
                [&](std::uint16_t port) -> asio::awaitable<void> {
                    const auto executor = co_await asio::this_coro::executor;
                    socket::stream silent{executor};
                    silent.expires_after(10s * support::slowness);
                    EXPECT_TRUE(co_await silent.connect("127.0.0.1", port));
                    std::array<char, 256> greeting;
                    std::ignore = co_await silent.read_some(greeting); // so that it is inside
                    EXPECT_THAT(co_await talk(port, "QUIT\r\n"), StartsWith("421 4.3.2 "));
                    const auto [hung_up, n] = co_await silent.read_some(greeting);
                    EXPECT_TRUE(hung_up) << n;
                    EXPECT_FALSE(silent.timed_out()) << "the server's patience, not ours";
                    EXPECT_THAT(co_await talk(port, "QUIT\r\n"), EndsWith("221 2.0.0 goodbye\r\n"));
                },
                {.connections = 1, .patience = 300ms});
}

} // namespace
} // namespace semel::receipts
