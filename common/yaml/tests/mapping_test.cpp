#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml/mapping.hpp>

namespace semel::yaml {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct heard {
    std::vector<complaint> all;
    complain to() {
        return [this](const complaint& c) { all.push_back(c); };
    }
    std::vector<std::pair<flaw, int>> where() const {
        std::vector<std::pair<flaw, int>> out;
        for (const auto& c : all) {
            out.emplace_back(c.what, c.line);
        }
        return out;
    }
};

mapping read(const std::string& text, heard& to, std::string path = {}) {
    return {document_in(text, to.to()).value_or(YAML::Node{}), std::move(path), to.to()};
}

TEST(Mapping, FindsValuesWithTheirLines) {
    heard none;
    const auto m = read("# first\none: 1\ntwo: {a: b}\n", none, "top");
    EXPECT_TRUE(m.has("two"));
    EXPECT_EQ(m.find("one").Scalar(), "1");
    EXPECT_EQ(m.line_of("two"), 3);
    EXPECT_EQ(m.full("one"), "top.one");
    EXPECT_FALSE(m.find("three").IsDefined());
    EXPECT_EQ(m.line_of("three"), 2) << "where the mapping begins";
    EXPECT_THAT(none.all, IsEmpty());
}

TEST(Mapping, TellsWhatNobodyAskedFor) {
    heard none;
    const auto m = read("a: 1\nb: 2\nc: 3\n", none);
    m.find("b");
    m.find("d");
    std::vector<std::string> unknown;
    for (const auto& e : m.unknown()) {
        unknown.push_back(e.key);
    }
    EXPECT_THAT(unknown, ElementsAre("a", "c"));
    EXPECT_THAT(m.asked(), ElementsAre("b", "d"));
}

// The mistake: yaml-cpp finds the first, and says nothing of the second.
TEST(Mapping, AKeyThatStandsTwiceIsToldAtTheSecond) {
    heard told;
    const auto m = read("a: 1\nb: {x: 1}\na: 2\n", told, "top");
    EXPECT_THAT(told.where(), ElementsAre(std::pair{flaw::double_key, 3}));
    EXPECT_EQ(told.all[0].key, "top.a");
    EXPECT_EQ(m.find("a").Scalar(), "1");
    EXPECT_EQ(m.entries().size(), 3U);
}

TEST(Mapping, AKeyThatIsNoPlainWordIsToldAndLeftOut) {
    heard told;
    const auto m = read("a: 1\n[b, c]: 2\n", told);
    EXPECT_THAT(told.where(), ElementsAre(std::pair{flaw::strange_key, 2}));
    EXPECT_EQ(m.entries().size(), 1U);
}

TEST(Mapping, OfSomethingElseHoldsNothing) {
    for (const auto* text : {"[a, b]", "word"}) {
        heard told;
        const auto m = read(text, told, "top");
        EXPECT_THAT(told.where(), ElementsAre(std::pair{flaw::not_a_mapping, 1})) << text;
        EXPECT_THAT(m.entries(), IsEmpty());
    }
    heard none;
    EXPECT_THAT(read("", none).entries(), IsEmpty());
    EXPECT_THAT(none.all, IsEmpty()) << "an empty file is an empty mapping";
}

TEST(Document, ThatIsNoYamlIsToldWithItsLine) {
    heard told;
    EXPECT_FALSE(document_in("a: 1\nb: [\n", told.to()));
    ASSERT_EQ(told.all.size(), 1U);
    EXPECT_EQ(told.all[0].what, flaw::not_yaml);
    EXPECT_GE(told.all[0].line, 2);
    EXPECT_NE(told.all[0].detail, "");
}

TEST(Document, ASecondOneIsTold) {
    heard told;
    const auto first = document_in("a: 1\n---\nb: 2\n", told.to());
    EXPECT_TRUE(first && first->IsMap());
    ASSERT_EQ(told.all.size(), 1U);
    EXPECT_EQ(told.all[0].what, flaw::second_document);
}

TEST(TextsIn, AreThoseOfAListOfPlainValues) {
    EXPECT_THAT(texts_in(YAML::Load("[a, '', b]")).value(), ElementsAre("a", "", "b"));
    EXPECT_FALSE(texts_in(YAML::Load("[a, [b]]")));
    EXPECT_FALSE(texts_in(YAML::Load("a")));
}

} // namespace
} // namespace semel::yaml
