#include <delivery/core/checkpoint.hpp>
#include <delivery/engine/partition.hpp>

#include <gtest/gtest.h>

using namespace semel;
using delivery::checkpoint;
using delivery::title;

namespace {

const kafka::topic_partition somewhere{"dispatch.sms", 0};

delivery::marker marked(unsigned char with) {
    delivery::marker m{};
    m[0] = with;
    return m;
}

title inherited() {
    return title{checkpoint{.owner = 3, .transaction = 7, .marker = marked(1), .range = {}}};
}

/// The number of the commit that it says next.
std::uint64_t say(title& t) {
    const auto said = t.say(somewhere, {});
    return delivery::decode_checkpoint(said.next, said.metadata).value().transaction;
}

} // namespace

TEST(Title, IsToldToKafkaFirst) {
    auto t = inherited();
    EXPECT_EQ(t.owner, 4U);
    EXPECT_TRUE(t.must_commit);
    t.heard(say(t));
    EXPECT_FALSE(t.must_commit);
}

// The head that stood is raised and keeps its marker: a commit that was under way says it already, and proves nothing.
TEST(Title, ACommitThatWasUnderWayIsNotTheOneThatFollowsAHead) {
    auto t = inherited();
    t.heard(say(t));
    const auto under_way = say(t);
    t.take({.owner = t.owner, .marker = t.mark, .server = {}});
    t.heard(under_way);
    EXPECT_TRUE(t.must_commit);
    t.heard(say(t));
    EXPECT_FALSE(t.must_commit);
}

TEST(Title, ACommitThatFailedLeavesItToTheNext) {
    auto t = inherited();
    t.take({.owner = t.owner, .marker = marked(2), .server = {}});
    say(t);
    const auto next = say(t);
    EXPECT_TRUE(t.must_commit);
    t.heard(next);
    EXPECT_FALSE(t.must_commit);
    EXPECT_EQ(t.mark, marked(2));
}
