#include <notice/locale.hpp>

#include <gtest/gtest.h>

using semel::notice::normal_locale;
using semel::notice::resolve_locale;

namespace {
const std::vector<std::string> locales{"ko", "en", "zh-Hant"};
const std::map<std::string, std::string> fallback{{"ja", "en"}, {"zh", "en"}, {"a", "b"}, {"b", "a"}, {"x", "ja"}};
std::string resolve(std::string_view wanted) {
    return resolve_locale(wanted, locales, fallback, "ko");
}
} // namespace

TEST(Locale, TagsAreWrittenTheUsualWay) {
    EXPECT_EQ(normal_locale("KO_kr"), "ko-KR");
    EXPECT_EQ(normal_locale("ZH-hANT-tw"), "zh-Hant-TW");
    EXPECT_EQ(normal_locale(""), "");
}

TEST(Locale, TakesTheLongestPrefixThatTheNoticeHas) {
    EXPECT_EQ(resolve("en-GB"), "en");
    EXPECT_EQ(resolve("zh-Hant-TW"), "zh-Hant");
    EXPECT_EQ(resolve("KO"), "ko");
}

TEST(Locale, FollowsFallbacksThenTheDefault) {
    EXPECT_EQ(resolve("ja-JP"), "en");
    EXPECT_EQ(resolve("zh-CN"), "en");
    EXPECT_EQ(resolve("x"), "en");
    EXPECT_EQ(resolve("fr"), "ko");
    EXPECT_EQ(resolve(""), "ko");
}

TEST(Locale, ACircleOfFallbacksEnds) {
    EXPECT_EQ(resolve("a"), "ko");
}
