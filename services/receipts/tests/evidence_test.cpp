#include "doubt_world.hpp"

namespace semel::receipts {
namespace {

TEST(ReceiptEvents, AreOneForEachStateAndCode) {
    v1::GatewayReceipt r;
    r.set_gateway("smsc-a");
    r.set_message_id("m-1");
    r.set_state(v1::RECEIPT_DELIVERED);
    r.set_code("000");
    const subject about{.notification = message, .attempt = 1, .campaign = "c-1", .channel = v1::CHANNEL_SMS};
    const auto first = receipt_event(r, about, noon, false);
    r.set_time_us(base::to_us(noon + 1h));
    EXPECT_EQ(receipt_event(r, about, noon + 2h, true).id(), first.id());
    EXPECT_EQ(first.time_us(), base::to_us(noon));
    r.set_state(v1::RECEIPT_BOUNCED); // a contradiction: both stand
    EXPECT_NE(receipt_event(r, about, noon, false).id(), first.id());
    EXPECT_NE(receipt_event(r, about, noon, true).text().find("inferred"), std::string::npos);
}

TEST(ReceiptEvents, WhatCannotBeUsedIsNamed) {
    v1::GatewayReceipt r;
    r.set_gateway("smsc-a");
    r.set_message_id("m-1");
    r.set_state(v1::RECEIPT_DELIVERED);
    EXPECT_FALSE(complaint(r));
    auto bad = r;
    bad.set_state(99);
    EXPECT_TRUE(complaint(bad));
    bad = r;
    bad.clear_message_id();
    EXPECT_TRUE(complaint(bad));
    bad.set_notification(std::string(16, 'n'));
    EXPECT_FALSE(complaint(bad));
    bad.set_notification("n");
    EXPECT_TRUE(complaint(bad));
    bad = r;
    bad.set_message_id(std::string(501, 'm'));
    EXPECT_TRUE(complaint(bad));
    bad.set_message_id(std::string(1, '\0'));
    EXPECT_TRUE(complaint(bad));
}

} // namespace
} // namespace semel::receipts
