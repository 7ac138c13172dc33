// What the index forgets, against a real PostgreSQL.

#include "messages.hpp"

#include <postgres/pool.hpp>

#include <receipts/edge/index.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace semel::receipts::testing {
namespace {

constexpr auto day = 24h;
constexpr std::int64_t batch = 5'000; // edge/index.cpp

/// So many known messages, and orphaned reports, of this age.
void put(const std::string& dsn, const std::string& name, int known, int orphans, base::timestamp at) {
    pqxx::connection c{dsn};
    pqxx::work tx{c};
    tx.exec_params("INSERT INTO receipts.known (notification, attempt, what, gateway, message_id, campaign, channel, "
                   "test, at_us) SELECT sha256(($1::text || n)::bytea), 1, $2::int, 'smsc-a', $1::text || n, 'c-1', 3, "
                   "false, $3::bigint FROM generate_series(1, $4::int) n",
                   name, static_cast<int>(v1::EVENT_ACCEPTED), base::to_us(at), known);
    tx.exec_params("INSERT INTO receipts.orphan (gateway, message_id, state, code, named, destination_hash, reference, "
                   "at_us, parked_us, receipt) SELECT 'smsc-a', $1::text || n, 1, '', '', '', 0, $2::bigint, "
                   "$2::bigint + n, '' FROM generate_series(1, $3::int) n",
                   name, base::to_us(at), orphans);
    tx.commit();
}

std::int64_t count(const std::string& dsn, const std::string& table, const std::string& name) {
    pqxx::connection c{dsn};
    pqxx::nontransaction tx{c};
    return tx.exec_params1("SELECT count(*) FROM receipts." + table + " WHERE starts_with(message_id, $1)", name)[0]
        .as<std::int64_t>();
}

class Prune : public ::testing::Test {
  protected:
    Prune() { postgres::pool{in.dsn(), 1}.run_blocking(migrate); }
    index::pruned once(std::size_t most_orphans) {
        index::pruned done;
        play([&] { return prune(*this, most_orphans, done); });
        return done;
    }
    static asio::awaitable<void> prune(Prune& self, std::size_t most_orphans, index::pruned& done) {
        postgres::pool db{self.in.dsn(), 1}; // its thread must have ended before play()'s loop does
        index all{db};
        done = co_await all.prune(self.noon - 7 * day, self.noon - 60 * day, most_orphans);
    }

    const base::timestamp noon = base::now();
    database in;
};

TEST_F(Prune, ForgetsTheOldInSmallBatchesAndNothingElse) {
    put(in.dsn(), "old", 12'001, 5'001, noon - 60 * day - 1s);
    put(in.dsn(), "young", 10, 0, noon - 60 * day + 1h);
    put(in.dsn(), "fresh", 0, 10, noon - 7 * day + 1h);
    std::int64_t left = 12'001;
    std::int64_t orphans = 5'001;
    for (int times = 1; left > 0; ++times) {
        const auto done = once(1'000);
        EXPECT_EQ(count(in.dsn(), "known", "old"), std::max(left - batch, std::int64_t{0}));
        EXPECT_EQ(count(in.dsn(), "orphan", "old"), std::max(orphans - batch, std::int64_t{0}));
        left = std::max(left - batch, std::int64_t{0});
        orphans = std::max(orphans - batch, std::int64_t{0});
        EXPECT_EQ(done.orphans, orphans + 10);
        EXPECT_EQ(done.more, left > 0);
        ASSERT_LE(times, 3);
    }
    EXPECT_EQ(count(in.dsn(), "known", "young"), 10);
    EXPECT_EQ(count(in.dsn(), "orphan", "fresh"), 10);
}

TEST_F(Prune, KeepsTheLatestOfTooManyReports) {
    put(in.dsn(), "first", 0, 6'000, noon - 2 * day);
    put(in.dsn(), "later", 0, 10, noon - day);
    EXPECT_TRUE(once(10).more);
    EXPECT_EQ(count(in.dsn(), "orphan", "first"), 1'000);
    EXPECT_FALSE(once(10).more);
    EXPECT_EQ(count(in.dsn(), "orphan", "first"), 0);
    EXPECT_EQ(count(in.dsn(), "orphan", "later"), 10);
}

// One batch a minute would not keep up with what a campaign leaves.
TEST(PruneInService, GoesOnUntilWhatIsOlderThanSixtyDaysIsForgotten) {
    stage on;
    {
        postgres::pool db{on.dsn(), 1};
        db.run_blocking(migrate);
    }
    put(on.dsn(), "old", 12'001, 0, base::now() - 60 * day - 1h);
    put(on.dsn(), "young", 10, 0, base::now() - 60 * day + 1h);
    on.start("receipts");
    on.wait("the old to be forgotten", [&](const seen&) { return count(on.dsn(), "known", "old") == 0; });
    EXPECT_EQ(count(on.dsn(), "known", "young"), 10);
    EXPECT_EQ(on.stop("receipts"), 0);
}

} // namespace
} // namespace semel::receipts::testing
