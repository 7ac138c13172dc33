#include <runtime/retry.hpp>

#include <gtest/gtest.h>

#include <set>

namespace semel::runtime {
namespace {

using std::chrono::milliseconds;

constexpr retry::pace pace{.first = milliseconds{100}, .longest = milliseconds{1'000}};

TEST(Retry, DoublesUpToTheLongestAndStaysInTheUpperHalf) {
    for (const std::uint32_t seed : {1U, 2U, 3U, 77U, 20'261'129U}) {
        retry again{pace, seed};
        for (const int most : {100, 200, 400, 800, 1'000, 1'000, 1'000}) {
            const auto pause = again.next();
            EXPECT_GE(pause, milliseconds{most / 2}) << seed;
            EXPECT_LE(pause, milliseconds{most}) << seed;
        }
    }
}

TEST(Retry, BeginsAnewAfterASuccess) {
    retry again{pace, 1};
    for (int i = 0; i < 8; ++i) {
        again.next();
    }
    again.reset();
    EXPECT_LE(again.next(), pace.first);
}

TEST(Retry, OfManyThatFailedAtOnceNotAllComeBackAtOnce) {
    std::set<milliseconds> pauses;
    for (std::uint32_t process = 1; process <= 20; ++process) {
        pauses.insert(retry{pace, process * 7'919}.next());
    }
    EXPECT_GT(pauses.size(), 5U);
}

TEST(Retry, ALongestBelowTheFirstIsTheLongest) {
    retry again{{.first = milliseconds{100}, .longest = milliseconds{10}}, 1};
    EXPECT_LE(again.next(), milliseconds{10});
}

} // namespace
} // namespace semel::runtime
