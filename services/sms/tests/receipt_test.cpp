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
        {"stat:FAILED id:7 err:034", "7", message_state::undeliverable},
        {"id:7 stat:failed", "7", message_state::undeliverable},
        {"id:7 stat:DELIVERY_FAILED", "7", message_state::undeliverable},
        {"id:7 stat:BUFFRED", "7", message_state::enroute},
        {"id:7 stat:SYSERR", "7", message_state::undeliverable},
        {"id:7 stat:BARRED", "7", message_state::rejected},
        {"id:7 stat:NOCRED", "7", message_state::rejected},
        {"id:7 stat:SKIPPED", "7", message_state::skipped},
        {"id:7 stat:5", "7", message_state::undeliverable},
        {"id:\"7\" stat:\"DELIVRD\"", "7", message_state::delivered},
        {"id:'7  ' stat:DELIVRD", "7", message_state::delivered},
        {"id:7,stat:DELIVRD,err:000", "7", message_state::delivered},
        {"id=7;status=DELIVRD", "7", message_state::delivered},
        {"message_id:7 state:EXPIRED", "7", message_state::expired},
        {"{\"id\":\"7\",\"stat\":\"UNDELIV\"}", "7", message_state::undeliverable},
        {"id:7 submit date:261129071201 done date:000000000000 stat:DELIVRD err:0x1F", "7", message_state::delivered},
        {"id:7 sub: dlvrd: submit date: done date: stat:UNDELIV", "7", message_state::undeliverable},
        {"id:7 stat:DELIVRD\xff\xfe%$", "7", message_state::delivered},
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

TEST(ReceiptText, KeepsTheCarriersOwnWordAndCode) {
    const auto r = parse_receipt_text("id:7 stat:FAILED err:0x1F");
    ASSERT_TRUE(r);
    EXPECT_EQ(r->word, "FAILED");
    EXPECT_EQ(r->error, "0x1F");
    EXPECT_TRUE(r->final());
}

TEST(ReceiptText, EndsAtAZeroByte) {
    const auto r = parse_receipt_text({"id:7\0\0 stat:DELIVRD\0junk", 25});
    ASSERT_TRUE(r);
    EXPECT_EQ(r->message_id, "7");
    EXPECT_EQ(r->state, message_state::delivered);
}

TEST(Receipt, IsReadFromTlvsAlone) {
    message m;
    m.kind = command::data_sm;
    m.esm_class = 0x04;
    m.optional = {{tag::receipted_message_id, {"AB  \0", 5}},
                  {tag::message_state, "\x05"},
                  {tag::network_error_code, {"\x03\x00\x1b", 3}}};
    const auto r = read_receipt(m);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->message_id, "AB");
    EXPECT_EQ(r->state, message_state::undeliverable);
    EXPECT_EQ(r->error, "3/27");
    m.optional.erase(m.optional.begin());
    EXPECT_FALSE(read_receipt(m)) << "of which message?";
}

TEST(Receipt, TakesTheTextsWordWhereTheTlvKnowsNone) {
    message m;
    m.short_message = "id:1 stat:FAILED";
    for (const auto* state : {"\x07", "\x63"}) {
        m.optional = {{tag::message_state, state}};
        EXPECT_EQ(read_receipt(m)->state, message_state::undeliverable);
        EXPECT_EQ(read_receipt(m)->word, "FAILED");
    }
}

TEST(Receipt, IsReadInUcs2AndBehindAHeader) {
    message m;
    for (const char c : std::string_view{"id:7 stat:DELIVRD"}) {
        m.short_message += '\0';
        m.short_message += c;
    }
    EXPECT_EQ(read_receipt(m)->message_id, "7");
    m.esm_class = 0x44;
    m.short_message = "\x05" + std::string{"\x00\x03id\x01", 5} + "id:8 stat:DELIVRD";
    EXPECT_EQ(read_receipt(m)->message_id, "8");
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

} // namespace
} // namespace semel::sms
