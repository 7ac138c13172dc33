#include <base/bytes.hpp>

#include <email/core/dkim.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace semel::email {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// RFC 8463, appendix A: its Ed25519 key (the PKCS#8 form of its 32 bytes) and what stands in DNS for it.
constexpr auto ed25519_pem = "-----BEGIN PRIVATE KEY-----\n"
                             "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                             "-----END PRIVATE KEY-----\n";
constexpr auto ed25519_public = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

constexpr std::string_view message = "From: \"Garam\"  <notice@example.com>\r\n"
                                     "To: <kim@example.org>\r\n"
                                     "Subject: Hello\r\n there\r\n"
                                     "X-Other: not signed\r\n"
                                     "Message-ID: <1@example.com>\r\n"
                                     "\r\n"
                                     "One  line \r\n.\r\n\r\n\r\n";

dkim_signer signer() {
    return dkim_signer::make("example.com", "s1", crypto::private_key::from_pem(ed25519_pem).value()).value();
}

} // namespace

TEST(Dkim, RelaxesAsTheRfcShows) { // RFC 6376 section 3.4.5
    EXPECT_EQ(relaxed_header("A: X\r\n"), "a:X\r\n");
    EXPECT_EQ(relaxed_header("B : Y\t\r\n\tZ  \r\n"), "b:Y Z\r\n");
    EXPECT_EQ(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
    EXPECT_EQ(relaxed_body(""), "");
    EXPECT_EQ(relaxed_body("\r\n\r\n"), "");
    EXPECT_EQ(relaxed_body("no end"), "no end\r\n");
}

TEST(Dkim, SignsFromOnceMoreThanItStandsThere) {
    const auto header = signer().header_for(message).value();
    EXPECT_THAT(header,
                StartsWith("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=example.com; s=s1;\r\n"
                           " h=from:from:to:subject:message-id;\r\n"));
    EXPECT_TRUE(header.ends_with("\r\n"));
}

TEST(Dkim, TheSameMessageGivesTheSameBytes) {
    EXPECT_EQ(signer().header_for(message).value(), signer().header_for(message).value());
}

TEST(Dkim, AChangedByteGivesAnotherSignature) {
    const auto one = signer().header_for(message).value();
    for (const auto& [from, to] : {std::pair{"Hello", "Hallo"}, {"One", "Two"}, {"kim@", "lee@"}}) {
        std::string other{message};
        other.replace(other.find(from), std::string_view{from}.size(), to);
        EXPECT_NE(signer().header_for(other).value(), one) << from;
    }
    std::string blanks{message}; // what relays do to a message changes nothing
    blanks.replace(blanks.find("One  line "), 10, "One line");
    EXPECT_EQ(signer().header_for(blanks).value(), one);
}

TEST(Dkim, SaysWhatDnsMustHave) {
    EXPECT_EQ(signer().record_name(), "s1._domainkey.example.com");
    EXPECT_EQ(signer().record().value(), std::string{"v=DKIM1; k=ed25519; p="} + ed25519_public);
}

TEST(Dkim, RefusesWhatIsNoMessageAndAKeyThatIsTooWeak) {
    EXPECT_FALSE(signer().header_for(""));
    EXPECT_FALSE(signer().header_for("From: x\r\n"));
    EXPECT_FALSE(signer().header_for("no colon\r\n\r\nbody"));
    EXPECT_FALSE(dkim_signer::from_file("example.com", "s1", "no/such/key.pem"));
    const auto p256 = "-----BEGIN PRIVATE KEY-----\n"
                      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
                      "OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
                      "1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
                      "-----END PRIVATE KEY-----\n"; // one that is published everywhere
    const auto refused = dkim_signer::make("example.com", "s1", crypto::private_key::from_pem(p256).value());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().why(), HasSubstr("2048"));
}

TEST(Dkim, WithoutSignersAMessageStaysAsItIs) {
    EXPECT_EQ(signed_by({}, message).value(), message);
    const std::array two{signer(), signer()};
    const auto both = signed_by(two, message).value();
    EXPECT_TRUE(both.ends_with(message));
    EXPECT_EQ(both.find("DKIM-Signature:", 20), both.rfind("DKIM-Signature:"));
}

} // namespace semel::email
