// The tables of outcomes.hpp through classify(), row by row, against what is written here a second time.
#include <email/core/classify.hpp>
#include <email/core/outcomes.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace semel::email {
namespace {

using kind = delivery::verdict::kind;

delivery::verdict judged(stage where, const std::string& line) {
    reply_parser p;
    p.feed(line + "\r\n");
    return classify(where, p.next().value(), "ann@example.com");
}

char letter(kind k) {
    switch (k) {
    case kind::lane_stop:
        return 'O'; // ours
    case kind::permanent:
        return 'D'; // dead
    case kind::ambiguous:
        return 'E'; // either
    case kind::transient:
        return 'A'; // again
    case kind::throttled:
        return 'S'; // slow
    default:
        return '?';
    }
}

/// What a 4yz means to RCPT and at the dot, and a 5yz to MAIL, RCPT, DATA and the dot.
std::string outcomes(const std::string& status) {
    std::string out;
    for (const auto where : {stage::rcpt, stage::dot}) {
        out += letter(judged(where, "450 4." + status + " no").what);
    }
    out += ' ';
    for (const auto where : {stage::mail, stage::rcpt, stage::data, stage::dot}) {
        out += letter(judged(where, "550 5." + status + " no").what);
    }
    return out;
}

struct expected {
    int subject, from, to; // details
    const char* means;
};

constexpr expected table[]{
    {1, 0, 6, "AA ODDD"},   {1, 7, 8, "AA OEEE"},     {1, 9, 10, "AA ODDD"},  {2, 0, 1, "AA EDDD"},
    {2, 2, 2, "AA EAAA"},   {2, 3, 4, "AA EDDD"},     {3, 0, 1, "AA OEEE"},   {3, 2, 2, "SS OEEE"},
    {3, 3, 3, "AA OEEE"},   {3, 4, 4, "AA EEEE"},     {3, 5, 6, "AA OEEE"},   {4, 0, 4, "AA ODEE"},
    {4, 5, 5, "SS ODEE"},   {4, 6, 7, "AA ODEE"},     {5, 0, 0, "AA EDEE"},   {5, 1, 6, "AA EEEE"},
    {6, 0, 6, "AA EDEE"},   {6, 7, 7, "AA DDDD"},     {6, 8, 8, "AA EDEE"},   {6, 9, 10, "AA EDDD"},
    {7, 0, 1, "AS OEEE"},   {7, 2, 2, "AS ODDD"},     {7, 3, 12, "AS OEEE"},  {7, 13, 13, "AS ODDD"},
    {7, 14, 16, "AS OEEE"}, {7, 17, 18, "AS ODDD"},   {7, 19, 27, "AS OEEE"}, {7, 28, 28, "SS OEEE"},
    {7, 29, 30, "AS OEEE"}, {7, 129, 129, "AS ODDD"},
};

} // namespace

TEST(Outcomes, EachRegisteredStatusMeansWhatItsRowSays) {
    std::set<std::pair<int, int>> tried;
    for (const auto& e : table) {
        for (int detail = e.from; detail <= e.to; ++detail) {
            EXPECT_EQ(outcomes(fmt::format("{}.{}", e.subject, detail)), e.means) << e.subject << '.' << detail;
            tried.insert({e.subject, detail});
        }
    }
    std::size_t rows = 0;
    for (const auto& row : status_rows) {
        if (row.detail != any_detail) {
            ++rows;
            EXPECT_TRUE(tried.contains({row.subject, row.detail})) << row.subject << '.' << row.detail;
        }
    }
    EXPECT_EQ(tried.size(), rows);
}

TEST(Outcomes, WhatHasNoRowMeansWhatItsSubjectDoes) {
    EXPECT_EQ(outcomes("1.999"), "AA ODDD");
    EXPECT_EQ(outcomes("2.999"), "AA EDDD");
    EXPECT_EQ(outcomes("3.999"), "AA OEEE");
    EXPECT_EQ(outcomes("4.316"), "AA ODEE"); // Exchange: expired
    EXPECT_EQ(outcomes("5.999"), "AA EEEE");
    EXPECT_EQ(outcomes("6.999"), "AA EDEE");
    EXPECT_EQ(outcomes("7.515"), "AS OEEE"); // Outlook.com: not authenticated as it wants
    EXPECT_EQ(outcomes("0.0"), "AA ODEE");
    EXPECT_EQ(outcomes("9.9"), "AA ODEE");
}

TEST(Outcomes, ARefusalWithoutAStatusIsJudgedByItsCode) {
    const auto means = [](int code) {
        std::string out;
        for (const auto where : {stage::mail, stage::rcpt, stage::data, stage::dot}) {
            out += letter(judged(where, std::to_string(code) + " no").what);
        }
        return out;
    };
    std::set<int> named{501, 521, 550, 551, 552, 553, 555, 556};
    for (const auto& row : code_rows) {
        EXPECT_TRUE(row.code == any_code || named.contains(row.code)) << row.code;
    }
    EXPECT_EQ(named.size() + 1, code_rows.size());
    for (const int code : {521, 550, 551, 553, 556}) {
        EXPECT_EQ(means(code), "ODEE") << code;
    }
    EXPECT_EQ(means(552), "EAAA");
    EXPECT_EQ(means(501), "EEEE");
    EXPECT_EQ(means(555), "EEEE");
    for (const int code : {500, 502, 503, 504, 530, 534, 535, 538, 554, 599}) {
        EXPECT_EQ(means(code), "OEEE") << code;
    }
}

TEST(Outcomes, BeforeARecipientIsNamedEveryRefusalIsOurs) {
    for (const auto& row : status_rows) {
        const auto line = fmt::format("550 5.{}.{} no", std::max(row.subject, 0), std::max(row.detail, 0));
        for (const auto where : {stage::greeting, stage::ehlo, stage::starttls, stage::auth}) {
            EXPECT_EQ(judged(where, line).what, kind::lane_stop) << line;
        }
    }
}

} // namespace semel::email
