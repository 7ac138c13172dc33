#include <correlation/message_id.hpp>
#include <gtest/gtest.h>

namespace semel::correlation {
namespace {

TEST(ReceiptIds, ArePlainWithoutCaseZerosBlanksAndQuotes) {
    for (const auto* same : {"ab1", "AB1", "000ab1", " ab1  ", "\"AB1\"", "0xAB1"}) {
        EXPECT_EQ(plain_id(same), "ab1") << same;
    }
    EXPECT_EQ(plain_id("000"), "0");
    EXPECT_EQ(plain_id("0xyz"), "xyz");
    EXPECT_EQ(plain_id("  "), "");
}

TEST(ReceiptIds, AreTriedInDecimalAndHexadecimal) {
    using list = std::vector<std::string>;
    EXPECT_EQ(id_alternatives("0A"), (list{"a", "10"}));
    EXPECT_EQ(id_alternatives("255"), (list{"255", "ff", "597"}));
    EXPECT_EQ(id_alternatives("semel-1"), (list{"semel-1"}));
    EXPECT_EQ(id_alternatives("0"), (list{"0"}));
    EXPECT_EQ(id_alternatives(""), list{});
    EXPECT_EQ(id_alternatives("ffffffffffffffffff"), (list{"ffffffffffffffffff", "4722366482869645213695"}));
    EXPECT_EQ(id_alternatives("4722366482869645213695").at(1), "ffffffffffffffffff");
}

} // namespace
} // namespace semel::correlation
