#include <base/time.hpp>

#include <gtest/gtest.h>

using namespace semel::base;

TEST(Time, ReadsZonesAsInstants) {
    EXPECT_EQ(from_rfc3339("2026-11-18T09:00:00+09:00"), from_rfc3339("2026-11-18T00:00:00Z"));
    EXPECT_EQ(from_rfc3339("2026-11-18T00:00:00.5Z").value() - from_rfc3339("2026-11-18T00:00:00Z").value(),
              std::chrono::milliseconds{500});
}

TEST(Time, RefusesATimeWithoutAZone) {
    EXPECT_FALSE(from_rfc3339("2026-11-18T09:00:00"));
    EXPECT_FALSE(from_rfc3339("2026-02-30T09:00:00Z"));
    EXPECT_FALSE(from_rfc3339("2026-11-18"));
    EXPECT_FALSE(from_rfc3339("2026-11-18T25:00:00Z"));
}

TEST(Time, WritesWhatItReads) {
    for (const auto* text : {"2026-11-24T03:13:45Z", "2026-11-24T03:13:45.000001Z", "1970-01-01T00:00:00Z"}) {
        EXPECT_EQ(to_rfc3339(from_rfc3339(text).value()), text);
    }
    EXPECT_EQ(to_rfc5322(from_rfc3339("2026-11-24T03:13:45Z").value()), "Tue, 24 Nov 2026 03:13:45 +0000");
}

TEST(Time, DurationsNameTheirUnit) {
    EXPECT_EQ(parse_duration("30m"), std::chrono::minutes{30});
    EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds{250});
    EXPECT_FALSE(parse_duration("30"));
    EXPECT_FALSE(parse_duration("-1s"));
    EXPECT_FALSE(parse_duration("1 h"));
}
