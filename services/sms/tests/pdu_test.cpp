#include <base/bytes.hpp>

#include <gtest/gtest.h>
#include <sms/core/pdu.hpp>

#include <random>
#include <stdexcept>

namespace semel::sms {
namespace {

message a_submit() {
    message m;
    m.source_numbering = {5, 0};
    m.source = "Shop";
    m.destination_numbering = {1, 1};
    m.destination = "821000000000";
    m.registered_delivery = 1;
    m.data_coding = 8;
    m.short_message = {"\x05\x00\x03\x01\x02\x01hi", 8};
    m.esm_class = 0x40;
    m.validity = "261124031345000+";
    m.optional = {{tag::user_message_reference, "\x12\x34"}};
    return m;
}

std::string encoded(const pdu& p) {
    std::string out;
    encode(out, p);
    return out;
}

TEST(Pdu, WritesASubmitAsTheSpecificationLaysItOut) {
    EXPECT_EQ(base::to_hex(encoded({.status = 0, .sequence = 7, .content = a_submit()})),
              "0000004f" // command_length
              "00000004" // submit_sm
              "00000000" // command_status
              "00000007" // sequence_number
              "00"       // service_type
              "0500"
              "53686f7000" // source
              "0101"
              "38323130303030303030303000" // destination
              "40"
              "00"
              "00"                                 // esm_class, protocol_id, priority_flag
              "00"                                 // schedule_delivery_time
              "3236313132343033313334353030302b00" // validity_period
              "01"
              "00"
              "08"
              "00" // registered_delivery, replace, data_coding, default message
              "08"
              "0500030102016869" // short_message
              "0204"
              "0002"
              "1234"); // user_message_reference
}

TEST(Pdu, ComesBackAsItWas) {
    const auto back = decode(encoded({.status = 0, .sequence = 9, .content = a_submit()}));
    ASSERT_TRUE(back);
    const auto& m = std::get<message>(back->content);
    EXPECT_EQ(m.destination, "821000000000");
    EXPECT_EQ(m.short_message, a_submit().short_message);
    EXPECT_EQ(m.optional, a_submit().optional);
    EXPECT_EQ(back->sequence, 9U);

    const auto resp =
        decode(encoded({.status = 0x58, .sequence = 0xFFFFFFFF, .content = message_resp{command::submit_sm, "id-1"}}));
    ASSERT_TRUE(resp);
    EXPECT_EQ(resp->status, 0x58U);
    EXPECT_EQ(std::get<message_resp>(resp->content).message_id, "id-1");

    bind b;
    b.system_id = "semel";
    b.password = "secret";
    EXPECT_EQ(std::get<bind>(decode(encoded({.status = 0, .sequence = 1, .content = b}))->content).password, "secret");
    EXPECT_TRUE(std::holds_alternative<enquire_link>(
        decode(encoded({.status = 0, .sequence = 1, .content = enquire_link{}}))->content));
    EXPECT_TRUE(std::holds_alternative<unbind_resp>(
        decode(encoded({.status = 0, .sequence = 1, .content = unbind_resp{}}))->content));
}

TEST(Pdu, TakesARefusalWithoutABody) {
    const auto resp = decode(*base::from_hex("00000010800000040000005800000001"));
    ASSERT_TRUE(resp);
    EXPECT_EQ(std::get<message_resp>(resp->content).message_id, "");
    EXPECT_TRUE(decode(*base::from_hex("00000010800000090000000e00000001")));
}

TEST(Pdu, KeepsUnknownCommandsAndTlvsApart) {
    const auto odd = decode(*base::from_hex("00000010000000030000000000000001"));
    ASSERT_TRUE(odd);
    EXPECT_EQ(std::get<unknown_command>(odd->content).id, 0x03U);
    auto m = a_submit();
    m.optional.push_back({0x0428, "\x01"}); // congestion_state, which breaks some clients
    EXPECT_EQ(*std::get<message>(decode(encoded({.status = 0, .sequence = 1, .content = m}))->content).find(0x0428),
              "\x01");
    // and in a response, where jSMPP's server puts it
    EXPECT_EQ(std::get<message_resp>(decode(*base::from_hex("00000017"
                                                            "80000004"
                                                            "00000000"
                                                            "00000001"
                                                            "6100"
                                                            "0428000101"))
                                         ->content)
                  .message_id,
              "a");
}

TEST(Pdu, EveryTruncationIsMalformedOrAnEarlierEndOfTlvs) {
    const auto whole = encoded({.status = 0, .sequence = 1, .content = a_submit()});
    for (std::size_t n = 16; n < whole.size(); ++n) {
        auto cut = whole.substr(0, n);
        cut[2] = static_cast<char>(n >> 8U);
        cut[3] = static_cast<char>(n);
        const bool all_but_the_tlv = n == whole.size() - 6;
        EXPECT_EQ(decode(cut).has_value(), all_but_the_tlv) << n;
    }
    EXPECT_FALSE(decode(""));
    EXPECT_FALSE(decode(whole.substr(0, 20))); // length and bytes differ
}

TEST(Pdu, SurvivesAnyBytes) {
    std::mt19937 random{7};
    const auto whole = encoded({.status = 0, .sequence = 1, .content = a_submit()});
    for (int i = 0; i < 20'000; ++i) {
        auto bytes = whole;
        for (int n = 0; n < 4; ++n) {
            bytes[4 + random() % (bytes.size() - 4)] = static_cast<char>(random());
        }
        if (const auto p = decode(bytes)) { // what decodes can be encoded again
            EXPECT_NO_THROW(encoded(*p));
        }
    }
}

TEST(Pdu, RefusesToWriteWhatAFieldCannotHold) {
    auto m = a_submit();
    m.destination = std::string(21, '1');
    EXPECT_THROW(encoded({.status = 0, .sequence = 1, .content = m}), std::length_error);
    m = a_submit();
    m.short_message = std::string(255, 'x');
    std::string out = "before";
    EXPECT_THROW(encode(out, {.status = 0, .sequence = 1, .content = m}), std::length_error);
    EXPECT_EQ(out, "before");
}

TEST(Framer, CutsAStreamAnywhere) {
    std::string stream;
    for (std::uint32_t i = 1; i <= 3; ++i) {
        encode(stream, {.status = 0, .sequence = i, .content = a_submit()});
    }
    for (std::size_t step = 1; step <= stream.size(); ++step) {
        framer f;
        std::uint32_t seen = 0;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            f.feed(std::string_view{stream}.substr(at, step));
            while (const auto frame = f.next()) {
                EXPECT_EQ(decode(*frame)->sequence, ++seen);
            }
        }
        EXPECT_EQ(seen, 3U);
    }
}

TEST(Framer, GivesUpOnAnImpossibleLength) {
    for (const std::string_view head : {"00000000", "0000000f", "7fffffff", "ffffffff", "00011171"}) {
        framer f;
        f.feed(*base::from_hex(std::string{head} + "000000150000000000000001"));
        EXPECT_FALSE(f.next());
        EXPECT_TRUE(f.broken()) << head;
    }
}

} // namespace
} // namespace semel::sms
