#include <postgres/outage.hpp>

#include <gtest/gtest.h>

#include <pqxx/pqxx>

namespace semel::postgres {
namespace {

std::optional<outage::kind> kind_of(const std::exception& e) {
    const auto found = outage_in(e);
    return found ? std::optional{found->what} : std::nullopt;
}
std::optional<outage::kind> kind_of_state(const char* state) {
    return kind_of(pqxx::sql_error{"no", "SELECT", state});
}

TEST(Outage, IsToldFromMistakes) {
    using enum outage::kind;
    EXPECT_EQ(kind_of(pqxx::in_doubt_error{"?"}), commit_in_doubt);
    EXPECT_EQ(kind_of(pqxx::broken_connection{"gone"}), unreachable);
    EXPECT_EQ(kind_of_state("57P01"), stopping);
    EXPECT_EQ(kind_of_state("57P03"), stopping);
    EXPECT_EQ(kind_of_state("25006"), stopping);
    EXPECT_EQ(kind_of_state("08006"), stopping);
    EXPECT_EQ(kind_of_state("53100"), disk_full);
    EXPECT_EQ(kind_of_state("53300"), short_of_something);
    EXPECT_EQ(kind_of_state("58030"), short_of_something);
    EXPECT_EQ(kind_of_state("40P01"), contended);
    EXPECT_EQ(kind_of_state("55P03"), contended);
    EXPECT_EQ(kind_of_state("57014"), slow);
    EXPECT_EQ(kind_of_state("25P03"), slow);
    EXPECT_EQ(kind_of_state("42P01"), no_such_table);
    for (const auto* mistake : {"23505", "42601", "22P02", ""}) {
        EXPECT_EQ(kind_of_state(mistake), std::nullopt) << mistake;
    }
    EXPECT_EQ(kind_of(std::runtime_error{"PostgreSQL"}), std::nullopt);
}

} // namespace
} // namespace semel::postgres
