#include <kafka/scram.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::kafka {
namespace {

using testing::HasSubstr;

// RFC 7677, section 3.
constexpr auto challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

scram of_the_rfc() {
    return {scram::hash::sha_256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO"};
}

TEST(Scram, SpeaksAsTheRfcDoes) {
    auto exchange = of_the_rfc();
    EXPECT_EQ(exchange.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    const auto proof = exchange.answer(challenge);
    ASSERT_TRUE(proof);
    EXPECT_EQ(*proof, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    EXPECT_TRUE(exchange.check("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
}

TEST(Scram, BelievesOnlyAServerThatKnowsThePassword) {
    auto exchange = of_the_rfc();
    EXPECT_FALSE(exchange.check("v=")) << "before there was anything to sign";
    ASSERT_TRUE(exchange.answer(challenge));
    for (const auto* final : {"", "v=", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "e=invalid-proof"}) {
        EXPECT_FALSE(exchange.check(final)) << final;
    }
}

TEST(Scram, RefusesWhatIsNoChallengeToOurNonce) {
    for (const auto* text :
         {"", "r=", "e=other-error", "r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
          "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
          "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0",
          "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000"}) {
        EXPECT_FALSE(of_the_rfc().answer(text)) << text;
    }
}

TEST(Scram, ANameEndsWhereItEnds) {
    const scram exchange{scram::hash::sha_512, "a=b,c", "p", "nonce"};
    EXPECT_EQ(exchange.first(), "n,,n=a=3Db=2Cc,r=nonce");
}

} // namespace
} // namespace semel::kafka
