#include <cli/campaign/text_table.hpp>
#include <gtest/gtest.h>

namespace semel::cli::campaign {
namespace {

constexpr auto right = text_table::align::right;

TEST(TextTable, SeparatesThousands) {
    EXPECT_EQ(with_separators(0), "0");
    EXPECT_EQ(with_separators(999), "999");
    EXPECT_EQ(with_separators(1'000), "1,000");
    EXPECT_EQ(with_separators(33'700'000), "33,700,000");
    EXPECT_EQ(with_separators(-1'234), "-1,234");
    EXPECT_EQ(with_separators(-123), "-123");
}

TEST(TextTable, ShowsSlowRatesWithADecimal) {
    EXPECT_EQ(rate_text(0), "0");
    EXPECT_EQ(rate_text(7.54), "7.5");
    EXPECT_EQ(rate_text(9.96), "10");
    EXPECT_EQ(rate_text(1'199.6), "1,200");
}

TEST(TextTable, HasNoShareOfNothing) {
    EXPECT_EQ(share_text(1, 8), "12.5 %");
    EXPECT_EQ(share_text(0, 0), "-");
}

TEST(TextTable, AlignsWordsLeftAndNumbersRight) {
    text_table table{{{"channel"}, {"planned", right}}};
    table.add({"email", "10,000"}).add({"sms", "7"});
    EXPECT_EQ(table.to_string(), "channel  planned\n"
                                 "email     10,000\n"
                                 "sms            7\n");
}

TEST(TextTable, LeavesNoSpacesAtTheEndsOfLines) {
    text_table table{{{"id"}, {"incident"}}};
    table.add({"c-1", ""});
    EXPECT_EQ(table.to_string(), "id   incident\nc-1\n");
}

TEST(TextTable, KnowsThatHangulTakesTwoColumns) {
    EXPECT_EQ(display_width("재안내"), 6U);
    EXPECT_EQ(display_width("cafe\u0301"), 4U) << "a combining accent takes none";
    text_table table{{{"name"}, {"n", right}}};
    table.add({"재안내", "1"}).add({"Notice", "2"});
    EXPECT_EQ(table.to_string(), "name    n\n재안내  1\nNotice  2\n");
}

TEST(TextTable, CutsBetweenCharacters) {
    EXPECT_EQ(fit("재안내", 5), "재안");
    EXPECT_EQ(fit("abc", 3), "abc");
}

// What a gateway or a colleague wrote must not command the terminal of whoever reads it.
TEST(TextTable, LetsNothingCommandTheTerminal) {
    EXPECT_EQ(one_line("a\x1b[2Jb\nc"), "a?[2Jb?c");
    EXPECT_EQ(one_line("safe\u202Eexe"), "safe?exe");
    EXPECT_EQ(one_line("\xff"), "?");
    EXPECT_EQ(printable("Subject: x\r\n\r\ttext\x07"), "Subject: x\n\ttext?");
    text_table table{{{"text"}}};
    table.add({"\x9b"
               "31m"});
    EXPECT_EQ(table.to_string(), "text\n?31m\n");
}

TEST(TextTable, RefusesARowOfAnotherLength) {
    text_table table{{{"a"}, {"b"}}};
    EXPECT_THROW(table.add({"1"}), std::logic_error);
}

} // namespace
} // namespace semel::cli::campaign
