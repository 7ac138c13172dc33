#include <delivery/core/overflow.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>

namespace {

using namespace semel;
using namespace std::chrono_literals;
using delivery::overflow;

/// A lane that takes so many a second of what comes; what it has no room for lies in retry.* until it has.
struct course {
    long took_s = 0;
    long most_near = 0; // in the shortest tier at once
};
course run(long all, long arrive, long takes) {
    overflow lane;
    std::map<long, std::pair<long, long>> due; // by second: from the shortest tier, from the longer one
    long near = 0;
    std::pair<long, long> lying;
    course c;
    long fresh = all;
    for (long sent = 0; sent < all; ++c.took_s) {
        const base::instant now{1h + std::chrono::seconds{c.took_s}};
        const auto back = std::exchange(due[c.took_s], {});
        lying.first += back.first;
        lying.second += back.second;
        auto coming = std::min(fresh, arrive);
        fresh -= coming;
        long room = takes;
        for (auto* waits : {&lying.second, &lying.first, &coming}) {
            const auto go = std::min(room, *waits);
            room -= go;
            *waits -= go;
            sent += go;
            near -= waits == &lying.first ? go : 0;
            for (long i = 0; i < go; ++i) {
                lane.answered(now);
            }
        }
        for (; coming > 0; --coming) {
            const bool far = lane.turn_away(now) > 0ms;
            auto& then = due[c.took_s + (far ? 60 : 10)];
            ++(far ? then.second : then.first);
            near += far ? 0 : 1;
        }
        c.most_near = std::max(c.most_near, near);
    }
    return c;
}

TEST(Overflow, WhatHasFewBeforeItComesBackSoon) {
    overflow lane;
    const base::instant now{1h};
    for (int i = 0; i < 100; ++i) {
        lane.answered(now + i * 10ms);
    }
    for (int i = 0; i < 1'900; ++i) {
        ASSERT_EQ(lane.turn_away(now + 1s), 0ms) << i;
    }
}

TEST(Overflow, WhatHasManyBeforeItStaysAwayForAMinute) {
    overflow lane;
    const base::instant now{1h};
    for (int i = 0; i < 100; ++i) {
        lane.answered(now + i * 10ms);
    }
    for (int i = 0; i < 2'100; ++i) {
        lane.turn_away(now + 1s);
    }
    EXPECT_EQ(lane.turn_away(now + 1s), 1min);
    EXPECT_EQ(lane.turn_away(now + 60s), 0ms) << "they have had their turn";
}

TEST(Overflow, ALaneThatAnswersNobodyHasRoomForAFew) {
    overflow lane;
    int near = 0;
    for (int i = 0; i < 1'000; ++i) {
        near += lane.turn_away(base::instant{1h}) == 0ms ? 1 : 0;
    }
    EXPECT_LE(near, 20);
    EXPECT_GT(near, 10);
}

TEST(Overflow, ASlowLaneKeepsLittleNearAndIsNeverIdleForLong) {
    for (const long takes : {10L, 100L, 700L}) {
        for (const long seconds : {5L, 15L, 30L, 100L, 1'000L}) {
            for (const long arrive : {2 * takes, 20 * takes}) {
                SCOPED_TRACE(testing::Message() << takes << "/s, work for " << seconds << " s, comes at " << arrive);
                const auto c = run(takes * seconds, arrive, takes);
                EXPECT_LE(c.most_near, 36 * takes) << "20 s of work, and what lies there while others go";
                EXPECT_LE(c.took_s, seconds + 50) << "the longer tier's minute, but for the 10 s that it has at least";
                if (seconds <= 15) {
                    EXPECT_LE(c.took_s, seconds + 11);
                }
            }
        }
    }
}

} // namespace
