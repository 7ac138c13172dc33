#include <api/core/long_reads.hpp>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

TEST(LongReads, AreTwoForEachUserAndGiveTheirPlaceBack) {
    long_reads reads;
    auto first = reads.enter("kim");
    const auto second = reads.enter("kim");
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(reads.enter("kim"));
    EXPECT_TRUE(reads.enter("lee")) << "others have places of their own";
    const auto copy = first;
    first.reset();
    EXPECT_FALSE(reads.enter("kim")) << "a copy still holds it";
}

TEST(LongReads, OutliveWhoCountsThem) {
    std::shared_ptr<const void> place;
    {
        long_reads reads;
        place = reads.enter("kim");
        reads.enter("kim").reset();
        EXPECT_TRUE(reads.enter("kim"));
    }
    place.reset();
}

} // namespace
} // namespace semel::api
