#include <gtest/gtest.h>
#include <plan/core/position.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <vector>

using namespace semel;
using base::channel;
using plan::channel_set;
using plan::gap;
using plan::position;

namespace {

const channel_set all{channel::email, channel::push, channel::sms};
const channel_set without_sms{channel::email, channel::push};

/// As it comes back from `progress`.
position read_back(const position& p) {
    v1::Progress front;
    v1::Progress gaps;
    p.write_front(front, 0);
    p.write_gaps(gaps);
    return position{front, &gaps};
}

void expect_same(const position& a, const position& b) {
    EXPECT_EQ(a.rows(), b.rows());
    EXPECT_TRUE(a.same_gaps(b));
}

} // namespace

TEST(Position, WithoutASlowChannelIsOneNumber) {
    position p{7};
    EXPECT_EQ(p.rows(), 7);
    p.tell(9, all, all);
    EXPECT_EQ(p.rows(), 9);
    EXPECT_EQ(p.least(), 9);
    EXPECT_TRUE(p.gaps(channel::sms).empty());
    EXPECT_EQ(p.lacking(channel::sms, 12), 3);
}

TEST(Position, AChannelThatIsLeftOutStaysBehindAndHoldsNoOther) {
    position p{0};
    p.tell(2, all, all);
    p.tell(5, without_sms, all);
    p.tell(8, without_sms, all);
    EXPECT_EQ(p.rows(), 8);
    EXPECT_EQ(p.gaps(channel::sms), (std::vector<gap>{{2, 8}})) << "one gap, however often it was left out";
    EXPECT_TRUE(p.gaps(channel::email).empty());
    EXPECT_EQ(p.least(), 2);
    EXPECT_EQ(p.lacking(channel::sms, 10), 8);
    EXPECT_EQ(p.lacking(channel::email, 10), 2);
}

TEST(Position, AChannelCatchesUpStepByStep) {
    position p{0};
    p.tell(8, without_sms, all);
    p.catch_up(channel::sms, 3);
    EXPECT_EQ(p.gaps(channel::sms), (std::vector<gap>{{3, 8}}));
    p.tell(9, without_sms, all);
    EXPECT_EQ(p.gaps(channel::sms), (std::vector<gap>{{3, 9}}));
    p.catch_up(channel::sms, 9);
    EXPECT_TRUE(p.gaps(channel::sms).empty());
    EXPECT_EQ(p.least(), 9);
    p.catch_up(channel::sms, 20);
    EXPECT_EQ(p.rows(), 9) << "who is not behind cannot catch up";
}

TEST(Position, IsDoneWhenEveryChannelIs) {
    const auto done = [](const position& p) {
        v1::Progress front;
        p.write_front(front, 8);
        return front.done();
    };
    position p{0};
    p.tell(8, without_sms, all);
    EXPECT_FALSE(done(p));
    p.catch_up(channel::sms, 8);
    EXPECT_TRUE(done(p));
    EXPECT_FALSE(done(position{7}));
}

TEST(Position, OfTheVersionBeforeIsTheSameForAllChannels) {
    v1::Progress old;
    old.set_next_offset(42);
    old.set_turn(9);
    old.add_after(1);
    const position p{old, nullptr};
    EXPECT_EQ(p.rows(), 42);
    EXPECT_EQ(p.least(), 42);
    v1::Progress front;
    p.write_front(front, 50);
    EXPECT_EQ(front.next_offset(), 42);
    ASSERT_EQ(front.after_size(), 1);
    EXPECT_EQ(front.after(0), 1U);
}

// In an update one of the old processes may take the partition over in between: it knows the front alone.
TEST(Position, WhatAnOlderVersionReleasedMeanwhileIsNoGap) {
    position p{0};
    p.tell(4, without_sms, all);
    v1::Progress front;
    v1::Progress gaps;
    p.write_front(front, 0);
    p.write_gaps(gaps);
    front.set_next_offset(6); // on all channels
    position after{front, &gaps};
    EXPECT_EQ(after.gaps(channel::sms), (std::vector<gap>{{0, 4}}));
    after.tell(9, without_sms, all);
    EXPECT_EQ(after.gaps(channel::sms), (std::vector<gap>{{0, 4}, {6, 9}}));
    EXPECT_EQ(after.lacking(channel::sms, 9), 7);
    expect_same(read_back(after), after);
    after.catch_up(channel::sms, 4);
    after.catch_up(channel::sms, 7);
    EXPECT_EQ(after.gaps(channel::sms), (std::vector<gap>{{7, 9}}));
}

TEST(Position, ARecordOfNoGapsIsNotEmpty) {
    v1::Progress gaps;
    position{3}.write_gaps(gaps);
    EXPECT_FALSE(gaps.SerializeAsString().empty()) << "an empty value would be a tombstone, and the old gaps stand";
}

/// Whatever the order of steps and restarts: each channel releases each offset once.
TEST(Position, ReleasesEachOffsetOnceOnEachChannel) {
    constexpr std::int64_t end = 40;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        std::mt19937_64 random{seed};
        std::map<channel, std::vector<int>> released;
        for (const auto c : all) {
            released[c].resize(end);
        }
        position p{0};
        for (int step = 0; p.least() < end && step < 10'000; ++step) {
            const auto c = *std::next(all.begin(), static_cast<std::ptrdiff_t>(random() % all.size()));
            if (const auto gaps = p.gaps(c); !gaps.empty()) {
                const auto next = std::min(gaps.front().end, gaps.front().next + 1 + static_cast<int>(random() % 4));
                for (auto at = gaps.front().next; at < next; ++at) {
                    ++released[c][static_cast<std::size_t>(at)];
                }
                p.catch_up(c, next);
            } else if (p.rows() < end) {
                channel_set on;
                std::ranges::copy_if(all, std::inserter(on, on.end()), [&](channel) { return random() % 2 == 0; });
                const auto next = std::min(end, p.rows() + 1 + static_cast<int>(random() % 4));
                for (const auto o : on) {
                    for (auto at = p.rows(); at < next; ++at) {
                        ++released[o][static_cast<std::size_t>(at)];
                    }
                }
                p.tell(next, on, all);
            }
            if (random() % 3 == 0) {
                p = read_back(p);
            }
        }
        for (const auto c : all) {
            EXPECT_EQ(released[c], std::vector<int>(end, 1)) << "seed " << seed;
        }
    }
}
