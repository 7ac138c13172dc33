#include <gtest/gtest.h>
#include <sms/core/receipt.hpp>

namespace semel::sms {
namespace {

TEST(ReceiptText, ReadsTheUsualForm) {
    const auto r = parse_receipt_text(
        "id:0123456789 sub:001 dlvrd:001 submit date:2611240313 done date:2611240314 stat:DELIVRD err:000 "
        "text:id:evil stat:REJECTD");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->message_id, "0123456789");
    EXPECT_EQ(r->state, message_state::delivered);
    EXPECT_EQ(r->error, "000");
    EXPECT_TRUE(r->final());
}

TEST(ReceiptText, ReadsWhatCarriersWrite) {
    struct row {
        const char* text;
        const char* id;
        message_state state;
    };
    const row table[] = {
        {"ID: ab-12  STAT: delivrd  ERR: 0", "ab-12", message_state::delivered},
        {"stat:UNDELIV err:001 id:77", "77", message_state::undeliverable},
        {"id:7 stat:UNDELIVERABLE", "7", message_state::undeliverable},
        {"id:7 stat:DELIVERED", "7", message_state::delivered},
        {"id:7 stat:EXPIRED Text:", "7", message_state::expired},
        {"id:7 stat:DELETED", "7", message_state::deleted},
        {"id:7 stat:ACCEPTD", "7", message_state::accepted},
        {"id:7 stat:REJECTD", "7", message_state::rejected},
        {"id:7 stat:ENROUTE", "7", message_state::enroute},
        {"id:7 stat:UNKNOWN", "7", message_state::unknown},
        {"id:7 stat:WHATEVER", "7", message_state::unknown},
        {"id:7", "7", message_state::unknown},
        {"xid:9 id:7 stat:DELIVRD\r\n", "7", message_state::delivered},
        {"id :7 stat :DELIVRD", "7", message_state::delivered},
        {"id:7\xe9 stat:DELIVRD", "7%e9", message_state::delivered},
    };
    for (const auto& row : table) {
        const auto r = parse_receipt_text(row.text);
        ASSERT_TRUE(r) << row.text;
        EXPECT_EQ(r->message_id, row.id) << row.text;
        EXPECT_EQ(r->state, row.state) << row.text;
    }
}

TEST(ReceiptText, IsNoReceiptWithoutAnId) {
    for (const std::string_view text :
         {"", "hello", "id:", "id: ", "id:\r\n", "id: stat:DELIVRD", "text:id:7", "stat:DELIVRD"}) {
        EXPECT_FALSE(parse_receipt_text(text)) << text;
    }
    EXPECT_FALSE(parse_receipt_text("id:" + std::string(65, '1')));
}

TEST(Receipt, PrefersTheTlvs) {
    message m;
    m.kind = command::deliver_sm;
    m.esm_class = 0x04;
    m.short_message = "id:1 stat:UNDELIV err:5";
    m.optional = {{tag::receipted_message_id, {"AB\0", 3}}, {tag::message_state, "\x02"}};
    const auto r = read_receipt(m);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->message_id, "AB");
    EXPECT_EQ(r->state, message_state::delivered);
    EXPECT_EQ(r->error, "5");
    m.short_message.clear();
    EXPECT_EQ(read_receipt(m)->message_id, "AB");
    m.optional = {{tag::message_payload, "id:9 stat:DELIVRD"}};
    EXPECT_EQ(read_receipt(m)->message_id, "9");
}

TEST(Receipt, IsToldFromAHandsetsMessage) {
    message m;
    m.kind = command::deliver_sm;
    m.short_message = "id:1 stat:DELIVRD";
    EXPECT_FALSE(is_receipt(m)) << "a person may write anything";
    m.esm_class = 0x04;
    EXPECT_TRUE(is_receipt(m));
    m.esm_class = 0x20;
    EXPECT_TRUE(is_receipt(m));
    m.esm_class = 0x40; // a long message from a handset
    EXPECT_FALSE(is_receipt(m));
}

TEST(ReceiptIds, AreTriedInDecimalAndHexadecimal) {
    using list = std::vector<std::string>;
    EXPECT_EQ(id_alternatives("0A"), (list{"0A", "a", "10"}));
    EXPECT_EQ(id_alternatives("255"), (list{"255", "597", "ff", "FF"}));
    EXPECT_EQ(id_alternatives("semel-1"), (list{"semel-1"}));
    EXPECT_EQ(id_alternatives("0"), (list{"0"}));
    EXPECT_EQ(id_alternatives(""), list{});
    EXPECT_EQ(id_alternatives("ffffffffffffffffff"), (list{"ffffffffffffffffff"})); // beyond 64 bits: as it is
}

} // namespace
} // namespace semel::sms
