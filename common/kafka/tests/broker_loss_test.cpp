// A broker of its own, killed and started again in the middle of transactions.

#include "own_broker.hpp"
#include "support.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <iostream>
#include <set>

namespace semel::kafka::test {
namespace {

// The pattern of every service: numbered work, each transaction with its position; after `unknown`, rebuild, read the
// position back, and go on from there.
TEST(BrokerLoss, KilledInTheMiddleEverythingIsThereOnce) {
    own_broker kafka;
    ground on{1, kafka.address()};
    auto settings = on.member("a");
    settings.bootstrap = kafka.address();
    settings.session_timeout = 60s; // nobody calls next() here: a member that was thrown out would stay out
    auto writing = on.transactional("a");
    writing.bootstrap = kafka.address();
    writing.transaction_timeout = 10s;
    constexpr int records_each = 200;
    constexpr int transactions = 60;
    play(
        [&](asio::any_io_executor ex) -> asio::awaitable<void> {
            consumer member{ex, settings};
            const auto given = co_await expect_next<assigned>(member);
            co_await begin_at_committed(member, given);
            transactional_producer writer{ex, writing};
            co_await writer.init();

            std::vector<outcome> outcomes;
            bool killed_open = false;
            bool killed_committing = false;
            for (offset at = 0; at < transactions;) {
                writer.begin();
                for (int i = 0; i < records_each; ++i) {
                    co_await writer.produce({on.output, 0}, "k", fmt::format("{}/{}", at, i));
                }
                if (at == 10 && !std::exchange(killed_open, true)) {
                    kafka.kill(); // what was produced is neither acknowledged nor refused
                    kafka.start();
                }
                if (at == 30 && !std::exchange(killed_committing, true)) {
                    // Posted: it strikes while the commit runs on the producer's thread.
                    asio::post(ex, [&] {
                        kafka.kill();
                        kafka.start();
                    });
                }
                std::vector<commit> offsets{{{on.topic, 0}, at + 1, std::to_string(at)}};
                const auto result = co_await writer.commit(std::move(offsets), member.current_membership());
                if (result.outcome == outcome::committed) {
                    ++at;
                    continue;
                }
                outcomes.push_back(result.outcome);
                if (result.outcome == outcome::unknown) {
                    co_await writer.rebuild();
                    // The member may have been thrown out meanwhile: its position is read all the same.
                    at = must(co_await member.committed({{on.topic, 0}})).at(0).next;
                }
            }
            EXPECT_TRUE(killed_open && killed_committing);
            std::cout << outcomes.size() << " transactions did not come through at once\n";
            const auto output = co_await contents(ex, on.output, kafka.address());
            const std::set<std::string> distinct{output.begin(), output.end()};
            EXPECT_EQ(output.size(), static_cast<std::size_t>(transactions) * records_each);
            EXPECT_EQ(distinct.size(), output.size());
        },
        150s);
}

} // namespace
} // namespace semel::kafka::test
