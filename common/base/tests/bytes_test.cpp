#include <base/ascii.hpp>
#include <base/bytes.hpp>

#include <gtest/gtest.h>

using namespace semel::base;

TEST(Bytes, Base64FollowsTheVectorsOfRfc4648) {
    EXPECT_EQ(to_base64(""), "");
    EXPECT_EQ(to_base64("f"), "Zg==");
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(to_base64url("\xff\xfe"), "__4");
}

TEST(Bytes, Base64ReadsBackWhatItWrote) {
    std::string bytes;
    for (int n = 0; n < 300; ++n) {
        EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
        EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
        bytes += static_cast<char>(n * 37);
    }
}

TEST(Bytes, Base64RefusesWhatNoEncoderWrites) {
    EXPECT_FALSE(from_base64("Zg="));
    EXPECT_FALSE(from_base64("Zh==")); // unused bits set
    EXPECT_FALSE(from_base64("Z g="));
    EXPECT_FALSE(from_base64url("Zg=="));
    EXPECT_FALSE(from_base64url("Z"));
}

TEST(Bytes, PrintableLeavesAsciiAndEscapesTheRest) {
    EXPECT_EQ(to_printable("250 2.0.0 <id~1> 100%"), "250 2.0.0 <id~1> 100%");
    EXPECT_EQ(to_printable({"a\0\x7f\x80\xff\n", 6}), "a%00%7f%80%ff%0a");
}

TEST(Bytes, AsciiIsLostByOneByteAnywhere) {
    EXPECT_TRUE(is_ascii(""));
    std::string text(100, '\x7f');
    EXPECT_TRUE(is_ascii(text));
    for (char& c : text) {
        c = '\x80';
        EXPECT_FALSE(is_ascii(text));
        c = '\0';
    }
    EXPECT_TRUE(is_ascii(text));
}

TEST(Bytes, HexRefusesOddLengthAndForeignCharacters) {
    EXPECT_EQ(from_hex("00ffAB"), std::string("\x00\xff\xab", 3));
    EXPECT_FALSE(from_hex("0"));
    EXPECT_FALSE(from_hex("0g"));
    EXPECT_EQ(to_hex(std::string("\x00\xff", 2)), "00ff");
}
