#include <kafka/fate.hpp>

#include <gtest/gtest.h>

namespace semel::kafka {
namespace {

const topic_partition events{"events", 3};
const topic_partition reports{"gateway.receipts", 1};

class Fate : public testing::Test {
  protected:
    const positions before{{events, {9, "17"}}, {reports, {4, ""}}};
    const std::vector<commit> wanted{{events, 9, "18"}, {reports, 6, ""}};
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
} // namespace semel::kafka
