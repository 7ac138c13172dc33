// A broker of its own, killed and started again in the middle of transactions.

#include "own_broker.hpp"
#include "process.hpp"
#include "support.hpp"

#include <runtime/race.hpp>

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
    settings.session_timeout = 60s; // nobody calls next() here: a member that was thrown out would stay out
    auto writing = on.transactional("a");
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

// The mistake: to count the time that Kafka is away as time of trying, and to start anew just when it is back.
TEST(BrokerLoss, ATransactorWaitsForAKafkaThatIsAwayLongerThanItTriesInVain) {
    own_broker kafka;
    ground on{1, kafka.address()};
    play(
        [&](asio::any_io_executor ex) -> asio::awaitable<void> {
            const auto hasty = [](transactor_options& o) {
                o.transaction_timeout = 5s;
                o.stall_after = 1s;
                // Or the group takes a member away that it cannot reach, and librdkafka ends as a fenced one.
                o.session_timeout = 60s;
            };
            co_await fill(ex, on, {on.topic, 0}, 1); // before anybody can read it, and kill Kafka
            process p{ex, on, "a", hasty};
            std::vector<settled> told;
            p.who.on_read = [&](tenure_ptr t, records got) -> asio::awaitable<void> {
                do {
                    auto tx = co_await p.by.begin(t);
                    if (!tx) {
                        co_return; // read again in the next tenure
                    }
                    co_await tx->produce({on.output, 0}, "k", got.batch.front().value());
                    if (told.empty()) {
                        kafka.kill();
                    }
                    std::vector<commit> offsets{{{on.topic, 0}, got.batch.front().offset() + 1, "mine"}};
                    told.push_back(co_await tx->commit(std::move(offsets)));
                } while (told.back() == settled::undone);
            };
            const auto killed = [&] { return !kafka.runs(); };
            co_await until(killed, "the commit to begin");
            co_await runtime::sleep(15s); // what is shown is that time passes
            kafka.start();
            co_await wait_for_position(p, {on.topic, 0}, 1);
            co_await p.end();
            const auto output = co_await contents(ex, on.output, kafka.address());
            EXPECT_EQ(output.size(), 1U);
            EXPECT_GE(told.size(), 2U) << "or it shows nothing: the first commit outlived the outage";
        },
        150s);
}

} // namespace
} // namespace semel::kafka::test
