#include <email/core/envelope.hpp>
#include <gtest/gtest.h>

namespace semel::email {
namespace {

TEST(Envelope, KeepsTheLocalPartAndTurnsTheDomainToAscii) {
    const auto e = make_envelope("Ann.Lee@b\xC3\xBC"
                                 "cher.example",
                                 "from@example.com", "id");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->recipient, "Ann.Lee@xn--bcher-kva.example");
    EXPECT_FALSE(e->needs_utf8);
}

TEST(Envelope, NeedsSmtputf8ForALocalPartBeyondAscii) {
    const auto e = make_envelope("\xED\x95\x9C@example.com", "from@example.com", "id");
    ASSERT_TRUE(e);
    EXPECT_TRUE(e->needs_utf8);
}

TEST(Envelope, LetsNothingBecomeASecondCommand) {
    const std::string nul{"a\0b@example.com", 15};
    for (const std::string_view bad :
         {std::string_view{"a\r\nRCPT TO:<x@example.com>@example.com"}, std::string_view{"a>@example.com"},
          std::string_view{"<a@example.com"}, std::string_view{"a b@example.com"}, std::string_view{"a@b@example.com"},
          std::string_view{"@example.com"}, std::string_view{"a@"}, std::string_view{"a"}, std::string_view{""},
          std::string_view{nul}, std::string_view{"a@exa mple.com"}, std::string_view{"a@example.com>"},
          std::string_view{"\"a\"b\"@example.com"}, std::string_view{"\"a\\\"@example.com"}}) {
        const auto e = make_envelope(bad, "from@example.com", "id");
        ASSERT_FALSE(e) << bad;
        EXPECT_EQ(e.error().what(), base::fault::kind::permanent);
        EXPECT_FALSE(e.error().why().contains("example.com"));
    }
    EXPECT_FALSE(make_envelope(std::string(65, 'a') + "@example.com", "f@example.com", "id"));
    EXPECT_TRUE(make_envelope(std::string(64, 'a') + "@example.com", "f@example.com", "id"));
    EXPECT_TRUE(make_envelope("\"a b\\\"c\"@example.com", "f@example.com", "id"));
    EXPECT_EQ(make_envelope("a@example.com", "f\r\n@example.com", "id").error().what(), base::fault::kind::broken);
}

TEST(Xtext, EncodesWhatRfc3461Says) {
    EXPECT_EQ(xtext("x+tag@example.com"), "x+2Btag@example.com");
    EXPECT_EQ(xtext("a=b c"), "a+3Db+20c");
}

} // namespace
} // namespace semel::email
