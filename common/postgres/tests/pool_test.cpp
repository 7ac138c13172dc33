#include <postgres/outage.hpp>
#include <postgres/pool.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/backing.hpp>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <thread>

namespace semel::postgres {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Each test has a schema of its own, dropped at its end.
class Postgres : public testing::Test {
  protected:
    void SetUp() override {
        const std::string base = support::postgres();
        schema_ =
            fmt::format("pool_test_{}_{}", ::getpid(), testing::UnitTest::GetInstance()->current_test_info()->line());
        pqxx::connection admin{base};
        pqxx::work tx{admin};
        tx.exec("CREATE SCHEMA " + schema_);
        tx.commit();
        const bool uri = base.starts_with("postgres");
        base_ = base;
        dsn_ =
            uri ? fmt::format("{}{}options=-csearch_path%3D{}", base, base.find('?') == base.npos ? '?' : '&', schema_)
                : fmt::format("{} options=-csearch_path={}", base, schema_);
    }
    void TearDown() override {
        if (!base_.empty()) {
            pqxx::connection admin{base_};
            pqxx::work tx{admin};
            tx.exec("DROP SCHEMA " + schema_ + " CASCADE");
            tx.commit();
        }
    }

    void run(asio::awaitable<void> test) {
        asio::io_context io;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(test), [&](std::exception_ptr e) { failure = e; });
        io.run();
        if (failure) {
            std::rethrow_exception(failure);
        }
    }

    std::string base_, dsn_, schema_;
};

int one(pqxx::connection& c) {
    pqxx::work tx{c};
    return tx.exec1("SELECT 1")[0].as<int>();
}

int backend(pqxx::connection& c) {
    return c.backendpid();
}

TEST_F(Postgres, RunsOnItsThreadsAndResumesOnMine) {
    pool db{dsn_, 2};
    run([](pool& db) -> asio::awaitable<void> {
        const auto mine = std::this_thread::get_id();
        const auto there = co_await db.run([](pqxx::connection& c) {
            one(c);
            return std::this_thread::get_id();
        });
        EXPECT_NE(there, mine);
        EXPECT_EQ(std::this_thread::get_id(), mine);
        co_await db.run([](pqxx::connection& c) { one(c); }); // void
        const auto owned = co_await db.run([](pqxx::connection& c) { return std::make_unique<int>(one(c)); });
        EXPECT_EQ(*owned, 1);
    }(db));
}

TEST_F(Postgres, ExceptionsComeThroughAndTheConnectionStays) {
    pool db{dsn_, 1};
    run([](pool& db) -> asio::awaitable<void> {
        const int before = co_await db.run(backend);
        bool thrown = false;
        try {
            co_await db.run([](pqxx::connection& c) {
                pqxx::work tx{c};
                tx.exec("SELECT * FROM nothing_of_this_name");
            });
        } catch (const pqxx::undefined_table&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
        EXPECT_EQ(co_await db.run(backend), before);
    }(db));
}

TEST_F(Postgres, ABrokenConnectionIsThrownOnceAndReplaced) {
    pool db{dsn_, 1};
    run([](pool& db, std::string dsn) -> asio::awaitable<void> {
        const int before = co_await db.run(backend);
        {
            pqxx::connection other{dsn};
            pqxx::work tx{other};
            tx.exec_params("SELECT pg_terminate_backend($1)", before);
            tx.commit();
        }
        bool thrown = false;
        try {
            co_await db.run([](pqxx::connection& c) { one(c); });
        } catch (const pqxx::broken_connection&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
        EXPECT_NE(co_await db.run(backend), before);
    }(db, dsn_));
}

TEST_F(Postgres, WorkRunsSideBySide) {
    pool db{dsn_, 2};
    run([](pool& db) -> asio::awaitable<void> {
        using namespace asio::experimental::awaitable_operators;
        // Each waits for a lock that only the other's presence opens: they must overlap.
        const auto meet = [](int mine, int other) {
            return [mine, other](pqxx::connection& c) {
                pqxx::nontransaction tx{c};
                tx.exec_params("SELECT pg_advisory_lock($1)", mine);
                bool met = false;
                for (int i = 0; i < 100'000 && !met; ++i) {
                    met = tx.exec_params1("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1",
                                          other)[0]
                              .as<int>() > 0;
                }
                return met;
            };
        };
        auto left = db.run(meet(7'001, 7'002));
        auto right = db.run(meet(7'002, 7'001));
        const auto [l, r] = co_await (std::move(left) && std::move(right));
        EXPECT_TRUE(l && r);
    }(db));
}

TEST_F(Postgres, AnUnreachableServerIsAnException) {
    pool db{"host=127.0.0.1 port=1 dbname=none connect_timeout=2", 1};
    run([](pool& db) -> asio::awaitable<void> {
        bool thrown = false;
        try {
            co_await db.run(backend);
        } catch (const pqxx::broken_connection&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
    }(db));
}

TEST_F(Postgres, SchemaStepsRunOnceInOrder) {
    pool db{dsn_, 1};
    const auto first = [](pqxx::connection& c) {
        migrate(c, "x", {"CREATE TABLE t (a int); INSERT INTO t VALUES (1)"});
    };
    const auto second = [](pqxx::connection& c) {
        migrate(c, "x", {"CREATE TABLE t (a int); INSERT INTO t VALUES (1)", "UPDATE t SET a = a + 1"});
    };
    db.run_blocking(first);
    db.run_blocking(first);
    db.run_blocking(second);
    db.run_blocking(second);
    EXPECT_EQ(db.run_blocking([](pqxx::connection& c) { return pqxx::work{c}.exec1("SELECT a FROM t")[0].as<int>(); }),
              2);
    EXPECT_THROW(db.run_blocking(first), std::runtime_error); // an older program
    EXPECT_THROW(db.run_blocking([](pqxx::connection& c) { migrate(c, "x", {"CREATE TABLE u (a int)", "", ""}); }),
                 std::runtime_error); // a changed step
    db.run_blocking([](pqxx::connection& c) { migrate(c, "y", {"CREATE TABLE u (a int)"}); });
}

TEST_F(Postgres, AFailedStepLeavesNothing) {
    pool db{dsn_, 1};
    EXPECT_THROW(db.run_blocking([](pqxx::connection& c) { migrate(c, "x", {"CREATE TABLE t (a int)", "nonsense"}); }),
                 pqxx::sql_error);
    db.run_blocking([](pqxx::connection& c) { migrate(c, "x", {"CREATE TABLE t (a int)"}); });
}

TEST_F(Postgres, TwoProcessesMayMigrateAtOnce) {
    std::vector<std::jthread> both;
    for (int i = 0; i < 4; ++i) {
        both.emplace_back([this] {
            pqxx::connection c{dsn_};
            migrate(c, "x", {"CREATE TABLE t (a int)"});
        });
    }
}

/// What was thrown, as it is told to people, or nothing.
template <class F>
std::optional<outage> hindered(pool& db, F work) {
    try {
        db.run_blocking(work);
    } catch (const std::exception& e) {
        return outage_in(e);
    }
    return std::nullopt;
}

TEST_F(Postgres, ALockThatAnotherHoldsEndsTheStatementAndTheNextOneGoesOn) {
    pool db{dsn_, 1, {.lock = 200ms}};
    db.run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("CREATE TABLE t (a int)");
        tx.commit();
    });
    const auto insert = [](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("INSERT INTO t VALUES (1)");
        tx.commit();
    };
    {
        pqxx::connection other{dsn_};
        pqxx::work holds{other};
        holds.exec("LOCK TABLE t");
        const auto why = hindered(db, insert);
        ASSERT_TRUE(why);
        EXPECT_EQ(why->what, outage::kind::contended);
        EXPECT_EQ(why->words, "PostgreSQL lets a statement wait for a lock for too long (SQLSTATE 55P03)");
    }
    EXPECT_FALSE(hindered(db, insert));
}

TEST_F(Postgres, AStatementThatDoesNotEndIsEndedAndTheNextOneGoesOn) {
    pool db{dsn_, 1, {.statement = 200ms}};
    const auto why = hindered(db, [](pqxx::connection& c) { pqxx::nontransaction{c}.exec("SELECT pg_sleep(60)"); });
    ASSERT_TRUE(why);
    EXPECT_EQ(why->what, outage::kind::slow);
    EXPECT_EQ(why->words, "PostgreSQL did not answer within its limit of time (SQLSTATE 57014)");
    EXPECT_FALSE(hindered(db, one));
}

TEST_F(Postgres, ATransactionThatStandsStillLosesItsLocks) {
    pool db{dsn_, 2, {.idle_in_transaction = 200ms}};
    db.run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("CREATE TABLE t (a int)");
        tx.commit();
    });
    const auto why = hindered(db, [&](pqxx::connection& c) {
        pqxx::work still{c};
        still.exec("LOCK TABLE t");
        db.run_blocking([](pqxx::connection& other) { pqxx::work{other}.exec("SELECT a FROM t"); }); // it waits
        still.exec("SELECT 1");
    });
    ASSERT_TRUE(why);
    EXPECT_TRUE(why->what == outage::kind::slow || why->what == outage::kind::unreachable) << why->words;
    EXPECT_FALSE(hindered(db, one));
}

std::string shown(pool& db, const std::string& name) {
    return db.run_blocking(
        [&](pqxx::connection& c) { return pqxx::nontransaction{c}.exec1("SHOW " + name)[0].as<std::string>(); });
}

TEST_F(Postgres, WhatTheDsnSetsStands) {
    pool ours{dsn_, 1};
    EXPECT_EQ(shown(ours, "statement_timeout"), "1min");
    EXPECT_EQ(shown(ours, "lock_timeout"), "20s");
    EXPECT_EQ(shown(ours, "idle_in_transaction_session_timeout"), "1min");
    EXPECT_EQ(shown(ours, "jit"), "off");
    pool theirs{dsn_ + (dsn_.starts_with("postgres") ? "%20-cstatement_timeout%3D7s" : "\\ -cstatement_timeout=7s"), 1};
    EXPECT_EQ(shown(theirs, "statement_timeout"), "7s");
    EXPECT_EQ(shown(theirs, "lock_timeout"), "20s");
    EXPECT_EQ(shown(theirs, "search_path"), schema_);
}

TEST_F(Postgres, ASchemaStepTakesItsTime) {
    pool db{dsn_, 1, {.statement = 100ms, .lock = 100ms}};
    db.run_blocking([](pqxx::connection& c) { migrate(c, "x", {"SELECT pg_sleep(0.3)"}); });
    EXPECT_EQ(shown(db, "statement_timeout"), "100ms") << "of the steps alone";
}

} // namespace
} // namespace semel::postgres
