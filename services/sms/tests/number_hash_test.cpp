#include <gtest/gtest.h>
#include <sms/core/number_hash.hpp>

namespace semel::sms {
namespace {

TEST(NumberHash, KnowsANumberAsItIsDialledAtHome) {
    const auto key = crypto::key256::random();
    const auto sent = number_hash(key, "+821030005001");
    const auto at_home = number_hash(key, "01030005001");
    EXPECT_NE(whole_of(sent), whole_of(at_home));
    EXPECT_EQ(tail_of(sent), tail_of(at_home));
    EXPECT_NE(tail_of(sent), tail_of(number_hash(key, "+821030005002")));
    EXPECT_NE(tail_of(sent), tail_of(number_hash(crypto::key256::random(), "+821030005001")));
}

TEST(NumberHash, ComparesWhatHasNoTailWithNothing) {
    EXPECT_EQ(number_hash(crypto::key256::random(), "SEMEL"), "");
    EXPECT_EQ(tail_of(std::string(16, 'x')), "");
    EXPECT_EQ(whole_of(std::string(16, 'x')).size(), 16U);
}

} // namespace
} // namespace semel::sms
