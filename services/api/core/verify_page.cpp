#include "verify_page.hpp"

#include <notice/slots.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace semel::api::verify_page {
namespace {

using namespace std::chrono_literals;

/// All that the page says by itself. {0} is the organisation.
struct words {
    std::string_view lang, other_lang, other_name;
    std::string_view title, why, label, example, button;
    std::string_view is_known, by, notice, over, since, code;
    std::string_view email, push, sms;
    std::string_view exact, blanks, passages, compare, nobody;
    std::string_view is_unknown, look_again, then_do;
    std::string_view is_out, try_later;
    std::string_view contact, by_known_ways, as_notice_says;
};

constexpr words in_english{
    .lang = "en",
    .other_lang = "ko",
    .other_name = "한국어",
    .title = "Is this notice genuine?",
    .why =
        "Notices of {0} carry a code. Enter it here to see which notice it belongs to, over which channel it was sent, "
        "and its exact words.",
    .label = "The code in the message",
    .example =
        "Twelve letters and digits, such as 2345-6789-ABCD. Small letters, blanks and hyphens make no difference.",
    .button = "Check",
    .is_known = "{0} sent a notice with this code",
    .by = "Sent by",
    .notice = "Notice",
    .over = "Sent over",
    .since = "Sent since",
    .code = "Code",
    .email = "email",
    .push = "notification of the app",
    .sms = "text message (SMS)",
    .exact = "Its exact words",
    .blanks = "Where ____ stands, each message has words of its own, such as a name.",
    .passages = "Some people's messages also have this, because it concerns them:",
    .compare =
        "Compare your message word by word. A forger can copy a genuine code: a message that has this code and "
        "other words, a link or a number that does not stand here, or that came over another channel, is forged.",
    .nobody = "The code is the same in all these messages. It does not say who got one, and neither does this page.",
    .is_unknown = "No notice of {0} has this code",
    .look_again = "Compare it letter by letter with your message. The codes have no 0, 1, I, L or O.",
    .then_do =
        "If it stands there like that, do not trust the message: touch no link in it, call no number that it names, "
        "and ask us by a way that you know already.",
    .is_out = "Nobody can say at the moment",
    .try_later = "Please try again in a few minutes. Until then do not act on the message.",
    .contact = "How to reach {0}",
    .by_known_ways = "Use ways that you know already, not what a message tells you:",
    .as_notice_says = "The notice itself names:",
};

constexpr words in_korean{
    .lang = "ko",
    .other_lang = "en",
    .other_name = "English",
    .title = "받으신 안내가 진짜인지 확인하기",
    .why = "{0}의 안내에는 확인 코드가 있습니다. 코드를 넣으시면 어떤 안내를 어떤 경로로 보냈는지, 전체 문구가 "
           "어떠한지 볼 수 "
           "있습니다.",
    .label = "메시지에 있는 확인 코드",
    .example = "2345-6789-ABCD처럼 글자와 숫자 열두 자입니다. 소문자, 띄어쓰기, 붙임표는 상관없습니다.",
    .button = "확인",
    .is_known = "{0}에서 이 코드로 안내를 보냈습니다",
    .by = "보낸 곳",
    .notice = "안내",
    .over = "보낸 경로",
    .since = "보내기 시작한 때",
    .code = "확인 코드",
    .email = "이메일",
    .push = "앱 알림",
    .sms = "문자메시지",
    .exact = "보낸 문구 그대로",
    .blanks = "____ 자리에는 메시지마다 이름과 같이 다른 말이 들어갑니다.",
    .passages = "해당하는 분의 메시지에는 다음 문구도 있습니다.",
    .compare = "받으신 메시지와 한 자씩 비교해 주세요. 위조한 메시지에 진짜 코드를 베껴 넣을 수 있습니다. 코드가 "
               "같아도 문구가 "
               "다르거나, 여기에 없는 링크나 전화번호가 있거나, 다른 경로로 온 메시지는 위조된 것입니다.",
    .nobody = "코드는 이 안내를 받은 모든 분에게 같습니다. 누가 받았는지는 코드로도, 이 페이지로도 알 수 없습니다.",
    .is_unknown = "{0}의 안내 가운데 이 코드를 쓴 것이 없습니다",
    .look_again = "메시지와 한 자씩 비교해 주세요. 코드에는 0, 1, I, L, O가 없습니다.",
    .then_do = "그래도 같다면 그 메시지를 믿지 마세요. 메시지 안의 링크를 누르거나 적힌 번호로 전화하지 마시고, 이미 "
               "알고 계신 "
               "방법으로 저희에게 물어봐 주세요.",
    .is_out = "지금은 확인할 수 없습니다",
    .try_later = "몇 분 뒤에 다시 시도해 주세요. 그때까지는 메시지가 시키는 대로 하지 마세요.",
    .contact = "{0}에 연락하는 방법",
    .by_known_ways = "메시지에 적힌 방법이 아니라 이미 알고 계신 방법을 쓰세요.",
    .as_notice_says = "안내문에 적은 연락처:",
};

const words& words_in(language l) {
    return l == language::korean ? in_korean : in_english;
}

std::string escaped(std::string_view text) {
    std::string out;
    notice::append_html_escaped(out, text);
    return out;
}

/// One of the sentences, with the organisation in it, as HTML.
std::string said(std::string_view sentence, std::string_view organisation) {
    const auto at = sentence.find("{0}");
    return at == sentence.npos
               ? escaped(sentence)
               : escaped(sentence.substr(0, at)) + escaped(organisation) + escaped(sentence.substr(at + 3));
}

std::string paragraph(std::string_view html) {
    return fmt::format("<p>{}</p>\n", html);
}

std::string list_of(const std::vector<std::string>& lines) {
    std::string out = "<ul>\n";
    for (const auto& line : lines) {
        out += fmt::format("<li dir=\"auto\">{}</li>\n", escaped(line));
    }
    return out + "</ul>\n";
}

std::string form(const words& w) {
    return fmt::format(R"(<form method="post" action="/verify?lang={}">
<p><label for="code">{}</label></p>
<p id="example">{}</p>
<p><input id="code" name="code" type="text" required maxlength="64" size="16" autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="example">
<button type="submit">{}</button></p>
</form>
)",
                       w.lang, escaped(w.label), escaped(w.example), escaped(w.button));
}

/// To the same page in the other language: what was found goes along in the form, because a link would put it into the
/// browser's history.
std::string other_language(const words& w, std::string_view code) {
    if (code.empty()) {
        return fmt::format("<p><a href=\"/verify?lang={0}\" lang=\"{0}\" hreflang=\"{0}\">{1}</a></p>\n", w.other_lang,
                           w.other_name);
    }
    return fmt::format("<form method=\"post\" action=\"/verify?lang={0}\"><input type=\"hidden\" name=\"code\" "
                       "value=\"{2}\"><button type=\"submit\" lang=\"{0}\">{1}</button></form>\n",
                       w.other_lang, w.other_name, escaped(code));
}

std::string contact(const words& w, const house& h, const std::vector<std::string>& of_notice) {
    auto out = fmt::format("<h2>{}</h2>\n", said(w.contact, h.organisation));
    if (!h.contact.empty()) {
        out += paragraph(escaped(w.by_known_ways)) + list_of(h.contact);
    }
    if (!of_notice.empty()) {
        out += paragraph(escaped(w.as_notice_says)) + list_of(of_notice);
    }
    return out;
}

std::string page(const words& w, std::string_view heading, std::string_view inside, std::string_view code = {}) {
    return fmt::format(R"(<!DOCTYPE html>
<html lang="{0}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{1}</title>
<link rel="stylesheet" href="/verify.css">
</head>
<body>
<main>
{3}<h1>{1}</h1>
{2}</main>
</body>
</html>
)",
                       w.lang, heading, inside, other_language(w, code));
}

std::string_view channel_in(const words& w, base::channel c) {
    switch (c) {
    case base::channel::email:
        return w.email;
    case base::channel::push:
        return w.push;
    case base::channel::sms:
        return w.sms;
    }
    return {};
}

/// By the clock of most who read this language; Korea has no summer time.
std::string moment_in(language l, base::timestamp at) {
    const bool korean = l == language::korean;
    const auto text = base::to_rfc3339(korean ? at + 9h : at);
    return fmt::format("{} {} {}", text.substr(0, 10), text.substr(11, 5), korean ? "(한국 시간)" : "UTC");
}

std::string facts(language l, const words& w, const sent_notice& n) {
    std::string out = "<dl>\n";
    const auto row = [&](std::string_view name, std::string_view value) {
        out += fmt::format("<dt>{}</dt><dd dir=\"auto\">{}</dd>\n", escaped(name), escaped(value));
    };
    row(w.by, n.organisation);
    row(w.notice, n.name);
    row(w.over, channel_in(w, n.channel));
    row(w.since, moment_in(l, n.since));
    row(w.code, n.code);
    return out + "</dl>\n";
}

std::string words_of(std::string_view text, std::string_view locale) {
    return fmt::format("<pre lang=\"{}\" dir=\"auto\">{}</pre>\n", escaped(locale), escaped(text));
}

/// 1000 for "1" and for what is not a weight, 800 for "0.8".
int weight_of(std::string_view quality) {
    if (!quality.starts_with('0')) {
        return 1'000;
    }
    int out = 0;
    for (std::size_t i = 2; i < 5; ++i) {
        const char digit = i < quality.size() && quality[1] == '.' ? quality[i] : '0';
        out = out * 10 + (digit >= '0' && digit <= '9' ? digit - '0' : 0);
    }
    return out;
}

bool is_language(std::string_view tag, std::string_view language) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(tag.substr(0, tag.find('-')), language, {}, lower);
}

} // namespace

language language_of(std::string_view asked, std::string_view accept_language) {
    if (asked == "ko" || asked == "en") {
        return asked == "ko" ? language::korean : language::english;
    }
    auto best = language::english;
    int most = 0;
    while (!accept_language.empty()) {
        const auto comma = std::min(accept_language.find(','), accept_language.size());
        auto one = accept_language.substr(0, comma);
        accept_language.remove_prefix(std::min(comma + 1, accept_language.size()));
        one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
        const auto tag = one.substr(0, one.find_first_of("; \t"));
        const auto quality = one.find("q=");
        const auto weight = quality == one.npos ? 1'000 : weight_of(one.substr(quality + 2));
        const bool korean = is_language(tag, "ko");
        if (weight > most && (korean || is_language(tag, "en"))) {
            most = weight;
            best = korean ? language::korean : language::english;
        }
    }
    return best;
}

std::string to_ask(language l, const house& h) {
    const auto& w = words_in(l);
    return page(w, escaped(w.title), paragraph(said(w.why, h.organisation)) + form(w) + contact(w, h, {}));
}

std::string known(language l, const house& h, const sent_notice& n) {
    const auto& w = words_in(l);
    auto inside = facts(l, w, n) + paragraph(escaped(w.compare));
    inside += fmt::format("<h2>{}</h2>\n", escaped(w.exact));
    inside += paragraph(escaped(w.blanks));
    if (!n.heading.empty()) {
        inside += words_of(n.heading, n.locale);
    }
    inside += words_of(n.body, n.locale);
    if (!n.passages.empty()) {
        inside += paragraph(escaped(w.passages));
        for (const auto& passage : n.passages) {
            inside += words_of(passage, n.locale);
        }
    }
    inside += paragraph(escaped(w.nobody)) + contact(w, h, n.contact) + form(w);
    return page(w, said(w.is_known, n.organisation), inside, n.code);
}

std::string unknown(language l, const house& h) {
    const auto& w = words_in(l);
    return page(w, said(w.is_unknown, h.organisation),
                paragraph(escaped(w.look_again)) + paragraph(escaped(w.then_do)) + form(w) + contact(w, h, {}));
}

std::string out_of_order(language l, const house& h) {
    const auto& w = words_in(l);
    return page(w, escaped(w.is_out), paragraph(escaped(w.try_later)) + form(w) + contact(w, h, {}));
}

std::string_view style_sheet() {
    return R"(:root { color-scheme: light dark; }
body { margin: 0; font: 1.0625rem/1.6 system-ui, sans-serif; background: Canvas; color: CanvasText; }
main { max-width: 42rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.3; }
h2 { font-size: 1.2rem; margin-top: 2rem; }
dt { font-weight: bold; }
dd { margin: 0 0 .5rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; border: 1px solid GrayText; padding: .75rem; }
input, button { font: inherit; padding: .5rem; min-height: 2.75rem; box-sizing: border-box; max-width: 100%; }
input { text-transform: uppercase; letter-spacing: .05em; }
label { font-weight: bold; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
)";
}

} // namespace semel::api::verify_page
