#include <address/address.hpp>

#include <gtest/gtest.h>

#include <random>

using namespace semel;

namespace {

std::string canonical(std::string_view text) {
    const auto made = address::email(text);
    return made ? made->canonical : "refused: " + made.error().why();
}

bool refused(std::string_view text, std::string_view reason_part) {
    const auto made = address::email(text);
    return !made && made.error().why().find(reason_part) != std::string::npos;
}

} // namespace

TEST(Email, IsComparedInLowerCaseAndSentAsGiven) {
    const auto made = address::email("Kim.MinJi@Example.COM");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->canonical, "kim.minji@example.com");
    EXPECT_EQ(made->given, "Kim.MinJi@Example.COM");
    EXPECT_EQ(made->channel, base::channel::email);
}

TEST(Email, WhiteSpaceAroundItIsNoPartOfIt) {
    const auto made = address::email(" \tkim@example.com \r\n");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->given, "kim@example.com");
}

TEST(Email, GmailIgnoresDotsAndTags) {
    EXPECT_EQ(canonical("m.i.n.ji+shop@googlemail.com"), "minji@gmail.com");
    EXPECT_EQ(canonical("MinJi@Gmail.com"), "minji@gmail.com");
    EXPECT_TRUE(refused("+shop@gmail.com", "+tag"));
}

TEST(Email, OtherProvidersDoNot) {
    EXPECT_EQ(canonical("min.ji+shop@example.com"), "min.ji+shop@example.com");
    EXPECT_EQ(canonical("kim@hanmail.net"), "kim@hanmail.net");
    EXPECT_EQ(canonical("kim@daum.net"), "kim@daum.net");
}

TEST(Email, TwoSpellingsOfAnInternationalDomainAreOne) {
    EXPECT_EQ(canonical("kim@b\u00fccher.example"), "kim@xn--bcher-kva.example");
    EXPECT_EQ(canonical("kim@B\u00dcCHER.example"), "kim@xn--bcher-kva.example");
    EXPECT_EQ(canonical("kim@bu\u0308cher.example"), "kim@xn--bcher-kva.example"); // NFD
    EXPECT_EQ(canonical("kim@XN--BCHER-KVA.example"), "kim@xn--bcher-kva.example");
    EXPECT_EQ(canonical("kim@\ud55c\uad6d.example"), "kim@xn--3e0b707e.example");
}

TEST(Email, TwoSpellingsOfAnInternationalLocalPartAreOne) {
    EXPECT_EQ(canonical("\uae40@example.com"), canonical("\u1100\u1175\u11b7@example.com")); // NFC, NFD
    EXPECT_EQ(canonical("\u00c9mile@example.com"), canonical("e\u0301mile@example.com"));
}

// docs/decisions/0004-canonical-addresses.md. Each has one outcome.
TEST(Email, BadOnesAreRefusedWithAReason) {
    using namespace std::string_literals;
    const std::string label63(63, 'd');
    EXPECT_TRUE(refused("", "empty"));
    EXPECT_TRUE(refused("   ", "empty"));
    EXPECT_TRUE(refused("a", "no @"));
    EXPECT_TRUE(refused("@example.com", "before the @"));
    EXPECT_TRUE(refused("kim@", "after the @"));
    EXPECT_TRUE(refused(std::string(255, 'a') + "@example.com", "64"));
    EXPECT_TRUE(refused(std::string(65, 'a') + "@example.com", "64"));
    EXPECT_TRUE(address::email(std::string(64, 'a') + "@example.com"));
    const auto long_domain = [&](std::size_t tail) {
        return label63 + "." + label63 + "." + std::string(tail, 'e') + ".example";
    };
    const std::string local(64, 'a'); // 64 + 1 + 128 + tail + 8
    EXPECT_TRUE(address::email(local + "@" + long_domain(254 - 201)));
    EXPECT_TRUE(refused(local + "@" + long_domain(255 - 201), "254"));
    EXPECT_TRUE(refused("kim.example.com", "no @"));
    EXPECT_TRUE(refused("kim@example.com@example.com", "more than one @"));
    EXPECT_TRUE(refused("\"kim min\"@example.com", "quoted"));
    EXPECT_TRUE(refused("\"kim\r\nmin\"@example.com", "control"));
    EXPECT_TRUE(refused("a@b\r\nRCPT TO:<x>", "control"));
    EXPECT_TRUE(refused("a@example.com\r\nDATA\r\n@example.com", "control"));
    EXPECT_TRUE(refused("ki\0m@example.com"s, "control"));
    EXPECT_TRUE(refused(".kim@example.com", "dot"));
    EXPECT_TRUE(refused("kim.@example.com", "dot"));
    EXPECT_TRUE(refused("ki..m@example.com", "dot"));
    EXPECT_TRUE(refused("kim@example.com.", "dot"));
    EXPECT_TRUE(refused("kim@.example.com", "label"));
    EXPECT_TRUE(refused("kim@example..com", "label"));
    EXPECT_TRUE(refused("kim@localhost", "no dot"));
    EXPECT_TRUE(refused("kim@-example.com", "hyphen"));
    EXPECT_TRUE(refused("kim@example-.com", "hyphen"));
    EXPECT_TRUE(refused("kim@exam_ple.com", "character"));
    EXPECT_TRUE(refused("kim@" + label63 + "d.com", "63"));
    EXPECT_TRUE(refused("kim@[127.0.0.1]", "IP address"));
    EXPECT_TRUE(refused("kim@[IPv6:::1]", "IP address"));
    EXPECT_TRUE(refused("kim@127.0.0.1", "IP address"));
    EXPECT_TRUE(refused("kim(x)@example.com", "character"));
    EXPECT_TRUE(refused("Kim <kim@example.com>", "character"));
    EXPECT_TRUE(refused("kim%example.org@example.com", "source route"));
    EXPECT_TRUE(refused("host!kim@example.com", "source route"));
    EXPECT_TRUE(refused("kim\uff20example.com", "full-width"));
    EXPECT_TRUE(refused("\u200bkim@example.com", "invisible"));
    EXPECT_TRUE(refused("k\u202eim@example.com", "invisible"));
    EXPECT_TRUE(refused("k\xffim@example.com", "UTF-8"));
    EXPECT_TRUE(refused("kim@ex\xff"
                        "ample.com",
                        "international"));
    EXPECT_TRUE(refused("kim@xn--\u00e4\u00e4.example", "international"));
}

TEST(Email, WhatLooksOddButIsAMailboxIsTaken) {
    EXPECT_EQ(canonical("a@b.co"), "a@b.co");
    EXPECT_EQ(canonical("postmaster@example.com"), "postmaster@example.com"); // a role: somebody reads it
    EXPECT_EQ(canonical("o'neil@example.com"), "o'neil@example.com");
    EXPECT_EQ(canonical("=a{b}|c~@example.com"), "=a{b}|c~@example.com");
    EXPECT_EQ(canonical("kim@1example.com"), "kim@1example.com");
    // A domain of mixed scripts is a name that somebody registered: as a string of A-labels it deceives nobody.
    EXPECT_EQ(canonical("kim@p\u0430ypal.example").substr(0, 8), "kim@xn--");
}

// Whatever the bytes: no crash, what is accepted is stable, and nothing that could end a line of SMTP gets through.
TEST(Email, AcceptedOnesAreStableAndHarmless) {
    std::mt19937_64 random{20'261'124};
    using namespace std::string_view_literals; // a literal with NUL inside
    constexpr auto alphabet = "aB9.+-_@@..%!\"\\[]() \t\r\n\0\xc3\xa9\xea\xb9\x80\xff<>,;:"sv;
    std::uniform_int_distribution<std::size_t> pick{0, alphabet.size() - 1};
    std::size_t accepted = 0;
    for (int round = 0; round < 300'000; ++round) {
        std::string text;
        for (auto n = random() % 12; n > 0; --n) {
            text += alphabet[pick(random)];
        }
        if (round % 2 == 0) {
            text += "@Example.com";
        }
        const auto made = address::email(text);
        if (!made) {
            EXPECT_FALSE(made.error().why().empty());
            continue;
        }
        ++accepted;
        for (const char c : made->given) {
            ASSERT_TRUE(static_cast<unsigned char>(c) > 0x20 && c != '<' && c != '>' && c != '"') << round;
        }
        const auto again = address::email(made->canonical);
        ASSERT_TRUE(again) << round;
        ASSERT_EQ(again->canonical, made->canonical);
    }
    EXPECT_GT(accepted, 1'000U);
}
