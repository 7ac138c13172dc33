#include "pieces.hpp"

#include <audience/csv.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace semel;
using audience::testing::pieces;

namespace {

struct seen {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::uint64_t> lines;
    std::vector<std::string> troubles;
    bool unterminated = false;
    std::string fault;
    std::uint64_t end = 0;
};

seen read(std::string text, std::size_t piece = 7, std::size_t longest = 1'000) {
    audience::csv_reader reader{pieces(std::move(text), piece), longest};
    seen out;
    audience::csv_row row;
    for (;;) {
        const auto more = reader.next(row);
        if (!more) {
            out.fault = more.error().why();
            return out;
        }
        if (!*more) {
            return out;
        }
        out.rows.emplace_back(row.values.begin(), row.values.end());
        out.lines.push_back(row.line);
        out.troubles.push_back(row.trouble);
        out.unterminated = row.unterminated;
        out.end = row.end;
    }
}
using rows = std::vector<std::vector<std::string>>;

} // namespace

TEST(Csv, RowsEndWithLineFeedOrCarriageReturnLineFeed) {
    EXPECT_EQ(read("a,b\r\n1,2\n3,\r\n").rows, (rows{{"a", "b"}, {"1", "2"}, {"3", ""}}));
}

TEST(Csv, QuotesHoldCommasQuotesAndLineBreaks) {
    const auto got = read("a,b\n\"1,\"\"x\"\"\r\ny\",2\n3,4\n");
    EXPECT_EQ(got.rows, (rows{{"a", "b"}, {"1,\"x\"\r\ny", "2"}, {"3", "4"}}));
    EXPECT_EQ(got.lines, (std::vector<std::uint64_t>{1, 2, 4}));
}

TEST(Csv, BlankLinesAreNoRowsButAnEmptyQuotedValueIs) {
    EXPECT_EQ(read("a\n\n\r\n1\n\"\"\n\n").rows, (rows{{"a"}, {"1"}, {""}}));
}

TEST(Csv, ALastLineWithoutLineBreakIsToldFromAWholeOne) {
    EXPECT_FALSE(read("a,b\n1,2\n").unterminated);
    const auto got = read("a,b\n1,2");
    EXPECT_TRUE(got.unterminated);
    EXPECT_EQ(got.rows.back(), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(read("a,b\n1,").rows.back(), (std::vector<std::string>{"1", ""}));
}

TEST(Csv, AQuoteNeverClosedIsAboutTheWholeFile) {
    const auto got = read("a,b\n1,2\n3,\"4\n5,6\n");
    EXPECT_NE(got.fault.find("line 3"), std::string::npos) << got.fault;
    EXPECT_EQ(got.rows.size(), 2U);
}

TEST(Csv, BrokenQuotingSpoilsOneRowOnly) {
    using namespace std::string_literals;
    for (const auto& bad : {"x\"y,2"s, "\"x\"y,2"s, "x\ry,2"s, "x\0y,2"s}) {
        const auto got = read("a,b\n" + bad + "\n3,4\n");
        ASSERT_EQ(got.rows.size(), 3U) << bad;
        EXPECT_FALSE(got.troubles[1].empty()) << bad;
        EXPECT_TRUE(got.troubles[2].empty()) << bad;
        EXPECT_EQ(got.rows[2], (std::vector<std::string>{"3", "4"}));
    }
}

TEST(Csv, AnOverlongRowIsNotKeptInMemory) {
    const auto got = read("a\n" + std::string(5'000, 'x') + "\n1\n", 64);
    ASSERT_EQ(got.rows.size(), 3U);
    EXPECT_NE(got.troubles[1].find("longer"), std::string::npos);
    EXPECT_LE(got.rows[1][0].size(), 1'001U);
    EXPECT_EQ(got.rows[2], std::vector<std::string>{"1"});
}

TEST(Csv, HowTheBytesArriveChangesNothing) {
    std::mt19937_64 random{3};
    const std::string_view alphabet{"ab,,\"\"\n\r\n"};
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto n = random() % 30; n > 0; --n) {
            text += alphabet[random() % alphabet.size()];
        }
        const auto whole = read(text, 1'000);
        const auto bytes = read(text, 1);
        ASSERT_EQ(whole.rows, bytes.rows) << text;
        ASSERT_EQ(whole.lines, bytes.lines) << text;
        ASSERT_EQ(whole.troubles, bytes.troubles) << text;
        ASSERT_EQ(whole.fault, bytes.fault) << text;
        if (whole.unterminated) {
            ASSERT_EQ(whole.end, text.size()) << text;
        }
    }
}

TEST(Csv, WhatIsWrittenQuotedIsReadBack) {
    std::mt19937_64 random{4};
    const std::string_view alphabet{"ab,\"\n\r;\xea\xb9\x80"};
    for (int round = 0; round < 5'000; ++round) {
        rows written;
        std::string text;
        for (auto n = 1 + random() % 4; n > 0; --n) {
            auto& row = written.emplace_back();
            for (int i = 0; i < 3; ++i) {
                auto& value = row.emplace_back();
                for (auto m = random() % 6; m > 0; --m) {
                    value += alphabet[random() % alphabet.size()];
                }
                text += i == 0 ? "\"" : ",\"";
                for (const char c : value) {
                    text += c;
                    text += c == '"' ? "\"" : "";
                }
                text += '"';
            }
            text += "\r\n";
        }
        ASSERT_EQ(read(text, 1 + random() % 9).rows, written);
    }
}
