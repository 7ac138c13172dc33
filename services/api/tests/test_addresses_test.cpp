#include <api/core/test_addresses.hpp>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

TEST(TestAddresses, AreReadByTheirLooks) {
    const auto mail = read_test_address("Kim@Example.com");
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->channel, base::channel::email);
    EXPECT_EQ(mail->canonical, "kim@example.com");
    const auto phone = read_test_address("+82 10-1234-5678");
    ASSERT_TRUE(phone);
    EXPECT_EQ(phone->canonical, "+821012345678");
    EXPECT_EQ(read_test_address("fcm:" + std::string(140, 'a'))->channel, base::channel::push);
    for (const auto* nothing : {"", "010-1234-5678", "kim", "kim@", "+82"}) {
        EXPECT_FALSE(read_test_address(nothing)) << nothing;
    }
}

TEST(TestAddresses, AreComparedByChannelAndCanonicalForm) {
    test_addresses listed{crypto::key_ring::random().destinations()};
    listed.add(base::channel::email, "kim@example.com");
    EXPECT_TRUE(listed.has(base::channel::email, "kim@example.com"));
    EXPECT_FALSE(listed.has(base::channel::email, "lee@example.com"));
    EXPECT_FALSE(listed.has(base::channel::sms, "kim@example.com"));
}

TEST(TestAddresses, AreKeptAsHashesThatAnotherKeyDoesNotFind) {
    const auto key = crypto::key_ring::random().destinations();
    const auto mark = mark_of(key, base::channel::email, "kim@example.com");
    EXPECT_EQ(mark.find("kim"), std::string::npos);
    test_addresses same{key};
    same.add(mark);
    EXPECT_TRUE(same.has(base::channel::email, "kim@example.com"));
    const auto another = crypto::key_ring::random().destinations();
    EXPECT_NE(mark_of(another, base::channel::email, "kim@example.com").substr(4), mark.substr(4)) << "behind the name";
    test_addresses other{another};
    other.add(mark);
    EXPECT_FALSE(other.has(base::channel::email, "kim@example.com"));
}

TEST(TestAddresses, AreShownSoThatOneKnowsThem) {
    EXPECT_EQ(masked("kim@example.com"), "k...@example.com");
    EXPECT_EQ(masked("+821012345678"), "+8210...78");
    EXPECT_EQ(masked("fcm:abcdefghijkl"), "fcm:abcd...");
    EXPECT_EQ(masked("fcm:ab"), "fcm:a...") << "never all of it";
}

} // namespace
} // namespace semel::api
