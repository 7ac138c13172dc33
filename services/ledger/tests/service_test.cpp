// The whole way from Kafka to PostgreSQL, with both at hand, and with either of them in trouble.

#include "database.hpp"
#include "events.hpp"

#include <kafka/tests/support.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>

#include <ledger/edge/service.hpp>
#include <ledger/schema.hpp>
#include <support/slowness.hpp>

#include <algorithm>
#include <optional>

namespace semel::ledger {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using kafka::test::broker;
using kafka::test::fresh;
using kafka::test::must;
using kafka::test::play;
using test::story;

constexpr std::int32_t partitions = 4;

class Service : public testing::Test {
  protected:
    Service() {
        must(kafka_.create_topics(
            std::vector<kafka::topic_spec>{{topic_, partitions, false, {{"retention.ms", "-1"}}}}));
        pqxx::connection c{database_.dsn()};
        migrate(c);
    }

    settings options(const std::string& instance, std::string group = {}) const {
        settings s;
        s.bootstrap = broker();
        s.instance = instance;
        s.group = group.empty() ? topic_ + ".ledger" : std::move(group);
        s.topic = topic_;
        s.session_timeout = 6s;
        s.patience = 20ms;
        return s;
    }

    /// Writes events as their services do: to the partition of their notification or person.
    asio::awaitable<void> emit(std::vector<v1::Event> events, std::size_t in_a_record = 20) {
        if (!writer_) {
            writer_.emplace(co_await asio::this_coro::executor,
                            kafka::producer_options{.bootstrap = broker(), .transactional_id = topic_ + ".writer"});
            co_await writer_->init();
        }
        std::map<std::int32_t, v1::EventBatch> batches;
        writer_->begin();
        const auto send = [](kafka::transactional_producer& to, kafka::topic_partition at,
                             v1::EventBatch& batch) -> asio::awaitable<void> {
            co_await to.produce(std::move(at), {}, batch.SerializeAsString());
            batch.Clear();
        };
        for (const auto& e : events) {
            const auto& subject = e.notification().empty() ? e.recipient_ref() : e.notification();
            const auto partition = subject.empty() ? 0 : base::partition_of(subject, partitions);
            auto& batch = batches[partition];
            *batch.add_events() = e;
            if (static_cast<std::size_t>(batch.events_size()) >= in_a_record) {
                co_await send(*writer_, {topic_, partition}, batch);
            }
        }
        for (auto& [partition, batch] : batches) {
            co_await send(*writer_, {topic_, partition}, batch);
        }
        const auto result = co_await writer_->commit({}, nullptr);
        if (result.outcome != kafka::outcome::committed) {
            throw std::runtime_error{result.why};
        }
    }

    std::int64_t number(const std::string& sql) const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        return tx.exec1(sql)[0].as<std::int64_t>();
    }
    asio::awaitable<void> until(std::string sql) const {
        const auto deadline = std::chrono::steady_clock::now() + 30s * support::slowness;
        while (number("SELECT coalesce((" + sql + ")::int, 0)") == 0) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error{"this did not become true: " + sql};
            }
            co_await runtime::sleep(20ms);
        }
    }
    std::string coverage(const std::string& campaign) const {
        pqxx::connection c{database_.dsn()};
        pqxx::nontransaction tx{c};
        const auto row = tx.exec1("SELECT reached, failed, unreachable, in_doubt, outstanding, rejected FROM "
                                  "ledger.coverage('" +
                                  campaign + "')");
        std::string out;
        for (const auto& field : row) {
            out += std::string{out.empty() ? "" : " "} + field.as<std::string>();
        }
        return out;
    }

    test::database database_;
    std::string topic_ = fresh("events");
    kafka::admin kafka_{broker()};
    std::optional<kafka::transactional_producer> writer_;
};

/// A ledger that runs beside the test.
class running {
  public:
    running(asio::any_io_executor executor, settings s, const std::string& dsn)
        : db_(dsn, 2)
        , stop_(executor)
        , ended_(executor)
        , service_(executor, std::move(s), db_, metrics_, [this](const auto& trouble) { ready_ = !trouble; }) {
        asio::co_spawn(executor, service_.run(stop_.wait()), [this](std::exception_ptr e) {
            failure_ = e;
            over_ = true;
            if (e) {
                try {
                    std::rethrow_exception(e);
                } catch (const std::exception& why) {
                    fmt::print(stderr, "the ledger ended: {}\n", why.what());
                }
            }
            ended_.notify();
        });
    }
    asio::awaitable<void> stop() {
        stop_.notify();
        while (!over_) {
            co_await ended_.wait();
        }
        if (failure_) {
            std::rethrow_exception(failure_);
        }
    }
    bool ready() const { return ready_; }
    bool over() const { return over_; }
    std::string metrics() const { return metrics_.expose(); }

  private:
    postgres::pool db_;
    telemetry::metrics metrics_;
    runtime::condition stop_, ended_;
    std::exception_ptr failure_;
    bool over_ = false;
    bool ready_ = false;
    service service_;
};

/// `count` people, each with a message that is accepted.
std::vector<v1::Event> campaign_of(story& s, int count, int from = 0) {
    std::vector<v1::Event> events;
    for (int i = from; i < from + count; ++i) {
        events.push_back(
            s.recipient(fmt::format("p{}", i), 1, static_cast<std::uint64_t>(i) + 1, {fmt::format("own:{}", i)}));
        events.push_back(s.about(v1::EVENT_ACCEPTED, std::to_string(i)));
    }
    return events;
}

constexpr const char* all_written = "SELECT reached >= {} FROM ledger.campaigns WHERE id = '{}'";

TEST_F(Service, CopiesEventsAndTellsKafkaHowFarItIs) {
    play([this](asio::any_io_executor executor) -> asio::awaitable<void> {
        story s{fresh("c")};
        running ledger{executor, options("ledger"), database_.dsn()};
        auto events = campaign_of(s, 500);
        events.push_back(s.sealed(1, 510, 4));
        co_await emit(events);
        co_await until(fmt::format(fmt::runtime(all_written), 500, s.campaign));
        EXPECT_TRUE(ledger.ready());
        co_await ledger.stop();
        EXPECT_EQ(coverage(s.campaign), "500 0 0 0 6 4");
        for (const auto& lag : must(kafka_.group_lag(topic_ + ".ledger", topic_))) {
            EXPECT_EQ(lag.committed, number(fmt::format("SELECT next FROM ledger.positions WHERE topic = '{}' AND "
                                                        "partition = {}",
                                                        topic_, lag.at.partition)));
        }
    });
}

TEST_F(Service, TwoShareThePartitionsAndTakeThemOver) {
    play([this](asio::any_io_executor executor) -> asio::awaitable<void> {
        story s{fresh("c")};
        std::optional<running> first{std::in_place, executor, options("ledger"), database_.dsn()};
        running second{executor, options("ledger-2"), database_.dsn()};
        co_await emit(campaign_of(s, 300));
        co_await until(fmt::format(fmt::runtime(all_written), 300, s.campaign));
        co_await first->stop();
        first.reset();
        co_await emit(campaign_of(s, 300, 300));
        co_await until(fmt::format(fmt::runtime(all_written), 600, s.campaign)); // the session of the first ran out
        co_await second.stop();
        EXPECT_EQ(coverage(s.campaign), "600 0 0 0 0 0");
    });
}

TEST_F(Service, TwoThatOwnTheSamePartitionsWriteEverythingOnce) {
    // As a ledger that does not know yet that its partitions went to another one: here two groups have them all.
    play([this](asio::any_io_executor executor) -> asio::awaitable<void> {
        story s{fresh("c")};
        running one{executor, options("ledger", topic_ + ".one"), database_.dsn()};
        running other{executor, options("ledger", topic_ + ".other"), database_.dsn()};
        for (int i = 0; i < 20; ++i) {
            co_await emit(campaign_of(s, 50, i * 50), 5);
        }
        co_await until(fmt::format(fmt::runtime(all_written), 1'000, s.campaign));
        co_await one.stop();
        co_await other.stop();
        EXPECT_EQ(coverage(s.campaign), "1000 0 0 0 0 0");
        EXPECT_EQ(number("SELECT count(*) FROM ledger.events"), 1'000);
        EXPECT_EQ(number("SELECT sum(released) FROM ledger.wave_totals"), 1'000);
    });
}

TEST_F(Service, APostgresThatBreaksOffLosesAndDoublesNothing) {
    play([this](asio::any_io_executor executor) -> asio::awaitable<void> {
        story s{fresh("c")};
        auto small = options("ledger");
        small.most_events = 100;
        running ledger{executor, small, database_.dsn()};
        for (int i = 0; i < 20; ++i) {
            co_await emit(campaign_of(s, 100, i * 100), 5);
            number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() "
                   "AND pid <> pg_backend_pid()");
        }
        co_await until(fmt::format(fmt::runtime(all_written), 2'000, s.campaign));
        EXPECT_TRUE(ledger.ready());
        EXPECT_EQ(ledger.metrics().find("semel_ledger_postgres_waits_total 0"), std::string::npos);
        co_await ledger.stop();
        EXPECT_EQ(coverage(s.campaign), "2000 0 0 0 0 0");
        EXPECT_EQ(number("SELECT count(*) FROM ledger.events"), 2'000);
        EXPECT_EQ(number("SELECT planned FROM ledger.channel_totals"), 2'000);
    });
}

TEST_F(Service, WhatCannotBeReadIsCountedAndTheRestIsWritten) {
    play([this](asio::any_io_executor executor) -> asio::awaitable<void> {
        story s{fresh("c")};
        running ledger{executor, options("ledger"), database_.dsn()};
        co_await emit(campaign_of(s, 10)); // makes the writer
        writer_->begin();
        co_await writer_->produce({topic_, 1}, {}, "no EventBatch");
        co_await writer_->commit({}, nullptr);
        auto broken = s.about(v1::EVENT_ACCEPTED, "b");
        broken.set_id("short");
        std::vector<v1::Event> more = campaign_of(s, 10, 10);
        more.push_back(broken);
        co_await emit(more);
        co_await until(fmt::format(fmt::runtime(all_written), 20, s.campaign));
        co_await until("SELECT sum(dead_letters) = 2 FROM ledger.campaigns");
        co_await ledger.stop();
        pqxx::connection c{database_.dsn()};
        const auto counted =
            pqxx::work{c}.exec_params1("SELECT letters, unattributed FROM ledger.dead_letters($1)", s.campaign);
        EXPECT_EQ(counted[0].as<int>(), 1);
        EXPECT_EQ(counted[1].as<int>(), 1);
    });
}

TEST_F(Service, RefusesAKafkaThatHoldsLessThanPostgresHas) {
    play([this](asio::any_io_executor executor) -> asio::awaitable<void> {
        {
            pqxx::connection c{database_.dsn()};
            pqxx::work tx{c};
            tx.exec_params("INSERT INTO ledger.positions VALUES ($1, 2, 77)", topic_);
            tx.commit();
        }
        running ledger{executor, options("ledger"), database_.dsn()};
        while (!ledger.over()) {
            co_await runtime::sleep(20ms);
        }
        try {
            co_await ledger.stop();
            ADD_FAILURE() << "it started";
        } catch (const std::runtime_error& e) {
            EXPECT_NE(std::string{e.what()}.find("up to 77"), std::string::npos) << e.what();
        }
        EXPECT_FALSE(ledger.ready());
    });
}

} // namespace
} // namespace semel::ledger
