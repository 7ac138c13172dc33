// Kafka as the engine's log: what of it the simulation takes for granted (tests/simulation/broker.hpp).

#include <delivery/kafka/record_log.hpp>
#include <kafka/tests/support.hpp>

#include <boost/asio/detached.hpp>

namespace semel::delivery::testing {
namespace {

using namespace kafka::test;

record_log_options log_of(const ground& on, std::string instance) {
    return {.bootstrap = on.bootstrap,
            .group = on.group,
            .instance = on.group + "." + std::move(instance), // it names the producer's transactions as well
            .topics = {on.topic},
            .session_timeout = 6s};
}

/// As the engine takes over; how many partitions that were.
asio::awaitable<std::size_t> take_over(record_log& log, const kafka::assigned& gained) {
    log.bind_membership();
    auto which = gained.partitions;
    std::vector<kafka::start> starts;
    for (const auto& c : must(co_await log.committed(std::move(which)))) {
        starts.push_back({.at = c.at, .next = c.next});
    }
    log.begin(starts);
    co_return starts.size();
}

/// Takes and gives as it is told, until it has so many.
asio::awaitable<void> live_until_it_has(record_log& log, std::size_t partitions) {
    for (std::size_t has = 2 * partitions; has != partitions;) {
        auto happened = co_await log.next();
        if (const auto* gained = std::get_if<kafka::assigned>(&happened)) {
            has = co_await take_over(log, *gained);
        } else if (const auto* gone = std::get_if<kafka::revoked>(&happened)) {
            log.release(*gone);
        } else if (std::holds_alternative<kafka::stopped>(happened)) {
            throw std::runtime_error{"it was closed meanwhile"};
        }
    }
}

// A transaction that is long about its records, and a group that meanwhile takes its partitions away and gives others:
// under the new membership Kafka would take offsets of what is another's by now.
TEST(RecordLog, ATransactionIsCommittedAsTheMemberThatBeganIt) {
    const ground on{2};
    play([&](asio::any_io_executor ex) -> asio::awaitable<void> {
        record_log former{ex, log_of(on, "a")};
        log_writer& writes = former;
        co_await writes.init();
        co_await live_until_it_has(former, 2);
        writes.begin();
        co_await writes.produce({on.output, 0}, "k", "v");

        record_log latter{ex, log_of(on, "b")};
        bool shared = false;
        asio::co_spawn(ex, live_until_it_has(latter, 1), [&](std::exception_ptr failed) { shared = !failed; });
        co_await live_until_it_has(former, 1);
        const auto both = [&] { return shared; };
        co_await kafka::test::until(both, "the second to have its half");

        std::vector<kafka::commit> offsets{{{on.topic, 0}, 1, "former"}, {{on.topic, 1}, 1, "former"}};
        const auto refused = co_await writes.commit(std::move(offsets));
        EXPECT_EQ(refused.outcome, kafka::outcome::aborted) << refused.why;
        writes.begin();
        std::vector<kafka::commit> own{{{on.topic, 0}, 1, "own"}};
        const auto taken = co_await writes.commit(std::move(own));
        EXPECT_EQ(taken.outcome, kafka::outcome::committed) << taken.why;
        co_await former.close();
        co_await latter.close();
    });
}

} // namespace
} // namespace semel::delivery::testing
