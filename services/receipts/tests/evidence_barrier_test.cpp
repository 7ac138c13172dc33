#include <gtest/gtest.h>
#include <receipts/edge/evidence_barrier.hpp>

namespace semel::receipts {
namespace {

using step = evidence_barrier::step;

const kafka::topic_partition events{"events", 0}, reports{"gateway.receipts", 3};
constexpr base::timestamp noon = base::from_us(1'790'000'000'000'000);

TEST(EvidenceBarrier, PassesWhenEveryPartitionHasBeenReadAsFarAsItWent) {
    evidence_barrier b;
    ASSERT_EQ(b.next(), step::ask_all);
    b.wait_for_all({{events, 10}, {reports, 5}}, noon);
    EXPECT_EQ(b.next(), step::ask_own);
    EXPECT_EQ(b.asked_at(), noon);
    EXPECT_FALSE(b.passed({{events, 10}})) << "the other process has not said how far it is";
    EXPECT_FALSE(b.passed({{events, 10}, {reports, 4}}));
    EXPECT_FALSE(b.passed({{events, 9}, {reports, 5}}));
    EXPECT_TRUE(b.passed({{events, 10}, {reports, 6}}));
    b.wait_for_own({{events, 12}});
    EXPECT_EQ(b.next(), step::decide);
    EXPECT_FALSE(b.passed({{events, 11}, {reports, 9}})) << "what the other found stands in events";
    EXPECT_TRUE(b.passed({{events, 12}}));
    EXPECT_EQ(b.asked_at(), noon);
    b.drop();
    EXPECT_EQ(b.next(), step::ask_all);
}

TEST(EvidenceBarrier, DoesNotWaitForWhatIsEmpty) {
    evidence_barrier b;
    b.wait_for_all({{events, 0}}, noon);
    EXPECT_TRUE(b.passed({}));
}

} // namespace
} // namespace semel::receipts
