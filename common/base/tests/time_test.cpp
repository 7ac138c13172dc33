#include <base/time.hpp>
#include <base/written_time.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

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

// A zone's own rules (the hour that daylight saving skips or repeats) play no part: the offset says which instant it
// is.
TEST(Time, IsTheSameInstantWhateverTheMachinesZone) {
    const auto read = [](const char* zone, const char* text) {
        ::setenv("TZ", zone, 1);
        ::tzset();
        return from_rfc3339(text);
    };
    const auto wanted = from_rfc3339("2027-03-28T01:30:00Z").value();
    for (const auto* zone : {"Europe/Berlin", "Asia/Seoul", "UTC"}) {
        EXPECT_EQ(read(zone, "2027-03-28T02:30:00+01:00"), wanted) << zone;
        EXPECT_EQ(to_rfc3339(wanted), "2027-03-28T01:30:00Z") << zone;
        EXPECT_FALSE(read(zone, "2027-03-28T02:30:00")) << zone;
    }
    ::unsetenv("TZ");
    ::tzset();
}

TEST(Time, TakesAZoneWithoutItsColonAndNoHour24) {
    EXPECT_EQ(from_rfc3339("2026-11-27T09:00:00+0900"), from_rfc3339("2026-11-27T00:00:00Z"));
    EXPECT_EQ(from_rfc3339("2026-11-27 09:00-0330"), from_rfc3339("2026-11-27T12:30:00Z"));
    for (const auto* text : {"2026-11-27T24:00:00+09:00", "2026-11-27T09:00:00+09", "2026-11-27T09:00:00+090",
                             "2026-11-27T09:00:00+9:00", "2026-11-27T09:00:00+24:00", "2026-11-27T09:00:00+0960",
                             "2027-02-29T09:00:00Z", "2026-11-27T09:00:00 KST", "2026-11-27T09:00:00+09:00 "}) {
        EXPECT_FALSE(from_rfc3339(text)) << text;
    }
    EXPECT_TRUE(from_rfc3339("2028-02-29T09:00:00Z"));
}

TEST(Time, SaysWhatIsWrongWithATime) {
    const auto says = [](const char* text, std::string_view part) {
        return trouble_with_rfc3339(text).find(part) != std::string::npos;
    };
    EXPECT_TRUE(says("2027-03-28T02:30:00", "names no zone"));
    EXPECT_TRUE(says("2027-03-28 02:30", "names no zone"));
    EXPECT_TRUE(says("2027-02-29T09:00:00Z", "no such day"));
    EXPECT_TRUE(says("2027-03-28T24:00:00+09:00", "no hour 24"));
    EXPECT_TRUE(says("tomorrow", "write a time with its zone"));
    EXPECT_FALSE(says("tomorrow", "zone, and"));
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
