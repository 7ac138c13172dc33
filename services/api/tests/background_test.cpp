// The outbox and the feedback, with a real Kafka.

#include "support.hpp"

#include <kafka/tests/support.hpp>
#include <runtime/race.hpp>

#include <api/edge/publisher.hpp>
#include <support/slowness.hpp>

namespace semel::api::test {
namespace {

namespace kt = kafka::test;

struct Background : Api {
    Background() { config.kafka_bootstrap = kt::broker(); }

    /// Runs the work beside until the condition holds.
    void run_until(asio::awaitable<void> work, const std::function<bool()>& condition) {
        std::exception_ptr failure;
        bool ended = false;
        asio::cancellation_signal stop;
        asio::co_spawn(io, std::move(work), asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr thrown) {
                           failure = thrown;
                           ended = true;
                       }));
        const auto until = std::chrono::steady_clock::now() + 30s * support::slowness;
        bool held = false;
        while (!ended && !held && std::chrono::steady_clock::now() < until) {
            io.restart();
            io.run_for(20ms);
            held = condition();
        }
        EXPECT_TRUE(held) << (ended ? "the work ended" : "it did not come to that in time");
        if (!ended) {
            stop.emit(asio::cancellation_type::terminal);
        }
        while (!ended) {
            io.restart();
            io.run_one_for(1s);
        }
    }
    void enqueue(const std::string& topic, int from, int to) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            for (int i = from; i < to; ++i) {
                store::enqueue(tx, topic, 0, "k", std::to_string(i));
            }
            tx.commit();
        });
    }
    /// The publisher of one process of the api; all of a test have the same place.
    asio::awaitable<void> publish(const kt::ground& ground) { return publish(*shared, place(ground)); }
    static asio::awaitable<void> publish(services& by, publisher_place at) {
        publisher p{by, std::move(at)};
        co_await p.run();
    }
    static publisher_place place(const kt::ground& ground) { return {.name = ground.topic, .topic = ground.topic}; }
    void expire_lease() {
        pqxx::connection c{config.postgres_dsn};
        pqxx::work tx{c};
        tx.exec("UPDATE api.publisher SET heard = '-infinity'");
        tx.commit();
    }
    static std::vector<std::string> numbers(int from, int to) {
        std::vector<std::string> out;
        for (int i = from; i < to; ++i) {
            out.push_back(std::to_string(i));
        }
        return out;
    }
    void cut_postgres() {
        administer(fmt::format("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
                               pqxx::connection{config.postgres_dsn}.dbname()));
    }
    std::vector<std::string> contents(const std::string& topic) {
        std::vector<std::string> out;
        play([&]() -> asio::awaitable<void> {
            return [](Background& t, std::string from, std::vector<std::string>& to) -> asio::awaitable<void> {
                to = co_await kt::contents(t.io.get_executor(), from);
            }(*this, topic, out);
        });
        return out;
    }
};

TEST_F(Background, TheOutboxIsPublishedInOrderAndEmptied) {
    const kt::ground ground;
    enqueue(ground.topic, 0, 250); // more than it takes at once
    run_until(publish(ground), [&] { return outbox_of(ground.topic).empty(); });
    EXPECT_EQ(contents(ground.topic), numbers(0, 250));
}

// It was killed when Kafka had the rows and its outbox had not forgotten them: a test message would be sent twice.
TEST_F(Background, RowsThatKafkaHasAreNotSentAgainByTheNextPublisher) {
    const kt::ground ground;
    enqueue(ground.topic, 0, 50);
    const auto rows = outbox_of(ground.topic);
    run_until(publish(ground), [&] { return outbox_of(ground.topic).empty(); });
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        for (const auto& row : rows) {
            tx.exec_params("INSERT INTO api.outbox VALUES ($1, $2, $3, 'k', $4)", row.number, row.topic, row.partition,
                           pqxx::binarystring{row.value});
        }
        tx.commit();
    });
    enqueue(ground.topic, 50, 60);
    run_until(publish(ground), [&] { return outbox_of(ground.topic).empty(); });
    EXPECT_EQ(contents(ground.topic), numbers(0, 60));
}

// It stood still with older records on their way, and wakes when another has published newer ones.
TEST_F(Background, APublisherThatWakesWritesNothingOverNewerRecords) {
    const kt::ground ground;
    kafka::transactional_producer slept{io.get_executor(),
                                        {.bootstrap = kt::broker(), .transactional_id = place(ground).name}};
    play([&]() -> asio::awaitable<void> {
        return [](kafka::transactional_producer& p, std::string topic) -> asio::awaitable<void> {
            co_await p.init();
            p.begin();
            co_await p.produce({std::move(topic), 0}, "k", "older");
        }(slept, ground.topic);
    });
    enqueue(ground.topic, 1, 2);
    run_until(publish(ground), [&] { return outbox_of(ground.topic).empty(); });
    kafka::commit_result woken;
    play([&]() -> asio::awaitable<void> {
        return [](kafka::transactional_producer& p, kafka::commit_result& to) -> asio::awaitable<void> {
            to = co_await p.commit({}, nullptr);
        }(slept, woken);
    });
    EXPECT_NE(woken.outcome, kafka::outcome::committed);
    EXPECT_EQ(contents(ground.topic), numbers(1, 2));
}

TEST_F(Background, PublishersTakeTurnsAndSendEachRowOnceInOrder) {
    const kt::ground ground;
    auto other = *shared;
    other.instance += "-2";
    std::vector<asio::awaitable<void>> both;
    both.push_back(publish(*shared, place(ground)));
    both.push_back(publish(other, place(ground)));
    int sent = 0;
    run_until(runtime::first_of(std::move(both)), [&] {
        if (outbox_of(ground.topic).empty() && sent < 40) {
            enqueue(ground.topic, sent, sent + 10);
            sent += 10;
            expire_lease(); // whoever looks first publishes these
        }
        return sent == 40 && outbox_of(ground.topic).empty();
    });
    EXPECT_EQ(contents(ground.topic), numbers(0, 40));
}

TEST(Publisher, LeavesWordOfItsRowsWithinWhatAnOffsetCarries) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 200; ++i) {
        rows.push_back(9'000'000'000'000'000'000 + i * 1'000'000'000'000);
    }
    EXPECT_EQ(decode_numbers(encode_numbers(rows)), rows);
    EXPECT_LE(encode_numbers(rows).size(), 4'096U);
    EXPECT_TRUE(decode_numbers("").empty());
    EXPECT_TRUE(decode_numbers("not ours").empty());
    EXPECT_THAT(encode_numbers({3, 4, 9}), "3,1,5");
}

TEST_F(Background, TheOutboxOutlivesPostgres) {
    const kt::ground ground;
    // Looks and writes beside the pool, so that it is the publisher who meets the cut.
    const auto waiting = [&] {
        pqxx::connection c{config.postgres_dsn};
        pqxx::work tx{c};
        return tx.exec_params1("SELECT count(*) FROM api.outbox WHERE topic = $1", ground.topic)[0].as<int>();
    };
    enqueue(ground.topic, 0, 1);
    bool cut = false;
    run_until(publish(ground), [&] {
        if (!cut && waiting() == 0) {
            cut_postgres();
            cut = true;
            pqxx::connection c{config.postgres_dsn};
            pqxx::work tx{c};
            store::enqueue(tx, ground.topic, 0, "k", "1");
            tx.commit();
        }
        return cut && waiting() == 0;
    });
    EXPECT_THAT(contents(ground.topic), testing::ElementsAre("0", "1"));
}

TEST_F(Background, FeedbackBecomesStepsAndIsPassedOnce) {
    const kt::ground ground;
    const auto id = create();
    ASSERT_EQ(upload(id, "recipient_id\n1\n").status, 202U);
    enqueue(ground.topic, 0, 1); // one that does not parse is passed over
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("UPDATE api.outbox SET value = '\\xffff'::bytea WHERE topic = '" + ground.topic + "'");
        for (const auto& f : {compiled(id), imported(id, 1)}) {
            store::enqueue(tx, ground.topic, 0, id, f.SerializeAsString());
        }
        // Only what this test reads: the other rows' topics are not there.
        tx.exec("DELETE FROM api.outbox WHERE topic <> '" + ground.topic + "'");
        tx.commit();
    });
    run_until(publish(ground), [&] { return outbox_of(ground.topic).empty(); });
    const auto offset = [&] {
        kafka::admin kafka{kt::broker()};
        return kafka.group_lag(ground.group, ground.topic).value().at(0).committed;
    };
    run_until(take_feedback(*shared, {.topic = ground.topic, .group = ground.group}), [&] { return offset() == 3; });
    const auto c = campaign(id);
    EXPECT_GT(c.artifacts_size(), 0);
    ASSERT_EQ(c.waves_size(), 1);
    EXPECT_EQ(c.waves(0).phase(), v1::WAVE_IMPORTED);
}

} // namespace
} // namespace semel::api::test
