#include <address/address.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace semel;

namespace {

std::string canonical(std::string_view text, std::string_view region = "KR") {
    const auto made = address::phone(text, region);
    return made ? made->canonical : "refused: " + made.error().why();
}

bool refused(std::string_view text, std::string_view reason_part) {
    const auto made = address::phone(text, "KR");
    return !made && made.error().why().find(reason_part) != std::string::npos;
}

} // namespace

TEST(Phone, EverySpellingOfANumberIsOneNumber) {
    for (const auto* text :
         {"010-1234-5678", "01012345678", "+82 10-1234-5678", "+821012345678", "+82-10-1234-5678",
          "+82 (0)10 1234 5678", "010.1234.5678", "010 1234 5678", "(010) 1234-5678", "82 10-1234-5678",
          "0082-10-1234-5678", "\uff10\uff11\uff10-1234-5678", "010\u00a01234\u00a05678", " 010-1234-5678\t"}) {
        EXPECT_EQ(canonical(text), "+821012345678") << text;
    }
}

TEST(Phone, KeepsTheNumberAsGiven) {
    const auto made = address::phone(" 010-1234-5678 ", "KR");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->given, "010-1234-5678");
    EXPECT_EQ(made->channel, base::channel::sms);
}

TEST(Phone, ANationalNumberBelongsToTheDefaultRegion) {
    EXPECT_EQ(canonical("07400 123456", "GB"), "+447400123456");
    EXPECT_EQ(canonical("+44 7400 123456"), "+447400123456");
    EXPECT_EQ(canonical("(201) 555-0123", "US"), "+12015550123");
    EXPECT_TRUE(address::is_known_region("KR"));
    EXPECT_FALSE(address::is_known_region("XX"));
    EXPECT_FALSE(address::is_known_region(""));
}

TEST(Phone, WhatForwardsTextMessagesIsTaken) {
    EXPECT_EQ(canonical("070-1234-5678"), "+827012345678"); // internet telephony
    EXPECT_EQ(canonical("0502-123-4567"), "+825021234567"); // a number that hides the person's own
}

// docs/decisions/0004-canonical-addresses.md.
TEST(Phone, BadOnesAreRefusedWithAReason) {
    using namespace std::string_literals;
    EXPECT_TRUE(refused("", "empty"));
    EXPECT_TRUE(refused("+", "not a phone number"));
    EXPECT_TRUE(refused("call me", "letters"));
    EXPECT_TRUE(refused("1-800-FLOWERS", "letters"));
    EXPECT_TRUE(refused("+8210123456781234567", "no such number"));
    EXPECT_TRUE(refused("+82101234567812345678901", "too many digits"));
    EXPECT_TRUE(refused("010-1234-56", ""));
    EXPECT_TRUE(refused("112", ""));
    EXPECT_TRUE(refused("15771577", "")); // a service number
    EXPECT_TRUE(refused("060-700-1234", "premium"));
    EXPECT_TRUE(refused("080-123-4567", "service number"));
    EXPECT_TRUE(refused("02-312-3456", "landline"));
    EXPECT_TRUE(refused("010-1234-5678;ext=3", "extension"));
    EXPECT_TRUE(refused("010-1234-5678 x3", "extension"));
    EXPECT_TRUE(refused("010-1234-5678 #3", "extension"));
    EXPECT_TRUE(refused("tel:+821012345678", "letters"));
    EXPECT_TRUE(refused("010-1234\r\n-5678", "control"));
    EXPECT_TRUE(refused("010-1234\0-5678"s, "control"));
    EXPECT_TRUE(refused(std::string(300, '1'), "too long"));
    EXPECT_TRUE(refused("+999 1234 5678", "country code"));
    EXPECT_TRUE(refused("010-1234-5678, 010-2222-3333", ""));
    EXPECT_FALSE(address::phone("010-1234-5678", ""));
}

// The spellings of the fast path, but for their first character in full-width digits, go through libphonenumber: both
// must say the same.
TEST(Phone, TheFastPathAgreesWithTheLibrary) {
    std::mt19937_64 random{7};
    const auto slow = [](std::string text) {
        const auto zero = text.find('0');
        text.replace(zero, 1, "\uff10");
        return canonical(text);
    };
    std::size_t valid = 0;
    for (int block = 0; block < 10'000; ++block) {
        const auto tail = random() % 10'000;
        const auto four = [](std::uint64_t n) { return std::to_string(10'000 + n).substr(1); };
        const auto a = four(static_cast<std::uint64_t>(block));
        const auto b = four(tail);
        const std::array spellings{"010-" + a + "-" + b, "010" + a + b, "+82 10-" + a + "-" + b, "+8210" + a + b,
                                   "010 " + a + " " + b};
        const auto& text = spellings[static_cast<std::size_t>(block) % spellings.size()];
        const auto fast = canonical(text);
        ASSERT_EQ(fast, slow(text)) << block;
        valid += fast.starts_with('+') ? 1 : 0;
    }
    EXPECT_GT(valid, 8'000U);
}

TEST(Phone, NoTextWhateverCrashesIt) {
    std::mt19937_64 random{99};
    using namespace std::string_view_literals; // a literal with NUL inside
    constexpr auto alphabet = "0123456789+-(). \t\n\0;#x\xef\xbc\x90\xff\xc2\xa0"sv;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto n = random() % 24; n > 0; --n) {
            text += alphabet[random() % alphabet.size()];
        }
        const auto made = address::phone(text, "KR");
        if (made) {
            ASSERT_EQ(made->canonical.front(), '+');
            ASSERT_EQ(canonical(made->canonical), made->canonical) << round;
        } else {
            ASSERT_FALSE(made.error().why().empty());
        }
    }
}
