#include <gtest/gtest.h>
#include <plan/core/pacing.hpp>
#include <plan/core/room.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <random>
#include <ranges>

using namespace semel;
using namespace std::chrono_literals;
using plan::applicant;

namespace {

applicant one(std::string name, double left, base::duration time) {
    return {.campaign = std::move(name), .left = left, .wants = left, .time = time};
}

double sum(const std::vector<double>& parts) {
    return std::accumulate(parts.begin(), parts.end(), 0.0);
}

/// Anything that may come: deadlines that have passed, rates of their own that are used up, nothing left.
std::vector<applicant> anybody(std::mt19937_64& random) {
    std::vector<applicant> all;
    for (auto n = 1 + random() % 12; n > 0; --n) {
        auto a = one("c" + std::to_string(n), static_cast<double>(random() % 1'000'000) / 7,
                     std::chrono::seconds{static_cast<std::int64_t>(random() % 1'000'000) - 1'000});
        a.wants = random() % 3 == 0 ? a.wants * static_cast<double>(random() % 100) / 100 - 1 : a.wants;
        all.push_back(std::move(a));
    }
    return all;
}

struct channel {
    double window = 0;
    double drained = 0; // messages that are sent in a round, in the order in which they were released
    double batch = 500;
};

/// Until nobody is left: when each campaign's last message is sent, in rounds. `late` comes in the round `comes`.
std::map<std::string, double> run(std::vector<applicant> all, channel c, std::vector<applicant> late = {},
                                  int comes = 0) {
    std::map<std::string, double> done;
    plan::shared_room room;
    double waiting = 0;
    for (int round = 1; (!all.empty() || !late.empty()) && round < 100'000; ++round) {
        if (round > comes) {
            std::ranges::move(late, std::back_inserter(all));
            late.clear();
        }
        waiting = std::max(waiting - c.drained, 0.0);
        room.begin(c.window - waiting, all);
        for (auto& a : all) {
            while (a.left > 0 && room.left(a.campaign) > 0 && waiting < c.window) {
                const auto n = std::min(c.batch, a.left);
                room.spend(a.campaign, n);
                waiting += n;
                a.left -= n;
                a.wants = a.left;
            }
            if (a.left <= 0) {
                done[a.campaign] = round + waiting / c.drained;
            }
        }
        std::erase_if(all, [](const applicant& a) { return a.left <= 0; });
    }
    return done;
}

} // namespace

TEST(Room, IsSharedOutToTheLastMessageAndNoFurther) {
    std::mt19937_64 random{1};
    for (int i = 0; i < 5'000; ++i) {
        const auto all = anybody(random);
        const auto room = static_cast<double>(random() % 100'000);
        const auto parts = plan::divided(room, all);
        ASSERT_EQ(parts.size(), all.size());
        EXPECT_NEAR(sum(parts), room, 1e-6 * room + 1e-9);
        EXPECT_TRUE(std::ranges::all_of(parts, [](double p) { return p >= 0; }));
    }
}

TEST(Room, WhoWantsSomethingIsNeverLeftWithNothing) {
    std::mt19937_64 random{2};
    for (int i = 0; i < 5'000; ++i) {
        const auto all = anybody(random);
        const auto room = 1 + static_cast<double>(random() % 100'000);
        const auto parts = plan::divided(room, all);
        for (std::size_t k = 0; k < all.size(); ++k) {
            const auto least = std::min(all[k].wants, room / 2 / static_cast<double>(all.size()));
            EXPECT_GE(parts[k], least - 1e-6) << "half of the room is everybody's alike";
        }
    }
}

TEST(Room, NobodyGetsMoreThanItWantsWhileAnotherLacksSomething) {
    std::mt19937_64 random{3};
    for (int i = 0; i < 5'000; ++i) {
        const auto all = anybody(random);
        const auto parts = plan::divided(static_cast<double>(random() % 100'000), all);
        const auto lacks = [&](std::size_t k) { return parts[k] < all[k].wants - 1e-6; };
        const auto has_more = [&](std::size_t k) { return parts[k] > std::max(all[k].wants, 0.0) + 1e-6; };
        bool somebody_lacks = false;
        bool somebody_has_more = false;
        for (std::size_t k = 0; k < all.size(); ++k) {
            somebody_lacks |= lacks(k);
            somebody_has_more |= has_more(k);
        }
        EXPECT_FALSE(somebody_lacks && somebody_has_more);
    }
}

TEST(Room, TheEarlierDeadlineGetsMoreOfIt) {
    std::mt19937_64 random{4};
    for (int i = 0; i < 1'000; ++i) {
        const auto soon = std::chrono::seconds{1 + random() % 100'000};
        const auto later = soon + std::chrono::seconds{1 + random() % 100'000};
        const auto left = 1'000'000.0 + static_cast<double>(random() % 1'000'000);
        const auto parts = plan::divided(10'000, std::vector{one("later", left, later), one("soon", left, soon)});
        EXPECT_GT(parts[1], parts[0]);
    }
    const auto parts = plan::divided(10'000, std::vector{one("a", 1e6, 100h), one("b", 1e6, 10h)});
    EXPECT_NEAR(parts[1], 5'000 / 2 + 5'000 * 10 / 11.0, 1) << "ten times as urgent";
}

TEST(Room, OfTwoWithOneDeadlineTheOneWithMoreLeftGetsMoreOfIt) {
    const auto parts = plan::divided(10'000, std::vector{one("a", 4e6, 10h), one("b", 1e6, 10h)});
    EXPECT_NEAR(parts[0], 2'500 + 4'000, 1);
    EXPECT_NEAR(parts[1], 2'500 + 1'000, 1);
}

TEST(Room, ThereIsNoneForAnybodyWhenTheChannelIsFull) {
    const std::vector all{one("a", 10, 1h), one("b", 10, 1h)};
    EXPECT_EQ(sum(plan::divided(0, all)), 0);
    EXPECT_EQ(sum(plan::divided(-500, all)), 0);
    EXPECT_TRUE(plan::divided(100, {}).empty());
}

TEST(Room, WhoIsBeyondItsOwnRateLeavesItToTheOthers) {
    auto slow = one("slow", 1e6, 1h);
    slow.wants = -20;
    const auto parts = plan::divided(1'000, std::vector{slow, one("other", 1e6, 100h)});
    EXPECT_NEAR(parts[0], 0, 1e-6);
    EXPECT_NEAR(parts[1], 1'000, 1e-6);
}

// 200,000 and 200,000 fill the channel, then 1,000 come that have an hour: sent within a tenth of the others' time.
TEST(Room, ASmallCampaignThatComesLastIsSoonDone) {
    for (const auto deadline : {base::duration{1h}, base::duration{24h * 7}}) {
        for (const auto speed : {200.0, 2'000.0, 5'000.0}) {
            const plan::pace p;
            const auto window = std::max(p.window, speed * static_cast<double>(p.ahead.count()));
            const int comes = 10;
            const auto done = run({one("a", 200'000, deadline), one("b", 200'000, deadline)},
                                  {.window = window, .drained = speed}, {one("small", 1'000, 1h)}, comes);
            ASSERT_EQ(done.size(), 3U);
            EXPECT_LT((done.at("small") - comes) * 10, std::min(done.at("a"), done.at("b"))) << speed;
        }
    }
}

TEST(Room, WithPartsSmallerThanABatchEverybodyHasItsTurn) {
    std::vector<applicant> all;
    for (int i = 0; i < 40; ++i) {
        all.push_back(one("c" + std::to_string(i), 10'000, 24h));
    }
    const auto done = run(all, {.window = 2'000, .drained = 1'000}); // a part is 25 messages
    ASSERT_EQ(done.size(), all.size());
    const auto [first, last] = std::ranges::minmax(done | std::views::values);
    EXPECT_GT(first * 10, last * 9) << "alike, they are done together";
}

TEST(Room, IsNeverOverdrawnByMoreThanABatch) {
    std::mt19937_64 random{5};
    for (int i = 0; i < 200; ++i) {
        plan::shared_room room;
        auto all = anybody(random);
        const auto whole = static_cast<double>(random() % 10'000);
        room.begin(whole, all);
        double taken = 0;
        for (const auto& a : all) {
            while (room.left(a.campaign) > 0 && taken < whole) {
                room.spend(a.campaign, 500);
                taken += 500;
            }
        }
        EXPECT_LT(taken, whole + 500);
    }
}

TEST(Room, ADebtIsPaidBeforeMoreIsTaken) {
    plan::shared_room room;
    const std::vector all{one("a", 1e6, 24h), one("b", 1e6, 24h)};
    room.begin(100, all);
    EXPECT_EQ(room.left("a"), 50);
    room.spend("a", 500);
    room.begin(100, all);
    EXPECT_EQ(room.left("a"), -400);
    EXPECT_EQ(room.left("b"), 50) << "what it did not take was shared out anew";
    room.begin(100, std::vector{all[1]});
    EXPECT_EQ(room.left("a"), 0) << "it applies no more";
    room.begin(100, all);
    EXPECT_EQ(room.left("a"), 50);
}
