#include <gtest/gtest.h>
#include <spelling/spelling.hpp>

using namespace semel::spelling;

TEST(Spelling, CountsWhatTheFingersDidWrong) {
    EXPECT_EQ(slips("email", "email"), 0U);
    EXPECT_EQ(slips("emial", "email"), 1U);
    EXPECT_EQ(slips("emal", "email"), 1U);
    EXPECT_EQ(slips("eemail", "email"), 1U);
    EXPECT_EQ(slips("emajl", "email"), 1U);
    EXPECT_EQ(slips("", "email"), 5U);
    EXPECT_EQ(slips("kitten", "sitting"), 3U);
}

TEST(Spelling, FewSlipsAreNearAndShortWordsAllowOne) {
    EXPECT_EQ(nearness("campagin", "campaign"), 1U);
    EXPECT_EQ(nearness("statsu", "status"), 1U);
    EXPECT_EQ(nearness("recipent_di", "recipient_id"), 2U);
    EXPECT_FALSE(nearness("lsit", "test"));
    EXPECT_FALSE(nearness("show", "shape"));
    EXPECT_FALSE(nearness("up", "us")) << "of two letters, any two words are near";
    EXPECT_FALSE(nearness(std::string(65, 'a'), std::string(65, 'a')));
}
