// Refusals are written down, and strangers do not fill the disk by them.

#include <api/core/denial_record.hpp>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using namespace std::chrono_literals;

TEST(DenialRecord, HasEachByItselfWhileTheyAreFew) {
    denial_record record{{.burst = 3, .every = 1s}};
    auto now = denial_record::time_point{} + 1h;
    for (int n = 0; n < 100; ++n, now += 1s) {
        EXPECT_EQ(record.denied(now), 1) << n;
    }
}

TEST(DenialRecord, CountsAFloodAndWritesOneASecond) {
    denial_record record{{.burst = 3, .every = 1s}};
    const auto begin = denial_record::time_point{} + 1h;
    std::int64_t written = 0, counted = 0;
    for (int n = 0; n < 10'000; ++n) { // in ten seconds
        if (const auto stands_for = record.denied(begin + n * 1ms)) {
            ++written;
            counted += *stands_for;
        }
    }
    EXPECT_LE(written, 3 + 10);
    EXPECT_GE(written, 3 + 9);
    const auto rest = record.denied(begin + 1min);
    ASSERT_TRUE(rest);
    EXPECT_EQ(counted + *rest, 10'001) << "none is forgotten";
}

} // namespace
} // namespace semel::api
