#include <redis/info.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::redis {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::string_view own =
    "# Server\r\nrun_id:aaaa\r\nserver_time_usec:1764410000123456\r\nuptime_in_seconds:100\r\n"
    "# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n"
    "# Replication\r\nrole:master\r\nmaster_replid:bbbb\r\n";
// As managed servers tell it: no run_id, and nothing of how they keep what they have.
std::string managed_at(std::string_view time, std::string_view up) {
    return "server_time_usec:" + std::string{time} + "\r\nuptime_in_seconds:" + std::string{up} +
           "\r\nrole:master\r\nmaster_replid:bbbb\r\n";
}

TEST(Info, TheRunIdSaysWhoAnswers) {
    const auto who = identity_in(own);
    ASSERT_TRUE(who);
    EXPECT_EQ(who->run_id, "aaaa");
    EXPECT_EQ(who->master_replid, "bbbb");
}

TEST(Info, WithoutARunIdTheTimeOfItsStartDoes) {
    const auto first = identity_in(managed_at("1764410000123456", "100"));
    const auto later = identity_in(managed_at("1764410007999999", "107"));
    const auto restarted = identity_in(managed_at("1764410009000000", "1"));
    ASSERT_TRUE(first && later && restarted);
    EXPECT_EQ(first->run_id, "started-1764409900");
    EXPECT_EQ(*first, *later) << "one server, whenever it is asked";
    EXPECT_NE(*first, *restarted);
}

TEST(Info, AServerThatCannotBeToldFromItsSuccessorIsRefused) {
    for (const auto* info : {"", "run_id:aaaa\r\n", "master_replid:bbbb\r\n",
                             "master_replid:bbbb\r\nserver_time_usec:x\r\nuptime_in_seconds:1\r\n",
                             "master_replid:bbbb\r\nuptime_in_seconds:1\r\n"}) {
        EXPECT_FALSE(identity_in(info)) << info;
    }
}

TEST(Info, OfAManagedServerItsProviderVouchesForWhatItDoesNotTell) {
    EXPECT_TRUE(keeps_what_it_has(own, false));
    const auto silent = managed_at("1764410000123456", "100");
    const auto refused = keeps_what_it_has(silent, false);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().why(), AllOf(HasSubstr("appendonly"), HasSubstr("redis.durability: managed")));
    EXPECT_TRUE(keeps_what_it_has(silent, true));
    EXPECT_TRUE(keeps_what_it_has("aof_enabled:0\r\nmaxmemory_policy:noeviction\r\n", true));
}

TEST(Info, NobodyVouchesForAServerThatEvicts) {
    for (const bool managed : {false, true}) {
        const auto verdict = keeps_what_it_has("aof_enabled:1\r\nmaxmemory_policy:volatile-lru\r\n", managed);
        ASSERT_FALSE(verdict);
        EXPECT_THAT(verdict.error().why(), HasSubstr("maxmemory-policy volatile-lru"));
    }
}

} // namespace
} // namespace semel::redis
