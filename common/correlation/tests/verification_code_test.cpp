#include <crypto/hash.hpp>

#include <correlation/verification_code.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace semel::correlation {
namespace {

const base::campaign_id a_campaign{"c-aaaaaaaaaaaaaaaa"};

crypto::campaign_key a_key(std::string_view seed = "a seed") {
    return crypto::campaign_key{crypto::key256{crypto::sha256(seed)}};
}

/// Some, of different keys.
std::vector<std::string> some_codes(int count) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i) {
        out.push_back(verification_code::of(a_key(std::to_string(i)), a_campaign, base::channel::sms, "ko").letters());
    }
    return out;
}

TEST(VerificationCode, IsTheSameForEverybodyAndDiffersByKeyCampaignChannelAndLocale) {
    const auto of = [](const auto& key, const char* campaign, base::channel channel, const char* locale) {
        return verification_code::of(key, base::campaign_id{campaign}, channel, locale).letters();
    };
    const auto key = a_key();
    const auto one = of(key, "c-aaaaaaaaaaaaaaaa", base::channel::email, "ko");
    EXPECT_EQ(of(key, "c-aaaaaaaaaaaaaaaa", base::channel::email, "ko"), one);
    const std::set<std::string> all{one,
                                    of(a_key("another"), "c-aaaaaaaaaaaaaaaa", base::channel::email, "ko"),
                                    of(key, "c-bbbbbbbbbbbbbbbb", base::channel::email, "ko"),
                                    of(key, "c-aaaaaaaaaaaaaaaa", base::channel::sms, "ko"),
                                    of(key, "c-aaaaaaaaaaaaaaaa", base::channel::push, "ko"),
                                    of(key, "c-aaaaaaaaaaaaaaaa", base::channel::email, "en")};
    EXPECT_EQ(all.size(), 6U);
}

// A message is rendered again years later, and people keep theirs. Computed by Python's hmac from the decision's words.
TEST(VerificationCode, StaysWhatItWas) {
    EXPECT_EQ(verification_code::of(a_key(), a_campaign, base::channel::email, "ko").grouped(), "87JD-K9XZ-ZN4H");
    EXPECT_EQ(verification_code::of(a_key(), a_campaign, base::channel::sms, "en-GB").grouped(), "Y883-ZVSP-D89Q");
}

// Of campaigns from before keys were derived, too: there sealing and hashing share a key, and a code gives away
// neither.
TEST(VerificationCode, HasAKeyOfItsOwnInEveryScheme) {
    const auto bytes = a_key().bytes();
    for (const auto how : {crypto::campaign_key::scheme::same, crypto::campaign_key::scheme::derived}) {
        const crypto::campaign_key key{bytes, how};
        EXPECT_NE(key.verifying().view(), key.hashing().view());
        EXPECT_NE(key.verifying().view(), key.sealing().view());
        EXPECT_NE(key.verifying().view(), bytes.view());
    }
}

TEST(VerificationCode, HasThreeGroupsOfLettersThatNobodyTakesForOneAnother) {
    for (const auto& letters : some_codes(500)) {
        ASSERT_EQ(letters.size(), 12U);
        EXPECT_EQ(letters.find_first_of("01ILO"), std::string::npos) << letters;
        const auto read = verification_code::read(letters);
        ASSERT_TRUE(read) << letters;
        EXPECT_EQ(read->letters(), letters);
        EXPECT_EQ(read->grouped(), letters.substr(0, 4) + "-" + letters.substr(4, 4) + "-" + letters.substr(8));
        EXPECT_TRUE(std::ranges::all_of(letters, [](char c) { return verification_code::alphabet.contains(c); }));
    }
}

TEST(VerificationCode, EveryLetterStandsAtEveryPlaceOfTheSecretAboutAsOften) {
    constexpr int codes = 3'100;
    std::vector<std::vector<int>> counts(12, std::vector<int>(31));
    for (const auto& letters : some_codes(codes)) {
        for (std::size_t i = 0; i < letters.size(); ++i) {
            ++counts[i][verification_code::alphabet.find(letters[i])];
        }
    }
    for (const auto& place : counts) {
        EXPECT_GT(*std::ranges::min_element(place), 50) << "of 100 expected";
        EXPECT_LT(*std::ranges::max_element(place), 170) << "of 100 expected";
    }
}

TEST(VerificationCode, NoWrongLetterMakesAnotherCode) {
    for (const auto& letters : some_codes(50)) {
        for (std::size_t i = 0; i < letters.size(); ++i) {
            for (const char other : verification_code::alphabet) {
                auto wrong = letters;
                wrong[i] = other;
                ASSERT_EQ(verification_code::read(wrong).has_value(), wrong == letters) << letters << " " << wrong;
            }
        }
    }
}

TEST(VerificationCode, NoTwoLettersThatChangePlacesMakeAnotherCode) {
    for (const auto& letters : some_codes(500)) {
        for (std::size_t i = 0; i < letters.size(); ++i) {
            for (std::size_t j = i + 1; j < letters.size(); ++j) { // neighbours, and all others
                auto wrong = letters;
                std::swap(wrong[i], wrong[j]);
                ASSERT_EQ(verification_code::read(wrong).has_value(), wrong == letters) << letters << " " << wrong;
            }
        }
    }
}

TEST(VerificationCode, NoTwoWrongLettersMakeAnotherCode) {
    for (const auto& letters : some_codes(3)) {
        for (std::size_t i = 0; i < letters.size(); ++i) {
            for (std::size_t j = i + 1; j < letters.size(); ++j) {
                for (const char one : verification_code::alphabet) {
                    for (const char other : verification_code::alphabet) {
                        auto wrong = letters;
                        wrong[i] = one;
                        wrong[j] = other;
                        ASSERT_EQ(verification_code::read(wrong).has_value(), wrong == letters) << wrong;
                    }
                }
            }
        }
    }
}

TEST(VerificationCode, IsReadAsPeopleTypeIt) {
    const auto code = verification_code::of(a_key(), a_campaign, base::channel::sms, "ko");
    const auto& plain = code.letters();
    auto small = plain;
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string wide, small_wide, spaced;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const auto append_wide = [](std::string& to, char c) { // U+FF00 + (c - 0x20), as UTF-8
            const auto low = static_cast<unsigned>(c) - 0x20U;
            to += "\xef";
            to += static_cast<char>(0xbcU + (low >> 6U));
            to += static_cast<char>(0x80U | (low & 0x3fU));
        };
        append_wide(wide, plain[i]);
        append_wide(small_wide, small[i]);
        spaced += std::string{plain[i]} + (i % 3 == 0 ? "\u00a0\u2011" : "  \t");
    }
    for (const auto& typed :
         {plain, small, wide, small_wide, spaced, code.grouped(), "  " + code.grouped() + "\r\n",
          plain.substr(0, 5) + "\u2013" + plain.substr(5), plain.substr(0, 4) + "\u3000\uff0d" + small.substr(4),
          plain.substr(0, 6) + "." + plain.substr(6), "\ufeff" + plain}) {
        const auto read = verification_code::read(typed);
        ASSERT_TRUE(read) << typed;
        EXPECT_EQ(*read, code) << typed;
    }
}

TEST(VerificationCode, OneLetterThatNoCodeHasWasMisreadAndFollowsFromTheOthers) {
    for (const auto& letters : some_codes(100)) {
        for (std::size_t i = 0; i < letters.size(); ++i) {
            for (const char seen : std::string_view{"0oO1iIlL"}) {
                auto typed = letters;
                typed[i] = seen;
                const auto read = verification_code::read(typed);
                ASSERT_TRUE(read) << typed;
                EXPECT_EQ(read->letters(), letters) << typed;
                // With another letter wrong as well it is no code, and nobody guesses which.
                const auto other = (i + 5) % letters.size();
                typed[other] = typed[other] == '2' ? '3' : '2';
                EXPECT_FALSE(verification_code::read(typed)) << typed;
                typed[other] = '0';
                EXPECT_FALSE(verification_code::read(typed)) << typed << ": two are unknown";
            }
        }
    }
}

TEST(VerificationCode, IsNothingElse) {
    const auto letters = some_codes(1)[0];
    for (const auto& typed : std::vector<std::string>{"",
                                                      " ",
                                                      "-",
                                                      letters.substr(1),
                                                      letters + "2",
                                                      letters + letters,
                                                      "<script>",
                                                      "'; DROP TABLE--",
                                                      std::string(12, '\0'),
                                                      letters.substr(0, 11) + '\0',
                                                      letters.substr(0, 11) + "\xef",
                                                      "\xef\xbc",
                                                      "\xef\xbd\xff",
                                                      letters.substr(0, 11) + "\xef\xbc",
                                                      letters.substr(0, 11) + "가",
                                                      letters.substr(0, 11) + "!",
                                                      "000000000000",
                                                      std::string(100'000, '-'),
                                                      std::string(100'000, '2'),
                                                      "\xff\xfe\xfd"}) {
        EXPECT_FALSE(verification_code::read(typed)) << typed.substr(0, 40);
    }
}

} // namespace
} // namespace semel::correlation
