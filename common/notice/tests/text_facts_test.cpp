#include <notice/text_facts.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel::notice;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

std::vector<std::string> dates(std::string_view text) {
    std::vector<std::string> out;
    for (const auto& d : dates_in(text)) {
        out.push_back(to_text(d));
    }
    return out;
}

std::vector<std::string> phones(std::string_view text) {
    std::vector<std::string> out;
    for (const auto& n : phones_in(text)) {
        out.emplace_back(n.text);
    }
    return out;
}

} // namespace

TEST(TextFacts, ReadsADateInEachLanguageThatKnowsIt) {
    EXPECT_THAT(dates("2026년 6월 24일부터 11월 8일까지"), ElementsAre("2026-06-24", "11-08"));
    EXPECT_THAT(dates("2026年11月18日に、11月19日"), ElementsAre("2026-11-18", "11-19"));
    EXPECT_THAT(dates("on 18 november 2026, and november 19th, 2026"), ElementsAre("2026-11-18", "2026-11-19"));
    EXPECT_THAT(dates("between 24 june and 8 nov. 2026"), ElementsAre("06-24", "2026-11-08"));
    EXPECT_THAT(dates("2026-11-18, 2026.11.19 and 2026. 11. 20."),
                ElementsAre("2026-11-18", "2026-11-19", "2026-11-20"));
}

TEST(TextFacts, WhatOnlyLooksLikeADateIsNone) {
    EXPECT_THAT(dates("it may 9999 times be; version 2026.1; 13월 1일; 2월 40일; call 1577-0000; marching 3"),
                IsEmpty());
    EXPECT_THAT(dates("you may take 30 days"), IsEmpty());
    EXPECT_THAT(dates(""), IsEmpty());
}

TEST(TextFacts, TwoDatesAreTheSameDayWhenNoYearSpeaksAgainstIt) {
    EXPECT_TRUE(same_day({.month = 11, .day = 8, .year = 2026}, {.month = 11, .day = 8, .year = std::nullopt}));
    EXPECT_FALSE(same_day({.month = 11, .day = 8, .year = 2026}, {.month = 11, .day = 8, .year = 2025}));
    EXPECT_FALSE(same_day({.month = 11, .day = 8, .year = std::nullopt}, {.month = 11, .day = 9, .year = 2026}));
    EXPECT_FALSE(
        same_day({.month = 11, .day = 8, .year = std::nullopt}, {.month = 8, .day = 11, .year = std::nullopt}));
}

TEST(TextFacts, ATelephoneNumberIsLongOrIsCalledOne) {
    EXPECT_THAT(phones("call 118, or 1577 0000. on 2026-11-18 some 1,000 people (art. 39-2)"),
                ElementsAre("118", "1577 0000"));
    EXPECT_THAT(phones("경찰청(전화 182)에 신고하신 분은 모두 118명"), ElementsAre("182"));
}

TEST(TextFacts, TheLongestWordNamesTheItem) {
    EXPECT_THAT(items_in("your email address", "en"), ElementsAre("email"));
    EXPECT_THAT(items_in("공동현관 출입 비밀번호와 이름", "ko"), ElementsAre("entrance_code", "name"));
    EXPECT_THAT(items_in("your name", "fr"), IsEmpty());
}

TEST(TextFacts, ASentenceEndsAtAStopAnEmptyLineOrTheNextItem) {
    std::vector<std::string_view> got;
    const std::string text = "One 2.5 is. Two\ngoes on.\n- three\n- four\n\nfive。six";
    for (const auto& s : sentences_in(text)) {
        got.push_back(s.text);
        EXPECT_EQ(text.substr(s.at, s.text.size()), s.text);
    }
    EXPECT_THAT(got, ElementsAre("One 2.5 is.", " Two\ngoes on.", "\n", "- three\n", "- four\n", "\nfive。", "six"));
}
