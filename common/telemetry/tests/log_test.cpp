#include <telemetry/log.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>
#include <string>

namespace semel::telemetry {
namespace {

std::string line_with(std::string_view value) {
    return format_line(base::from_us(0), level::info, "sms", "e", {{"v", value}});
}

TEST(Log, WritesOneJsonObjectALine) {
    EXPECT_EQ(format_line(base::from_us(1'500'000), level::warn, "sms", "claimed",
                          {{"n", 7}, {"late", true}, {"share", 0.5}, {"id", "a-1"}}),
              "{\"time\":\"1970-01-01T00:00:01.500000Z\",\"level\":\"warn\",\"service\":\"sms\",\"event\":\"claimed\","
              "\"n\":7,\"late\":true,\"share\":0.5,\"id\":\"a-1\"}\n");
}

TEST(Log, EscapesWhatWouldBreakTheLine) {
    EXPECT_NE(line_with("a\"b\\c\nd\te\x01").find(R"("v":"a\"b\\c\nd\u0009e\u0001")"), std::string::npos);
}

TEST(Log, KeepsUtf8AndReplacesWhatIsNone) {
    EXPECT_NE(line_with("유출 \xF0\x9F\x98\x80").find("\"v\":\"유출 \xF0\x9F\x98\x80\""), std::string::npos);
    // A stray continuation, an overlong slash, a surrogate, a cut sequence: each byte becomes U+FFFD.
    EXPECT_NE(line_with("\x80").find("\"v\":\"\uFFFD\""), std::string::npos);
    EXPECT_NE(line_with("\xC0\xAF").find("\"v\":\"\uFFFD\uFFFD\""), std::string::npos);
    EXPECT_NE(line_with("\xED\xA0\x80").find("\"v\":\"\uFFFD\uFFFD\uFFFD\""), std::string::npos);
    EXPECT_NE(line_with("x\xE2\x82").find("\"v\":\"x\uFFFD\uFFFD\""), std::string::npos);
}

TEST(Log, HasNoNumbersThatJsonLacks) {
    const auto line =
        format_line(base::from_us(0), level::info, "s", "e", {{"v", std::numeric_limits<double>::infinity()}});
    EXPECT_NE(line.find("\"v\":null"), std::string::npos);
}

TEST(Log, WritesToStandardErrorWhatIsLoudEnough) {
    testing::internal::CaptureStderr();
    logger quiet{"s", level::warn};
    quiet.info("unheard");
    quiet.error("heard");
    const auto out = testing::internal::GetCapturedStderr();
    EXPECT_EQ(out.find("unheard"), std::string::npos);
    EXPECT_NE(out.find("\"event\":\"heard\"}\n"), std::string::npos);
}

TEST(Log, KnowsItsLevelsByName) {
    EXPECT_EQ(level_from("warn"), level::warn);
    EXPECT_EQ(level_from("loud"), std::nullopt);
}

} // namespace
} // namespace semel::telemetry
