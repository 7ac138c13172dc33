#include <postgres/limits.hpp>

#include <gtest/gtest.h>

namespace semel::postgres {
namespace {

TEST(Limits, AreWatchedByTheClientUnlessTheDsnSaysOtherwise) {
    for (const auto* dsn : {"postgresql://me@host:5433/semel?sslmode=require", "host=host port=5433 dbname=semel"}) {
        const auto all = watched(dsn, {.connect = std::chrono::seconds{7}, .silence = std::chrono::seconds{25}});
        for (const auto* expected :
             {"host='host'", "port='5433'", "dbname='semel'", "connect_timeout='7'", "tcp_user_timeout='25000'",
              "keepalives_idle='10'", "keepalives_interval='5'", "keepalives_count='3'"}) {
            EXPECT_NE(all.find(expected), std::string::npos) << expected << " in " << all;
        }
    }
    EXPECT_NE(watched("connect_timeout=99", {}).find("connect_timeout='99'"), std::string::npos);
    EXPECT_NE(watched("password='a\\'b\\\\c'", {}).find("password='a\\'b\\\\c'"), std::string::npos);
}

TEST(Limits, LeaveADsnThatCannotBeReadToTheConnection) {
    EXPECT_EQ(watched("nonsense", {}), "nonsense");
}

} // namespace
} // namespace semel::postgres
