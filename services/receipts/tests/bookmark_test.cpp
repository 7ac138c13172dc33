#include <gtest/gtest.h>
#include <receipts/edge/bookmark.hpp>

#include <stdexcept>

namespace semel::receipts {
namespace {

const kafka::topic_partition events{"events", 3};
const kafka::topic_partition reports{"gateway.receipts", 1};

kafka::commit metadata(std::string text) {
    return {.at = events, .next = 9, .metadata = std::move(text)};
}

TEST(Bookmark, IsReadAsItIsWritten) {
    for (const auto& mark : {bookmark{}, bookmark{.turn = 17, .reread = {}}, bookmark{.turn = 17, .reread = 4711},
                             bookmark{.turn = 0, .reread = 0}}) {
        EXPECT_EQ(bookmark_of(metadata(to_metadata(mark))), mark) << to_metadata(mark);
    }
    EXPECT_EQ(bookmark_of(metadata("")), bookmark{}); // of a first offset, as `semel up` writes it
    EXPECT_EQ(bookmark_of(metadata("17")), (bookmark{.turn = 17, .reread = {}}));
}

TEST(Bookmark, OfSomebodyElseIsRefused) {
    for (const auto* text : {"x", "17@", "@4711", "17@x", "17@4711@", "17 ", "-1"}) {
        EXPECT_THROW(bookmark_of(metadata(text)), std::runtime_error) << text;
    }
}

class Fate : public testing::Test {
  protected:
    const positions before{{events, {9, "17"}}, {reports, {4, ""}}};
    const std::vector<kafka::commit> wanted{{events, 9, "18"}, {reports, 6, ""}};
};

TEST_F(Fate, IsWhatTheCoordinatorSays) {
    EXPECT_EQ(fate_of(before, wanted, wanted), fate::committed);
    EXPECT_EQ(fate_of(before, wanted, {{events, 9, "17"}, {reports, 4, ""}}), fate::not_committed);
    EXPECT_EQ(fate_of(before, wanted, {{events, 9, "18"}, {reports, 6, ""}, {{"events", 0}, 1, "5"}}), fate::committed);
}

TEST_F(Fate, OfATransactionThatMovesNothingIsOfNoConsequence) {
    EXPECT_EQ(fate_of(before, {{events, 9, "17"}}, {{events, 9, "17"}}), fate::not_committed);
}

TEST_F(Fate, IsOvertakenByWhateverFitsNeither) {
    EXPECT_EQ(fate_of(before, wanted, {{events, 9, "19"}, {reports, 6, ""}}), fate::overtaken);
    EXPECT_EQ(fate_of(before, wanted, {{events, 9, "18"}, {reports, 4, ""}}),
              fate::overtaken); // by halves
    EXPECT_EQ(fate_of(before, wanted, {{events, 9, "18"}}), fate::overtaken);
    EXPECT_EQ(fate_of({}, wanted, wanted), fate::overtaken);
}

} // namespace
} // namespace semel::receipts
