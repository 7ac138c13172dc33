#include <correlation/number_hash.hpp>
#include <gtest/gtest.h>

namespace semel::correlation {
namespace {

TEST(NumberHash, KnowsANumberAsItIsDialledAtHome) {
    const auto key = crypto::key_ring::random().destinations();
    const auto sent = number_hash(key, "+821030005001");
    const auto at_home = number_hash(key, "01030005001");
    EXPECT_NE(whole_of(sent), whole_of(at_home));
    EXPECT_EQ(tail_of(sent), tail_of(at_home));
    EXPECT_NE(tail_of(sent), tail_of(number_hash(key, "+821030005002")));
    EXPECT_NE(tail_of(sent), tail_of(number_hash(crypto::key_ring::random().destinations(), "+821030005001")));
}

TEST(NumberHash, ComparesWhatHasNoTailWithNothing) {
    EXPECT_EQ(number_hash(crypto::key_ring::random().destinations(), "SEMEL"), "");
    EXPECT_EQ(tail_of(std::string(16, 'x')), "");
    EXPECT_EQ(whole_of(std::string(16, 'x')).size(), 16U);
}

TEST(NumberHash, StaysTheSameAfterANewKeyUntilTheOldOneIsGone) {
    const auto old = crypto::key256::random();
    const auto fresh = crypto::key256::random();
    const auto before = number_hash(crypto::key_ring{{old}}.destinations(), "+821030005001");
    const auto rotated = number_hash(crypto::key_ring{{fresh, old}}.destinations(), "+821030005001");
    const auto after = number_hash(crypto::key_ring{{fresh}}.destinations(), "+821030005001");
    EXPECT_EQ(rotated, before);
    EXPECT_NE(whole_of(after).substr(0, 4), whole_of(before).substr(0, 4)) << "another key is named";
    EXPECT_NE(tail_of(after).substr(0, 4), tail_of(before).substr(0, 4));
}

} // namespace
} // namespace semel::correlation
