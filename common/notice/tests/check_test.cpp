#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel::notice;
using namespace semel::notice::test;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST(Check, ASoundNoticeHasNoProblems) {
    EXPECT_THAT(found(a_folder()), IsEmpty());
}

TEST(Check, TheExamplesHaveNone) {
    EXPECT_THAT(found(load_folder("notices/follow-up").value()), IsEmpty());
}

// A file's name is the mail's Content-Language.
TEST(Check, ALocaleThatIsNotALanguageTagIsRefused) {
    auto folder = a_folder();
    folder["email.en\r\nX-Evil: 1.md"] = folder.at("email.en.md");
    EXPECT_THAT(found(folder), Contains("email.en\r\nX-Evil: 1.md:0 bad-locale"));
}

TEST(Check, LimitsHoldForWhoeverSendsTheFolder) {
    EXPECT_TRUE(check_limits(a_folder()));
    auto large = a_folder();
    large["email.en.md"] = std::string(256 * 1024 + 1, 'x');
    auto many = a_folder();
    for (int i = 0; i < 500; ++i) {
        many["README" + std::to_string(i)];
    }
    EXPECT_FALSE(check_limits(large));
    EXPECT_FALSE(check_limits(many));
    for (const std::string_view name : {"a\r\nb", "../notice.yaml", "\x1b[2J", "\xff.txt", "\xe2\x80\xae.md", ""}) {
        auto odd = a_folder();
        odd[std::string{name}] = "x";
        const auto within = check_limits(odd);
        ASSERT_FALSE(within) << name;
        EXPECT_EQ(within.error().why().find_first_of("\r\n\x1b\xff"), std::string::npos) << within.error().why();
    }
}

TEST(Check, EveryProblemSaysHowToMendIt) {
    const auto checked = check(load_folder("common/notice/tests/data/broken").value());
    EXPECT_FALSE(checked.ok());
    for (const auto& p : checked.problems) {
        EXPECT_FALSE(p.mend.empty()) << to_text(p);
        EXPECT_FALSE(p.reason.ends_with('.') || p.mend.ends_with('.')) << to_text(p);
    }
}

TEST(Check, FormIsRefusedWithFileAndLine) {
    struct broken {
        const char *file, *old, *now, *expected;
    };
    for (const auto& b : std::vector<broken>{
             {"notice.yaml", "kind: breach", "kind: rumour", "notice.yaml:1 bad-kind"},
             {"notice.yaml", "kind: breach", "kind: [", "notice.yaml:3 yaml"},
             {"notice.yaml", "kind: breach\n", "", "notice.yaml:1 missing-key"},
             {"notice.yaml", "2026-01-05T00:00:00Z", "yesterday", "notice.yaml:4 bad-time"},
             {"notice.yaml", "notice@example.com", "notice at example", "notice.yaml:5 bad-email"},
             {"notice.yaml", "phone: \"1577-0000\"", "phone: \"15x\"", "notice.yaml:6 bad-phone"},
             {"notice.yaml", "segments: [code]", "segments: [code, code]", "notice.yaml:8 double-segment"},
             {"notice.yaml", "segments: [code]", "segments: [a, b, c, d, e, f, code]",
              "notice.yaml:8 too-many-segments"},
             {"notice.yaml", "segments: [code]", "segments: code", "notice.yaml:8 wrong-type"},
             {"notice.yaml", "{en: customer}", "{ko: x}", "notice.yaml:9 no-default"},
             {"notice.yaml", "{default: en}", "{default: ko}", "notice.yaml:10 missing-locale"},
             {"notice.yaml", "{default: en}", "{default: en, fallback: {ja: de}}", "notice.yaml:10 missing-locale"},
             {"notice.yaml", "locales:", "sms: {max_parts: 0}\nlocales:", "notice.yaml:10 bad-max-parts"},
             {"notice.yaml", "locales:", "locale: 1\nlocales:", "notice.yaml:10 unknown-key"},
             {"notice.yaml", "email: notice@example.com, ", "", "notice.yaml:1 no-sender"},
             {"notice.yaml", "{en: \"Notice", "{ko: \"유출\", en: \"Notice", "email.ko.md:0 missing-file"},
             {"notice.yaml", "{en: \"Notice of data leak\"}", "{ko: \"유출\"}", "notice.yaml:0 missing-title"},
             {"notice.yaml", "data leak\"", "leak {{#code}}x{{/code}}\"", "notice.yaml:2 bad-title"},
             {"notice.yaml", "data leak\"", "leak {{who}}\"", "notice.yaml:2 unknown-slot"},
             {"notice.yaml", "{en: \"Notice of data leak\"}", "{en: \"Notice of data leak\", \"e\\r\\nX: 1\": \"x\"}",
              "notice.yaml:2 bad-locale"},
             {"notice.yaml", "[KR-PIPA]", "[XX-LAW]", "notice.yaml:3 unknown-jurisdiction"},
             {"email.en.md", "{{name}}", "{{nickname}}", "email.en.md:1 unknown-slot"},
             {"email.en.md", "{{#code}}", "{{#door}}", "email.en.md:8 unknown-segment"},
             {"email.en.md", "Change your code.", "{{code}}", "email.en.md:9 segment-as-slot"},
             {"email.en.md", "{{/code}}", "", "email.en.md:8 unclosed-section"},
             {"email.en.md", "Names.", "<b>Names.</b>", "email.en.md:6 raw-html"},
             {"email.en.md", "Change your code.", "<i>Change</i>", "email.en.md:9 raw-html"},
             {"email.en.md", "Names.", "![x](y.png)", "email.en.md:6 image"},
             {"email.en.md", "Names.", "[x](https://example.com/{{name}})", "email.en.md:6 slot-in-link"},
             {"email.en.md", "Names.", "Na\xe2\x80\xaemes.", "email.en.md:6 invisible"},
             {"email.en.md", "Names.", "\xff", "email.en.md:6 encoding"},
             {"push.en.yaml", "title: Data leak", "title: [a]", "push.en.yaml:1 wrong-type"},
             {"push.en.yaml", "title: Data leak", "data: {idem: x}\ntitle: Data leak", "push.en.yaml:1 reserved-key"},
             {"push.en.yaml", "title: Data leak\n", "", "push.en.yaml:1 missing-key"},
             {"sms.en.txt", "app.", "app{{{name}}}.", "sms.en.txt:1 triple-mustache"},
         }) {
        EXPECT_THAT(found(with(b.file, b.old, b.now)), Contains(b.expected)) << b.now;
        EXPECT_FALSE(check(with(b.file, b.old, b.now)).ok()) << b.now;
    }
}

TEST(Check, AMissingFileIsNamed) {
    auto folder = a_folder();
    folder["email.ko.md"] = folder["email.en.md"];
    EXPECT_THAT(found(folder), Contains("push.ko.yaml:0 missing-file"));
    folder = a_folder();
    folder.erase("notice.yaml");
    EXPECT_THAT(found(folder), Contains("notice.yaml:0 no-notice-yaml"));
    EXPECT_THAT(found({}), ElementsAre("notice.yaml:0 no-notice-yaml"));
    EXPECT_THAT(found({{"notice.yaml", a_folder()["notice.yaml"]}}), Contains("notice.yaml:0 no-text"));
}

TEST(Check, WhatDoesNotFitIsRefusedWithDefaultsAndWarnedOfOtherwise) {
    EXPECT_THAT(found(with("sms.en.txt", "app.", std::string(1'000, 'x'))), ElementsAre("sms.en.txt:1 too-long"));
    EXPECT_THAT(found(with("sms.en.txt", "app.", std::string(870, 'x') + "{{name}}")),
                ElementsAre("sms.en.txt:1 too-long-for-some"));
    EXPECT_THAT(found(with("push.en.yaml", "Your data", std::string(4'096, 'x'))),
                ElementsAre("push.en.yaml:1 too-long"));
}

TEST(Check, TheFileMayBeCrlfWithAByteOrderMark) {
    auto folder = a_folder();
    std::string crlf = "\xef\xbb\xbf";
    for (const char c : folder["email.en.md"]) {
        crlf += c == '\n' ? "\r\n" : std::string(1, c);
    }
    folder["email.en.md"] = crlf;
    EXPECT_THAT(found(folder), IsEmpty());
}

TEST(Rules, EveryElementOfTheLawMustHaveItsSection) {
    for (const auto& [anchor, id] : std::vector<std::pair<const char*, const char*>>{{"what_leaked", "KR-1"},
                                                                                     {"what_happened", "KR-2"},
                                                                                     {"what_you_can_do", "KR-3"},
                                                                                     {"what_we_do", "KR-4"},
                                                                                     {"remedies", "KR-4"},
                                                                                     {"contact", "KR-5"}}) {
        EXPECT_THAT(found(with("email.en.md", std::string{" {#"} + anchor + "}", "")),
                    ElementsAre(std::string{"email.en.md:1 "} + id));
    }
    EXPECT_THAT(found(with("email.en.md", "{#contact}", "{#kontakt}")), Contains("email.en.md:16 unknown-anchor"));
    EXPECT_THAT(found(with("email.en.md", "Names. That is your name and your entrance code.\n", "\n")),
                ElementsAre("email.en.md:5 empty-section"));
}

TEST(Rules, ThePackIsTheOneInForceWhenTheLeakBecameKnown) {
    EXPECT_THAT(found(with("notice.yaml", "2026-01-05T00:00:00Z", "2026-09-10T23:59:59+09:00")), IsEmpty());
    EXPECT_THAT(found(with("notice.yaml", "2026-01-05T00:00:00Z", "2026-09-11T00:00:00+09:00")),
                Contains("email.en.md:14 KR-6"));
}

TEST(Rules, JurisdictionsAddUp) {
    EXPECT_THAT(found(with("notice.yaml", "[KR-PIPA]", "[KR-PIPA, EU-GDPR]")), ElementsAre("email.en.md:1 EU-3"));
}

TEST(Rules, APreliminaryNoticeMayLackWhatIsNotYetKnown) {
    auto folder = with("notice.yaml", "kind: breach", "kind: preliminary");
    auto& text = folder["email.en.md"];
    const auto from = text.find("## What happened"), to = text.find("## What you can do");
    text.erase(from, to - from);
    EXPECT_THAT(found(folder), IsEmpty());
}

TEST(Wording, CallsALeakALeak) {
    EXPECT_THAT(found(with("sms.en.txt", "leaked", "was exposed")), ElementsAre("sms.en.txt:1 KR-W1"));
    EXPECT_THAT(found(with("notice.yaml", "data leak", "data exposure")), ElementsAre("notice.yaml:2 KR-W1"));
    EXPECT_THAT(found(with("email.en.md", "Names.", "Names were exposed.")), IsEmpty()); // it says "leaked" too
}

TEST(Wording, AGuessIsAFindingAndNoError) {
    const auto checked = check(with("sms.en.txt", "leaked", "was exposed"));
    ASSERT_EQ(checked.problems.size(), 1U);
    EXPECT_EQ(checked.problems[0].how_bad, severity::finding);
    EXPECT_TRUE(checked.ok());
    EXPECT_TRUE(to_text(checked.problems[0]).starts_with("sms.en.txt:1: finding KR-W1: "))
        << to_text(checked.problems[0]);
}

TEST(Wording, PlayingDownAndSellingAreWarnings) {
    EXPECT_THAT(found(with("email.en.md", "Names.", "Merely names.")), ElementsAre("email.en.md:6 KR-W2"));
    EXPECT_THAT(found(with("email.en.md", "Names.", "Here is a coupon.")), ElementsAre("email.en.md:6 EU-D1"));
    EXPECT_TRUE(check(with("email.en.md", "Names.", "Here is a coupon.")).ok());
}

TEST(Wording, NumbersMustBeRegistered) {
    EXPECT_THAT(found(with("email.en.md", "Names.", "Ring 02-123-4567.")), ElementsAre("email.en.md:6 AP-2"));
    EXPECT_THAT(found(with("email.en.md", "Names.", "Call 112.")), ElementsAre("email.en.md:6 AP-2"));
    EXPECT_THAT(found(with("email.en.md", "Names.", "Call 118, or 1577 0000.")), IsEmpty());
    EXPECT_THAT(found(with("email.en.md", "Names.", "On 2026-01-05, 1,000 people (Art. 39-2), 2026.01.05.")),
                IsEmpty());
}

TEST(Wording, LinksAreFewAndPlain) {
    EXPECT_THAT(found(with("sms.en.txt", "our app.", "https://example.com/a")), ElementsAre("sms.en.txt:1 AP-1"));
    EXPECT_THAT(found(with("email.en.md", "Names.", "[here](https://bit.ly/x)")), Contains("email.en.md:6 AP-1"));
    for (const char* bad :
         {"http://example.com", "https://127.0.0.1/", "https://xn--e1afmkfd.example", "https://a@example.com"}) {
        EXPECT_FALSE(check(with("email.en.md", "Names.", std::string{"<"} + bad + ">")).ok()) << bad;
    }
    EXPECT_THAT(found(with("email.en.md", "Names.", "[here](https://www.example.com/leak)")), IsEmpty());
    EXPECT_THAT(found(with("email.en.md", "Names.", "[here](https://elsewhere.org)")),
                ElementsAre("email.en.md:6 AP-1"));
}

TEST(Wording, AFollowUpSaysThatItIsNoNewIncident) {
    EXPECT_THAT(found(with("notice.yaml", "kind: breach", "kind: follow-up")),
                ElementsAre("email.en.md:1 KR-W3", "push.en.yaml:1 KR-W3", "sms.en.txt:1 KR-W3"));
}

TEST(Wording, ALeakedValueIsNeverPrinted) {
    auto folder = with("email.en.md", "Names.", "Your code {{entrance_code}}.");
    auto& yaml = folder["notice.yaml"];
    yaml.replace(yaml.find("slots: {"), 8, "slots: {entrance_code: {default: x}, ");
    EXPECT_THAT(found(folder), ElementsAre("email.en.md:6 AP-7"));
}
