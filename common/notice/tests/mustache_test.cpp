#include <notice/mustache.hpp>
#include <notice/utf8.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace semel::notice;

namespace {

std::string mark(int index) {
    std::string out;
    append_utf8(out, slot_mark + static_cast<char32_t>(index));
    return out;
}

struct read {
    nodes list;
    std::vector<problem> problems;
};
read parse(std::string_view text) {
    read out;
    complaints complain{out.problems, "f"};
    out.list = parse_mustache(text, complain);
    return out;
}

std::string problem_of(std::string_view text) {
    const auto r = parse(text);
    return r.problems.empty() ? "" : std::to_string(r.problems[0].line) + " " + r.problems[0].id;
}

} // namespace

TEST(Mustache, LeavesSlotsOpenAndChoosesSections) {
    const auto r = parse("Dear {{name}},{{#a}} A {{x}}{{/a}}{{^a}} not A{{/a}}{{! nobody reads this }} {{ name }}");
    ASSERT_TRUE(r.problems.empty());
    const auto with = flatten(r.list, {"a"});
    EXPECT_EQ(with.text, "Dear " + mark(0) + ", A " + mark(1) + " " + mark(0));
    EXPECT_EQ(with.slots, (std::vector<std::string>{"name", "x"}));
    EXPECT_EQ(flatten(r.list, {}).text, "Dear " + mark(0) + ", not A " + mark(0));
    EXPECT_EQ(flatten_sections_only(r.list, {"a"}).text, " A " + mark(0));
}

TEST(Mustache, ATagAloneOnItsLineTakesTheLineAway) {
    const auto r = parse("one\n{{#a}}\ntwo\n  {{/a}}  \nthree\n{{! c }}\nfour");
    EXPECT_EQ(flatten(r.list, {"a"}).text, "one\ntwo\nthree\nfour");
    EXPECT_EQ(flatten(r.list, {}).text, "one\nthree\nfour");
}

TEST(Mustache, LinesOfAFlatTextPointIntoTheSource) {
    const auto r = parse("one\n{{#a}}\ntwo\n{{/a}}\nthree\n");
    const auto flat = flatten(r.list, {});
    EXPECT_EQ(flat.lines, (std::vector<int>{1, 5}));
    EXPECT_EQ(flat.line_at(flat.text.find("three")), 5);
}

TEST(Mustache, SaysWhereItIsBroken) {
    EXPECT_EQ(problem_of("a\n{{{x}}}"), "2 triple-mustache");
    EXPECT_EQ(problem_of("a\n\n{{x"), "3 unclosed-tag");
    EXPECT_EQ(problem_of("{{x\n}}"), "1 unclosed-tag");
    EXPECT_EQ(problem_of("\n{{#a}}x"), "2 unclosed-section");
    EXPECT_EQ(problem_of("x{{/a}}"), "1 stray-close");
    EXPECT_EQ(problem_of("{{#a}}\n{{#b}}\n{{/a}}{{/b}}"), "3 crossed-sections");
    EXPECT_EQ(problem_of("{{}}"), "1 bad-name");
    EXPECT_EQ(problem_of("{{a b}}"), "1 bad-name");
    EXPECT_EQ(problem_of("{{>partial}}"), "1 foreign-tag");
    EXPECT_EQ(problem_of("{{&raw}}"), "1 foreign-tag");
    EXPECT_EQ(problem_of("{{semel.idem}}"), "1 bad-name");
    std::string deep;
    for (int i = 0; i < 20; ++i) {
        deep += "{{#a}}";
    }
    EXPECT_EQ(problem_of(deep), "1 too-deep");
}

TEST(Mustache, NoTextBreaksTheReader) {
    std::mt19937 random{7};
    const std::vector<std::string> bits{"{{", "}}", "{{#a}}", "{{/a}}", "{{^b}}", "{{/b}}", "{", "}",
                                        "\n", " ",  "x",      "{{x}}",  "{{!",    "가",     "#", "/"};
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto n = random() % 12; n > 0; --n) {
            text += bits[random() % bits.size()];
        }
        const auto r = parse(text);
        for (const auto& p : r.problems) {
            ASSERT_GE(p.line, 1);
            ASSERT_LE(p.line, 1 + std::ranges::count(text, '\n'));
        }
        const auto flat = flatten(r.list, {"a"});
        ASSERT_LE(flat.text.size(), text.size());
        ASSERT_EQ(flat.lines.size(), flat.text.empty() ? 0U
                                                       : static_cast<std::size_t>(std::ranges::count(flat.text, '\n')) +
                                                             (flat.text.ends_with('\n') ? 0U : 1U));
    }
}

TEST(Mustache, AnAppendedPartKeepsItsSlotsAndLines) {
    const auto a = parse("{{x}}");
    const auto b = parse("one\n{{y}} and {{x}}\n");
    auto to = flatten(a.list, {});
    const auto from = flatten(b.list, {});
    append(to, from, 4, from.text.size());
    EXPECT_EQ(to.text, mark(0) + "\n\n" + mark(1) + " and " + mark(0) + "\n");
    EXPECT_EQ(to.slots, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(to.line_at(to.text.find("and")), 2);
}
