#include <api/core/verify_page.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

namespace semel::api::verify_page {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const house ours{.organisation = "가람마켓 (Garam Market)", .contact = {"Phone 1577-0000", "The app's inbox"}};

sent_notice an_sms() {
    return {.code = "K7MP-3XWR-9HTC",
            .organisation = "가람마켓",
            .channel = base::channel::sms,
            .locale = "ko",
            .since = base::from_rfc3339("2026-11-30T18:30:00Z").value(),
            .name = "개인정보 유출 안내",
            .heading = "",
            .body = "____ 님, 개인정보가 유출되었습니다.\n확인 코드 K7MP-3XWR-9HTC",
            .passages = {"출입번호를 바꾸세요."},
            .contact = {"개인정보보호실", "1577-0000"}};
}

/// Everything that a page can be.
std::vector<std::string> all_pages(const house& h, const sent_notice& n) {
    std::vector<std::string> out;
    for (const auto l : {language::korean, language::english}) {
        out.insert(out.end(), {to_ask(l, h), known(l, h, n), unknown(l, h), out_of_order(l, h)});
    }
    return out;
}

TEST(VerifyPage, SaysWhoSentWhatWhenOverWhichChannelInBothLanguages) {
    EXPECT_THAT(known(language::english, ours, an_sms()),
                AllOf(HasSubstr("<html lang=\"en\">"), HasSubstr("가람마켓 sent a notice with this code"),
                      HasSubstr("<dd dir=\"auto\">개인정보 유출 안내</dd>"), HasSubstr("text message (SMS)"),
                      HasSubstr("2026-11-30 18:30 UTC"), HasSubstr("K7MP-3XWR-9HTC"),
                      HasSubstr("<pre lang=\"ko\" dir=\"auto\">____ 님, 개인정보가 유출되었습니다.\n확인 코드 "
                                "K7MP-3XWR-9HTC</pre>"),
                      HasSubstr("출입번호를 바꾸세요."), HasSubstr("Phone 1577-0000"), HasSubstr("개인정보보호실")));
    EXPECT_THAT(known(language::korean, ours, an_sms()), AllOf(HasSubstr("<html lang=\"ko\">"), HasSubstr("문자메시지"),
                                                               HasSubstr("2026-12-01 03:30 (한국 시간)")));
}

TEST(VerifyPage, TheOtherLanguageIsALinkOrAFormThatBringsTheCode) {
    EXPECT_THAT(to_ask(language::korean, ours), HasSubstr("<a href=\"/verify?lang=en\" lang=\"en\""));
    const auto found = known(language::english, ours, an_sms());
    EXPECT_THAT(found,
                HasSubstr("action=\"/verify?lang=ko\"><input type=\"hidden\" name=\"code\" value=\"K7MP-3XWR-9HTC\">"));
    EXPECT_THAT(found, Not(HasSubstr("?code="))) << "a code in an address stays in histories";
}

// Texts, titles and names come from people; the page's own tags are all that a browser may see.
TEST(VerifyPage, NothingThatItIsGivenIsHtml) {
    const std::string evil = "</pre></title><script>alert(1)</script><img src=x onerror=\"alert(1)\">'\"&";
    const house h{.organisation = evil, .contact = {evil}};
    sent_notice n = an_sms();
    for (auto* text : {&n.code, &n.organisation, &n.name, &n.heading, &n.body}) {
        *text = evil;
    }
    n.locale = "ko\" onclick=\"x";
    n.passages = n.contact = {evil};
    const std::regex tag{"<(/?)([a-zA-Z!]+)([^>]*)>"};
    for (const auto& page : all_pages(h, n)) {
        EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("<img")), Not(HasSubstr("style="))));
        for (std::sregex_iterator at{page.begin(), page.end(), tag}, end; at != end; ++at) {
            EXPECT_THAT(at->str(3), AllOf(Not(HasSubstr("onclick=\"")), Not(HasSubstr("onerror=\""))));
        }
        EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
}

TEST(VerifyPage, HasNoScriptNoCookieAndNothingFromElsewhere) {
    for (const auto& page : all_pages(ours, an_sms())) {
        EXPECT_THAT(page, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("http:")), Not(HasSubstr("https:")),
                                HasSubstr("<link rel=\"stylesheet\" href=\"/verify.css\">"),
                                HasSubstr("<form method=\"post\"")));
    }
    EXPECT_THAT(std::string{style_sheet()}, Not(HasSubstr("url(")));
}

TEST(VerifyPage, NeverSaysWhoGotANotice) {
    EXPECT_THAT(known(language::english, ours, an_sms()), HasSubstr("It does not say who got one"));
    EXPECT_THAT(known(language::korean, ours, an_sms()), HasSubstr("누가 받았는지는"));
}

TEST(VerifyPage, SpeaksTheLanguageThatTheBrowserPrefers) {
    struct asked {
        const char *link, *accept;
        language expected;
    };
    for (const auto& [link, accept, expected] : std::vector<asked>{
             {"", "", language::english},
             {"", "ko", language::korean},
             {"", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", language::korean},
             {"", "en-GB,en;q=0.9,ko;q=0.8", language::english},
             {"", "en;q=0.5, KO ; q=0.9", language::korean},
             {"", "en;q=0.05, ko;q=0.1", language::korean},
             {"", "ko;q=0, en;q=0.001", language::english},
             {"", "fr, de;q=0.9, ko;q=0.1", language::korean},
             {"", "fr, de", language::english},
             {"", "korean, kok", language::english},
             {"", ",,;q=,ko;q=", language::korean},
             {"", "ko;q=0.0000000000000000000000000001", language::english},
             {"en", "ko", language::english},
             {"ko", "en", language::korean},
             {"xx", "ko", language::korean},
         }) {
        EXPECT_EQ(language_of(link, accept), expected) << link << " " << accept;
    }
    EXPECT_EQ(language_of(std::string(10'000, ','), std::string(10'000, ',')), language::english);
}

} // namespace
} // namespace semel::api::verify_page
