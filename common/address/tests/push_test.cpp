#include <address/address.hpp>

#include <gtest/gtest.h>

using namespace semel;

namespace {
bool refused(std::string_view text, std::string_view reason_part) {
    const auto made = address::push_token(text);
    return !made && made.error().why().find(reason_part) != std::string::npos;
}
} // namespace

TEST(PushToken, ApnsHexIsComparedInLowerCase) {
    const std::string upper(64, 'A');
    const auto made = address::push_token(" apns:" + upper + " ");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->canonical, "apns:" + std::string(64, 'a'));
    EXPECT_EQ(made->given, upper);
    EXPECT_EQ(made->transport, "apns");
    EXPECT_EQ(made->channel, base::channel::push);
}

TEST(PushToken, FcmDistinguishesCase) {
    const auto made = address::push_token("fcm:cQ3:APA91b-x_Y");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->canonical, "fcm:cQ3:APA91b-x_Y");
    EXPECT_EQ(made->given, "cQ3:APA91b-x_Y");
    EXPECT_EQ(made->transport, "fcm");
}

TEST(PushToken, BadOnesAreRefusedWithAReason) {
    EXPECT_TRUE(refused("", "empty"));
    EXPECT_TRUE(refused("apns:", "64 to 200"));
    EXPECT_TRUE(refused("apns:" + std::string(62, 'a'), "64 to 200"));
    EXPECT_TRUE(refused("apns:" + std::string(65, 'a'), "odd"));
    EXPECT_TRUE(refused("apns:" + std::string(202, 'a'), "64 to 200"));
    EXPECT_TRUE(address::push_token("apns:" + std::string(200, 'a')));
    EXPECT_TRUE(refused("apns:" + std::string(63, 'a') + "g", "hexadecimal"));
    EXPECT_TRUE(refused("fcm:", "nothing"));
    EXPECT_TRUE(refused("fcm:" + std::string(4097, 'a'), "4,096"));
    EXPECT_TRUE(address::push_token("fcm:" + std::string(4096, 'a')));
    EXPECT_TRUE(refused("fcm:a/../b", "character")); // it becomes part of a JSON body and of a log of the provider's
    EXPECT_TRUE(refused("fcm:a\r\nb", "character"));
    EXPECT_TRUE(refused("fcm:\xff", "character"));
    EXPECT_TRUE(refused("APNS:" + std::string(64, 'a'), "neither"));
    EXPECT_TRUE(refused(std::string(64, 'a'), "neither"));
}
