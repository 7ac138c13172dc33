// Reading in pieces: one view of the database, on a connection of its own, that cannot write.

#include <postgres/snapshot.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/backing.hpp>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

namespace semel::postgres {
namespace {

namespace asio = boost::asio;

struct Snapshot : testing::Test {
    void SetUp() override {
        table_ =
            fmt::format("snapshot_{}_{}", ::getpid(), testing::UnitTest::GetInstance()->current_test_info()->line());
        administer("CREATE TABLE " + table_ + " AS SELECT generate_series(1, 5) AS n");
    }
    void TearDown() override { administer("DROP TABLE " + table_); }

    void administer(const std::string& sql) const {
        pqxx::connection c{dsn_};
        pqxx::work tx{c};
        tx.exec(sql);
        tx.commit();
    }
    std::string query() const { return "DECLARE list NO SCROLL CURSOR FOR SELECT n FROM " + table_ + " ORDER BY n"; }
    static void run(asio::awaitable<void> story) {
        asio::io_context io;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(story), [&](std::exception_ptr e) { failure = e; });
        io.run();
        if (failure) {
            std::rethrow_exception(failure);
        }
    }

    const std::string dsn_ = support::postgres();
    std::string table_;
};

std::size_t next_page(pqxx::work& tx) {
    return static_cast<std::size_t>(tx.exec("FETCH 3 FROM list").size());
}

TEST_F(Snapshot, SeesTheDatabaseAsItWasAtItsFirstPiece) {
    run([](Snapshot& self) -> asio::awaitable<void> {
        pool db{self.dsn_, 1};
        snapshot view{db};
        co_await view.run([query = self.query()](pqxx::work& tx) { tx.exec0(query); });
        EXPECT_EQ(co_await view.run(next_page), 3U);
        // The pool's one thread and one connection are free between two pieces.
        co_await db.run([insert = "INSERT INTO " + self.table_ + " VALUES (6)"](pqxx::connection& c) {
            pqxx::work tx{c};
            tx.exec0(insert);
            tx.commit();
        });
        EXPECT_EQ(co_await view.run(next_page), 2U) << "not the one that came later";
        EXPECT_EQ(co_await view.run(next_page), 0U);
    }(*this));
}

TEST_F(Snapshot, CannotWrite) {
    run([](Snapshot& self) -> asio::awaitable<void> {
        pool db{self.dsn_, 1};
        snapshot view{db};
        bool refused = false;
        try {
            co_await view.run([sql = "DELETE FROM " + self.table_](pqxx::work& tx) { tx.exec0(sql); });
        } catch (const pqxx::sql_error& e) {
            refused = std::string_view{e.what()}.contains("read-only");
        }
        EXPECT_TRUE(refused);
    }(*this));
}

TEST_F(Snapshot, ClosesItsConnectionAtItsEnd) {
    int theirs = 0;
    run([](Snapshot& self, int& pid) -> asio::awaitable<void> {
        pool db{self.dsn_, 1};
        {
            snapshot view{db};
            pid = co_await view.run([](pqxx::work& tx) { return tx.conn().backendpid(); });
        }
        // On the pool's one thread this comes after the closing.
        const auto pools = co_await db.run([](pqxx::connection& c) { return c.backendpid(); });
        EXPECT_NE(pid, pools);
    }(*this, theirs));
    pqxx::connection c{dsn_};
    const auto gone = [&] {
        pqxx::work tx{c};
        return tx.exec_params1("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", theirs)[0].as<int>() == 0;
    };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!gone() && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_TRUE(gone());
}

} // namespace
} // namespace semel::postgres
