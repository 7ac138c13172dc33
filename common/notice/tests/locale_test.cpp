#include <notice/locale.hpp>

#include <gtest/gtest.h>

using semel::notice::is_locale;
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

TEST(Locale, IsATagOfBcp47) {
    for (const auto* tag : {"ko", "en-US", "zh-Hant", "zh-Hant-TW", "es-419", "sr-Latn-RS", "de-CH-1996",
                            "sl-rozaj-biske", "zh-yue", "en-u-ca-buddhist", "de-x-a-1", "KO-kr", "gsw"}) {
        EXPECT_TRUE(is_locale(tag)) << tag;
    }
    for (const std::string_view tag :
         {"", "k", "ko-", "-ko", "ko--KR", "ko_KR", "en\r\nX-Evil: 1", "en\n", "en ", "en-\"><script>", "abcdefghi",
          "en-u", "en-x", "en-US-US", "en-US-Latn", "12", "\xed\x95\x9c", "en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd"}) {
        EXPECT_FALSE(is_locale(tag)) << tag;
    }
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
