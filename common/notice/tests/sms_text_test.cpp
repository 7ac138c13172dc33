#include <notice/sms_text.hpp>
#include <notice/utf8.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace semel::notice;

namespace {

std::string repeat(std::string_view text, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

std::vector<std::size_t> sizes(const sms_message& m) {
    std::vector<std::size_t> out;
    for (const auto& p : m.parts) {
        out.push_back(p.size());
    }
    return out;
}

} // namespace

TEST(SmsText, Gsm7IsOneSeptetAnOctetAndStartsWithTheSignAtZero) {
    const auto m = encode_sms("@£A{€\n", 1);
    EXPECT_EQ(m->alphabet, sms_alphabet::gsm7);
    EXPECT_EQ(m->parts, (std::vector<std::string>{std::string{"\x00\x01\x41\x1b\x28\x1b\x65\x0a", 8}}));
    EXPECT_EQ(m->data_coding(), 0);
}

TEST(SmsText, OneCharacterOutsideMakesTheWholeTextUcs2) {
    const auto m = encode_sms("A유😀", 1);
    EXPECT_EQ(m->alphabet, sms_alphabet::ucs2);
    EXPECT_EQ(m->parts, (std::vector<std::string>{std::string{"\x00\x41\xc7\x20\xd8\x3d\xde\x00", 8}}));
    EXPECT_EQ(m->data_coding(), 8);
    EXPECT_EQ(first_outside_gsm7("A’B"), U'’');
}

TEST(SmsText, SplitsAtTheSizesOfTheStandard) {
    EXPECT_EQ(sizes(*encode_sms(repeat("a", 160), 1)), (std::vector<std::size_t>{160}));
    EXPECT_EQ(sizes(*encode_sms(repeat("a", 161), 1)), (std::vector<std::size_t>{159, 14}));
    EXPECT_EQ(sizes(*encode_sms(repeat("a", 306), 1)), (std::vector<std::size_t>{159, 159}));
    EXPECT_EQ(sizes(*encode_sms(repeat("a", 307), 1)), (std::vector<std::size_t>{159, 159, 7}));
    EXPECT_EQ(sizes(*encode_sms(repeat("가", 70), 1)), (std::vector<std::size_t>{140}));
    EXPECT_EQ(sizes(*encode_sms(repeat("가", 71), 1)), (std::vector<std::size_t>{140, 14}));
    EXPECT_EQ(sizes(*encode_sms("", 1)), (std::vector<std::size_t>{0}));
}

TEST(SmsText, EscapePairsAndSurrogatePairsAreNeverSplit) {
    const auto gsm = encode_sms(repeat("a", 152) + "€" + repeat("b", 20), 7);
    EXPECT_EQ(gsm->parts[0], (std::string{"\x05\x00\x03\x07\x02\x01", 6} + repeat("a", 152)));
    EXPECT_EQ(gsm->parts[1], (std::string{"\x05\x00\x03\x07\x02\x02\x1b\x65", 8} + repeat("b", 20)));
    const auto ucs = encode_sms(repeat("가", 66) + "😀" + repeat("나", 10), 7);
    EXPECT_EQ(sizes(*ucs), (std::vector<std::size_t>{6 + 132, 6 + 24}));
}

TEST(SmsText, RefusesMoreThanTheHeaderCanCount) {
    EXPECT_TRUE(encode_sms(repeat("a", 255 * 153), 1));
    EXPECT_FALSE(encode_sms(repeat("a", 255 * 153 + 1), 1));
    EXPECT_EQ(count_sms_parts(repeat("a", 255 * 153 + 1)), 256U);
}

TEST(SmsText, EveryTextComesBackWholeFromPartsWithinTheirSize) {
    std::mt19937 random{20261124};
    const std::vector<std::string> gsm{"a", "Z", "@", "€", "{", "\\", "~", "à", "\n", " ", "1"};
    const std::vector<std::string> all{"a", "가", "😀", "€", "漢", "\n", "é", "ก", "🏠"};
    for (int round = 0; round < 3'000; ++round) {
        const auto& letters = round % 2 == 0 ? gsm : all;
        std::string text;
        for (auto n = random() % 700; n > 0; --n) {
            text += letters[random() % letters.size()];
        }
        const auto m = encode_sms(text, static_cast<std::uint8_t>(random()));
        ASSERT_TRUE(m);
        EXPECT_EQ(decode_sms(*m), text);
        EXPECT_EQ(m->parts.size(), count_sms_parts(text));
        const std::size_t most =
            m->parts.size() == 1 ? (m->data_coding() == 0 ? 160 : 140) : (m->data_coding() == 0 ? 159 : 140);
        for (const auto& part : m->parts) {
            EXPECT_LE(part.size(), most);
        }
    }
}

TEST(SmsText, EachPartReadsAlone) {
    for (const std::string& text : {repeat("a{", 200), repeat("가😀", 60), std::string{"short"}}) {
        const auto m = *encode_sms(text, 9);
        std::string joined;
        for (const auto& part : m.parts) {
            joined += decode_part(part, m.data_coding());
        }
        EXPECT_EQ(joined, text);
    }
    EXPECT_EQ(decode_part("\x1b", 0), "");
    EXPECT_EQ(decode_part("\xd8", 8), "");
}

TEST(SmsText, BrokenUtf8BecomesTheReplacementCharacter) {
    const auto m = encode_sms("a\xff\xc3", 1);
    EXPECT_EQ(decode_sms(*m), "a\uFFFD\uFFFD");
}

TEST(SmsText, PartsOfAnotherMessageDoNotDecode) {
    auto m = *encode_sms(repeat("a", 200), 1);
    m.parts[1][3] = 9;
    EXPECT_FALSE(decode_sms(m));
}

TEST(Utf8, TakesWhatIsValidAndReplacesWhatIsNot) {
    EXPECT_TRUE(is_valid_utf8("가é😀\uFFFD"));
    for (const char* broken :
         {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80", "\x80", "\xf0\x9f\x98"}) {
        EXPECT_FALSE(is_valid_utf8(broken));
        EXPECT_TRUE(is_valid_utf8(clean_value(broken)));
    }
}

TEST(Utf8, ACleanValueIsOneHarmlessLine) {
    EXPECT_EQ(clean_value("Kim\r\nBcc: x"), "Kim  Bcc: x");
    EXPECT_EQ(clean_value(std::string{"a\0b\x7f", 4}), "a b ");
    EXPECT_EQ(clean_value("a\u202Eb\u2066c\uFEFFd\u2028e\u0085f"), "abcd e f");
    EXPECT_EQ(clean_value("김민수"), "김민수");
}
