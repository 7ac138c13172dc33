#include <base/bytes.hpp>
#include <notice/content.hpp>
#include <notice/email_message.hpp>
#include <notice/sms_text.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

using namespace semel;

namespace {

const base::notification_id a_notification = [] {
    base::byte_array<32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i + 0xa0);
    }
    return base::notification_id{bytes};
}();

void put(google::protobuf::RepeatedPtrField<v1::Piece>* pieces, std::string literal, std::string slot = {},
         std::string fallback = {}, v1::Piece::Escape escape = v1::Piece::NONE) {
    auto* piece = pieces->Add();
    piece->set_literal(std::move(literal));
    piece->set_slot(std::move(slot));
    piece->set_slot_default(std::move(fallback));
    piece->set_escape(escape);
}

v1::Artifact an_email() {
    v1::Artifact artifact;
    auto* email = artifact.mutable_email();
    put(email->mutable_subject(), "개인정보 유출 안내: ", "name", "고객", v1::Piece::HEADER);
    put(email->mutable_text(), "안녕하세요, ", "name", "고객");
    put(email->mutable_text(), " 님.\r\nOrder ", "order", "-");
    put(email->mutable_text(), "\r\n");
    put(email->mutable_html(), "<p>안녕하세요, ", "name", "고객", v1::Piece::HTML);
    put(email->mutable_html(), " 님.</p>\r\n");
    email->set_from_name("가상상점");
    email->set_from_address("notice@shop.example.com");
    email->set_language("ko");
    return artifact;
}

v1::Artifact a_push() {
    v1::Artifact artifact;
    auto* push = artifact.mutable_push();
    put(push->mutable_apns_json(), R"({"aps":{"alert":{"title":")", "semel.test_mark");
    put(push->mutable_apns_json(), R"(Leak","body":"Dear )", "name", "customer", v1::Piece::JSON);
    put(push->mutable_apns_json(), R"("}},"semel":{"idem":")", "semel.idem");
    put(push->mutable_apns_json(), R"("}})");
    put(push->mutable_fcm_json(), R"({"notification":{"body":"Dear )", "name", "customer", v1::Piece::JSON);
    put(push->mutable_fcm_json(), R"("},"data":{"idem":")", "semel.idem");
    put(push->mutable_fcm_json(), R"("}})");
    return artifact;
}

v1::Artifact an_sms(std::uint32_t max_parts = 2) {
    v1::Artifact artifact;
    put(artifact.mutable_sms()->mutable_text(), "Dear ", "name", "customer");
    put(artifact.mutable_sms()->mutable_text(), ", your data leaked.");
    artifact.mutable_sms()->set_source_address("15771577");
    artifact.mutable_sms()->set_max_parts(max_parts);
    return artifact;
}

v1::Delivery to(v1::Channel channel, std::string given, std::string name = {}, std::string transport = {}) {
    v1::Delivery delivery;
    delivery.mutable_address()->set_channel(channel);
    delivery.mutable_address()->set_given(given);
    delivery.mutable_address()->set_canonical(std::move(given));
    delivery.mutable_address()->set_transport(std::move(transport));
    delivery.set_name(std::move(name));
    return delivery;
}

notice::values values_for(const v1::Delivery& delivery) {
    return {.campaign = base::campaign_id{"c-aaaaaaaaaaaaaaaa"},
            .notification = a_notification,
            .planned_at = base::from_us(1'795'000'000'000'000),
            .delivery = &delivery,
            .test = false,
            .give_up = std::nullopt};
}

std::string decoded(std::string_view base64_lines) {
    std::string joined;
    for (const char c : base64_lines) {
        if (c != '\r' && c != '\n') {
            joined += c;
        }
    }
    return base::from_base64(joined).value();
}

struct sections {
    std::string head, text, html;
};
sections split(const std::string& message) {
    const auto mark = "--semel_" + base::to_hex(base::as_view(a_notification).substr(0, 16));
    const auto body_of = [&](std::size_t from) {
        const auto start = message.find("\r\n\r\n", from) + 4;
        return decoded(std::string_view{message}.substr(start, message.find(mark, start) - start));
    };
    const auto first = message.find(mark);
    const auto second = message.find(mark, first + 1);
    return {message.substr(0, message.find("\r\n\r\n") + 2), body_of(first), body_of(second)};
}

void expect_safe_on_the_wire(const std::string& message) {
    std::size_t line = 0;
    for (std::size_t i = 0; i < message.size(); ++i) {
        const char c = message[i];
        ASSERT_TRUE(static_cast<unsigned char>(c) < 0x80 && c != '\0') << "at " << i;
        if (c == '\r') {
            ASSERT_TRUE(i + 1 < message.size() && message[i + 1] == '\n') << "bare CR at " << i;
            ASSERT_LE(line, 120U);
        } else if (c == '\n') {
            ASSERT_TRUE(i > 0 && message[i - 1] == '\r') << "bare LF at " << i;
            line = 0;
        } else {
            ++line;
        }
    }
    ASSERT_TRUE(message.ends_with("--\r\n"));
}

} // namespace

TEST(Fill, TheCodeStandsInEveryFormAsItIs) {
    v1::Artifact email, push, sms;
    for (auto* pieces : {email.mutable_email()->mutable_subject(), email.mutable_email()->mutable_text(),
                         email.mutable_email()->mutable_html(), push.mutable_push()->mutable_apns_json(),
                         push.mutable_push()->mutable_fcm_json(), sms.mutable_sms()->mutable_text()}) {
        put(pieces, "code ", "semel.verification");
    }
    email.mutable_email()->set_from_name("Garam");
    email.mutable_email()->set_from_address("notice@example.com");
    email.mutable_email()->set_language("en");
    sms.mutable_sms()->set_max_parts(1);
    const auto mail = to(v1::CHANNEL_EMAIL, "kim@example.com"), phone = to(v1::CHANNEL_SMS, "+821000000000");
    const auto app = to(v1::CHANNEL_PUSH, "a1", {}, "apns");
    for (const auto& [artifact, delivery] :
         {std::pair{&email, &mail}, std::pair{&push, &app}, std::pair{&sms, &phone}}) {
        EXPECT_TRUE(notice::shows_verification(*artifact));
        auto values = values_for(*delivery);
        const auto without = fill(*artifact, values);
        ASSERT_FALSE(without) << "no message goes out with a gap where its code belongs";
        EXPECT_EQ(without.error().what(), base::fault::kind::broken);
        values.verification = "K7MP-3XWR-9HTC";
        const auto filled = fill(*artifact, values);
        ASSERT_TRUE(filled) << filled.error().why();
        if (artifact == &email) {
            const auto parts = split(filled->parts[0]);
            EXPECT_NE(parts.head.find("Subject: code K7MP-3XWR-9HTC\r\n"), std::string::npos) << parts.head;
            EXPECT_EQ(parts.text, "code K7MP-3XWR-9HTC");
            EXPECT_EQ(parts.html, "code K7MP-3XWR-9HTC");
        } else {
            EXPECT_EQ(filled->parts[0].substr(filled->parts[0].find("code")), "code K7MP-3XWR-9HTC");
        }
    }
    EXPECT_FALSE(notice::shows_verification(an_sms()));
}

// An audience cannot bring a code of its own: no column has a name with a dot.
TEST(Fill, TheCodeIsNobodysValue) {
    v1::Artifact sms;
    put(sms.mutable_sms()->mutable_text(), "code ", "semel.verification");
    sms.mutable_sms()->set_max_parts(1);
    auto phone = to(v1::CHANNEL_SMS, "+821000000000", "Kim");
    (*phone.mutable_slots())["semel.verification"] = "EVIL";
    (*phone.mutable_slots())["verification"] = "EVIL";
    auto values = values_for(phone);
    values.verification = "K7MP-3XWR-9HTC";
    EXPECT_EQ(fill(sms, values)->parts[0], "code K7MP-3XWR-9HTC");
}

TEST(Email, IsByteIdenticalForTheSameInputs) {
    const auto delivery = to(v1::CHANNEL_EMAIL, "kim@example.com", "김민수");
    const auto one = notice::fill(an_email(), values_for(delivery));
    const auto two = notice::fill(an_email(), values_for(delivery));
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->parts, two->parts);
    EXPECT_EQ(one->sha256, two->sha256);
    EXPECT_EQ(one->sha256, crypto::sha256_of_fields({one->parts[0]}));
    EXPECT_EQ(one->sender, "notice@shop.example.com");
}

// An artifact comes over Kafka: its language and sender are not to be believed.
TEST(Email, NobodyWritesHeadersOfHisOwn) {
    const auto delivery = to(v1::CHANNEL_EMAIL, "kim@example.com");
    auto by_language = an_email();
    by_language.mutable_email()->set_language("en\r\nBcc: all@example.com\r\n\r\n<b>body</b>");
    auto by_sender = an_email();
    by_sender.mutable_email()->set_from_address("notice@shop.example.com\nBcc: all@example.com");
    for (const auto& artifact : {by_language, by_sender}) {
        const auto out = notice::fill(artifact, values_for(delivery));
        ASSERT_FALSE(out);
        EXPECT_EQ(out.error().why().find("all@"), std::string::npos) << out.error().why();
    }
}

TEST(Email, CarriesPinnedHeadersAndBothBodies) {
    const auto delivery = to(v1::CHANNEL_EMAIL, "kim@example.com", "<b>Kim</b>");
    const auto out = notice::fill(an_email(), values_for(delivery));
    ASSERT_TRUE(out);
    expect_safe_on_the_wire(out->parts[0]);
    const auto part = split(out->parts[0]);
    EXPECT_NE(part.head.find("To: <kim@example.com>\r\n"), std::string::npos);
    EXPECT_NE(part.head.find("Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n"), std::string::npos);
    EXPECT_NE(
        part.head.find("Message-ID: " + notice::message_id_of(a_notification, "notice@shop.example.com") + "\r\n"),
        std::string::npos);
    EXPECT_NE(part.head.find("Content-Language: ko\r\n"), std::string::npos);
    EXPECT_EQ(part.text, "안녕하세요, <b>Kim</b> 님.\r\nOrder -\r\n");
    EXPECT_EQ(part.html, "<p>안녕하세요, &lt;b&gt;Kim&lt;/b&gt; 님.</p>\r\n");
}

TEST(Email, StandsBelowTheMailsThatItFollows) {
    auto delivery = to(v1::CHANNEL_EMAIL, "kim@example.com");
    EXPECT_EQ(split(notice::fill(an_email(), values_for(delivery)).value().parts[0]).head.find("In-Reply-To"),
              std::string::npos);
    delivery.add_thread("<first@shop.example.com>");
    delivery.add_thread("<second@shop.example.com>\r\nBcc: all@example.com"); // nobody writes headers of his own
    delivery.add_thread("<third@shop.example.com>");
    const auto out = notice::fill(an_email(), values_for(delivery));
    ASSERT_TRUE(out);
    expect_safe_on_the_wire(out->parts[0]);
    const auto head = split(out->parts[0]).head;
    EXPECT_NE(head.find("\r\nIn-Reply-To: <third@shop.example.com>\r\n"
                        "References: <first@shop.example.com>\r\n <third@shop.example.com>\r\n"),
              std::string::npos)
        << head;
    EXPECT_EQ(head.find("Bcc"), std::string::npos);
}

TEST(Email, NoValueBreaksOutOfItsPlace) {
    std::mt19937 random{42};
    const std::vector<std::string> hostile{"\r\nBcc: x@example.com\r\n\r\n",
                                           "\n.\n",
                                           "\r\n.\r\n",
                                           "\r",
                                           "=?utf-8?q?=0D=0A?=",
                                           "\xff\xfe",
                                           std::string(1, '\0'),
                                           "김",
                                           "😀",
                                           "\u202e",
                                           "--semel_",
                                           "a",
                                           " ",
                                           std::string(1'000, 'x'),
                                           "<script>",
                                           "{{name}}",
                                           "\x1b",
                                           "\u2028",
                                           "&"};
    for (int round = 0; round < 2'000; ++round) {
        std::string name, order;
        for (auto n = random() % 6; n > 0; --n) {
            name += hostile[random() % hostile.size()];
            order += hostile[random() % hostile.size()];
        }
        auto delivery = to(v1::CHANNEL_EMAIL, "kim@example.com", name);
        (*delivery.mutable_slots())["order"] = order;
        const auto out = notice::fill(an_email(), values_for(delivery));
        ASSERT_TRUE(out);
        expect_safe_on_the_wire(out->parts[0]);
        const auto part = split(out->parts[0]);
        std::istringstream lines{part.head};
        std::string seen;
        for (std::string line; std::getline(lines, line);) {
            if (line[0] != ' ') {
                seen += line.substr(0, line.find(':')) + ' ';
            }
        }
        ASSERT_EQ(seen, "From To Subject Date Message-ID MIME-Version Content-Language Auto-Submitted Content-Type ");
        ASSERT_EQ(std::ranges::count(part.text, '\n'), 2);
        ASSERT_EQ(part.html.find("<script"), std::string::npos);
    }
}

TEST(Email, AnAddressThatWouldEndTheHeaderIsRefusedWithoutBeingNamed) {
    for (const char* bad :
         {"", "a", "@example.com", "a@", "a@b>\r\nBcc: c@d", "a b@example.com", "a@b@example.com", "a\"@example.com",
          "\"a\"b\"@example.com", "a@exa mple.com", "a\x01@example.com", "a@b\xff"}) {
        const auto delivery = to(v1::CHANNEL_EMAIL, bad);
        const auto out = notice::fill(an_email(), values_for(delivery));
        ASSERT_FALSE(out) << bad;
        EXPECT_EQ(out.error().what(), base::fault::kind::permanent);
        EXPECT_EQ(out.error().why().find("example"), std::string::npos);
    }
    for (const char* good : {"a@example.com", "\"a b\"@example.com", "a+b@example.com", "\"a\\\"b\"@example.com"}) {
        const auto delivery = to(v1::CHANNEL_EMAIL, good);
        EXPECT_TRUE(notice::fill(an_email(), values_for(delivery))) << good;
    }
}

TEST(Email, OnlyALocalPartThatNeedsItMakesTheHeaderUtf8) {
    auto delivery = to(v1::CHANNEL_EMAIL, "kim@한국.example");
    delivery.mutable_address()->set_canonical("kim@xn--3e0b707e.example");
    EXPECT_NE(notice::fill(an_email(), values_for(delivery))->parts[0].find("To: <kim@xn--3e0b707e.example>"),
              std::string::npos);
    delivery = to(v1::CHANNEL_EMAIL, "김@example.com");
    EXPECT_NE(notice::fill(an_email(), values_for(delivery))->parts[0].find("To: <김@example.com>"), std::string::npos);
}

TEST(Email, ATestSaysSoInItsSubject) {
    const auto delivery = to(v1::CHANNEL_EMAIL, "kim@example.com", "Kim");
    auto values = values_for(delivery);
    values.test = true;
    const auto out = notice::fill(an_email(), values);
    const auto at = out->parts[0].find("Subject: =?UTF-8?B?") + 19;
    EXPECT_TRUE(decoded(std::string_view{out->parts[0]}.substr(at, 48)).starts_with("[TEST] "));
}

TEST(Header, AsciiNamesAreQuotedAndOthersEncoded) {
    std::string out;
    notice::append_mailbox(out, "From", R"(Shop "A" \ Co)", "a@example.com");
    EXPECT_EQ(out, "From: \"Shop \\\"A\\\" \\\\ Co\" <a@example.com>\r\n");
    out.clear();
    notice::append_mailbox(out, "From", "가상상점", "a@example.com");
    EXPECT_EQ(out, "From: =?UTF-8?B?6rCA7IOB7IOB7KCQ?= <a@example.com>\r\n");
}

TEST(Header, LongValuesFoldIntoWordsOfWholeCharacters) {
    std::string value, out;
    for (int i = 0; i < 60; ++i) {
        value += "유출😀a";
    }
    notice::append_unstructured(out, "Subject", value);
    std::string back;
    std::istringstream lines{out};
    for (std::string line; std::getline(lines, line);) {
        ASSERT_LE(line.size(), 77U); // with the CR
        const auto from = line.find("?B?") + 3;
        const auto word = base::from_base64(line.substr(from, line.rfind("?=") - from)).value();
        ASSERT_NE(static_cast<unsigned char>(word[0]) & 0xc0, 0x80);
        back += word;
    }
    EXPECT_EQ(back, value);
}

TEST(Push, ApnsCarriesTheIdAndEscapedValues) {
    const auto delivery = to(v1::CHANNEL_PUSH, "ab12", "a\"b\\c", "apns");
    const auto out = notice::fill(a_push(), values_for(delivery));
    ASSERT_TRUE(out);
    EXPECT_EQ(out->parts[0], R"({"aps":{"alert":{"title":"Leak","body":"Dear a\"b\\c"}},"semel":{"idem":")" +
                                 base::to_hex(a_notification) + R"("}})");
}

TEST(Push, FcmIsTheWholeRequestBody) {
    const auto delivery = to(v1::CHANNEL_PUSH, "tok:EN", "", "fcm");
    auto values = values_for(delivery);
    values.give_up = values.planned_at + std::chrono::hours{24};
    const auto idem = base::to_hex(a_notification);
    EXPECT_EQ(notice::fill(a_push(), values)->parts[0],
              R"({"message":{"token":"tok:EN","android":{"priority":"HIGH","ttl":"86400s","collapse_key":")" + idem +
                  R"(","notification":{"tag":")" + idem + R"("}},"apns":{"headers":{"apns-collapse-id":")" + idem +
                  R"("}},"notification":{"body":"Dear customer"},"data":{"idem":")" + idem + R"("}}})");
}

TEST(Push, OverTheLimitAndWithoutTransportIsPermanent) {
    const auto long_name = to(v1::CHANNEL_PUSH, "ab12", std::string(4'096, 'x'), "apns");
    EXPECT_EQ(notice::fill(a_push(), values_for(long_name)).error().what(), base::fault::kind::permanent);
    const auto nowhere = to(v1::CHANNEL_PUSH, "ab12", "", "pigeon");
    EXPECT_EQ(notice::fill(a_push(), values_for(nowhere)).error().what(), base::fault::kind::permanent);
}

TEST(Push, FillsExactly4096Bytes) {
    const auto empty = notice::fill(a_push(), values_for(to(v1::CHANNEL_PUSH, "ab12", "x", "apns")))->parts[0].size();
    const auto full = to(v1::CHANNEL_PUSH, "ab12", std::string(4'096 - empty + 1, 'x'), "apns");
    EXPECT_EQ(notice::fill(a_push(), values_for(full))->parts[0].size(), 4'096U);
    const auto over = to(v1::CHANNEL_PUSH, "ab12", std::string(4'096 - empty + 2, 'x'), "apns");
    EXPECT_FALSE(notice::fill(a_push(), values_for(over)));
}

TEST(Sms, FillsDefaultsAndNamesItsSender) {
    const auto delivery = to(v1::CHANNEL_SMS, "+821000000000", "  ");
    const auto out = notice::fill(an_sms(), values_for(delivery));
    EXPECT_EQ(out->parts, (std::vector<std::string>{"Dear customer, your data leaked."}));
    EXPECT_EQ(out->sender, "15771577");
    EXPECT_EQ(out->data_coding, 0);
}

TEST(Sms, MorePartsThanAllowedIsPermanent) {
    const auto delivery = to(v1::CHANNEL_SMS, "+821000000000", std::string(400, 'x'));
    EXPECT_EQ(notice::fill(an_sms(2), values_for(delivery)).error().what(), base::fault::kind::permanent);
    EXPECT_EQ(notice::fill(an_sms(3), values_for(delivery))->parts.size(), 3U);
}

TEST(Sms, TheReferenceComesFromTheNotification) {
    const auto delivery = to(v1::CHANNEL_SMS, "+821000000000", std::string(200, 'x'));
    const auto out = notice::fill(an_sms(), values_for(delivery));
    for (const auto& part : out->parts) {
        EXPECT_EQ(static_cast<unsigned char>(part[3]), 0xa0);
    }
}
