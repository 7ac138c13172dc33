#include <redis/closing.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace semel::redis {
namespace {

closing note(std::string server, std::string name) {
    return {.run_id = server, .master_replid = server + "-data", .name = std::move(name)};
}
server_identity under(std::string server, std::string closing = {}) {
    return {.run_id = server, .master_replid = server + "-data", .closing = std::move(closing)};
}

TEST(Closing, VouchesForTheServerThatWroteIt) {
    const std::vector notes{note("one", "a")};
    EXPECT_TRUE(vouch_for(notes, under("one")));
    EXPECT_FALSE(vouch_for(notes, under("two")));
    EXPECT_FALSE(vouch_for({}, under("one")));
    EXPECT_FALSE(vouch_for(notes, {.run_id = "one", .master_replid = "another"})) << "it changed its master since";
}

TEST(Closing, DoesNotVouchForWhatWasWrittenAfterIt) {
    const std::vector notes{note("one", "a")};
    EXPECT_FALSE(vouch_for(notes, under("one", "a"))) << "the server went on after its note";
    const std::vector later{note("one", "b"), note("one", "a")};
    EXPECT_TRUE(vouch_for(later, under("one", "a")));
    EXPECT_TRUE(vouch_for(later, under("one"))) << "the first note vouched for it already";
    EXPECT_FALSE(vouch_for(later, under("one", "b")));
}

TEST(Closing, VouchesThroughEveryOrderlyEndSince) {
    const std::vector notes{note("three", "c"), note("two", "b"), note("one", "a")};
    EXPECT_TRUE(vouch_for(notes, under("one")));
    EXPECT_TRUE(vouch_for(notes, under("two", "a")));
    EXPECT_FALSE(vouch_for(notes, under("one", "b"))) << "no end of that server came after it";
}

TEST(Closing, ReadsBackWhatItWroteAndTakesNothingElseForANote) {
    const auto back = decode_closing(encode(note("one", "a")));
    EXPECT_EQ(back.run_id, "one");
    EXPECT_EQ(back.master_replid, "one-data");
    EXPECT_EQ(back.name, "a");
    EXPECT_EQ(decode_closing("something").run_id, "");
    EXPECT_EQ(decode_closing("something").name, "something");
}

} // namespace
} // namespace semel::redis
