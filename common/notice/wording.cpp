// Words that play a leak down, sell something or teach people to fall for phishing; links and numbers.
#include "check.hpp"
#include "markdown.hpp"
#include "slots.hpp"
#include "utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

namespace semel::notice {
namespace {

constexpr unsigned bit(kind k) {
    return 1U << static_cast<unsigned>(k);
}
constexpr unsigned confirmed = bit(kind::breach) | bit(kind::supplement) | bit(kind::follow_up);
constexpr unsigned any = ~0U;

struct word_rule {
    std::string_view id;
    std::string_view language;
    std::string_view words; // lower case, separated by '|'
    unsigned kinds;
    severity how_bad;
    std::string_view reason;
    std::string_view mend;
};

constexpr std::array word_rules{
    word_rule{"KR-W2", "ko", "일부 |일부의|일부만|일부에|극히|외부 접근만|단순 접근|피해는 없|피해 없음", confirmed,
              severity::warning, "plays the leak down", "say what is confirmed, without weighing it"},
    word_rule{"KR-W2", "ko", "가능성|우려|의심", bit(kind::breach) | bit(kind::supplement), severity::warning,
              "speaks of a possibility where a leak is confirmed", "say that it leaked"},
    word_rule{
        "KR-W2", "en",
        "only a small|a small number|merely|limited exposure|out of an abundance of caution|no evidence of misuse",
        confirmed, severity::warning, "plays the leak down", "say what is confirmed, without weighing it"},
    word_rule{"KR-W2", "en", "may have been|possibly", bit(kind::breach) | bit(kind::supplement), severity::warning,
              "speaks of a possibility where a leak is confirmed", "say that it leaked"},
    word_rule{"EU-D1", "ko", "쿠폰|할인|이벤트|특가|혜택", any, severity::warning, "reads like marketing",
              "send the notice alone; offers need a message of their own"},
    word_rule{"EU-D1", "en", "coupon|discount|voucher|special offer|promotion|reward points", any, severity::warning,
              "reads like marketing", "send the notice alone; offers need a message of their own"},
    word_rule{"AP-1", "",
              ".apk|bit.ly/|tinyurl.com/|t.co/|goo.gl/|is.gd/|ow.ly/|me2.do/|vo.la/|han.gl/|url.kr/|buly.kr/", any,
              severity::error, "hides where it leads, as phishing does",
              "write the full address of your own site, or none"},
};

// Of a follow-up, that it is not a second incident: the people who had the first message are frightened already.
struct no_new_incident {
    std::string_view language;
    std::string_view words;
};
constexpr std::array<no_new_incident, 4> reassurances{
    {{"ko",
      "새로운 유출이 아|새로운 유출 사고가 아|새로운 사고가 아|추가 유출이 아|추가로 유출된 것이 아|추가 유출은 없"},
     {"en", "not a new|no new|not about a new"},
     {"ja", "新たな漏えいではありません|新たな漏洩ではありません|新しい事故ではありません"},
     {"zh", "不是新的|并非新的|沒有新的|没有新的"}}};

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view language_of(std::string_view locale) {
    return locale.substr(0, locale.find('-'));
}

void each_alternative(std::string_view words, const std::function<void(std::string_view)>& visit) {
    while (!words.empty()) {
        const auto end = std::min(words.find('|'), words.size());
        visit(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
    }
}

std::size_t find_word(std::string_view text, std::string_view words) {
    auto first = std::string_view::npos;
    each_alternative(words, [&](std::string_view word) { first = std::min(first, text.find(word)); });
    return first;
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string digits_of(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), is_digit);
    return out;
}

/// A run of digits with the separators that people put into phone numbers.
struct number {
    std::size_t at;
    std::string_view text;
};
std::vector<number> numbers_in(std::string_view text) {
    std::vector<number> out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!is_digit(text[i])) {
            continue;
        }
        auto end = i;
        auto last = i;
        while (end < text.size() &&
               (is_digit(text[end]) || (std::string_view{"-.() "}.contains(text[end]) && end - last < 2))) {
            last = is_digit(text[end]) ? end : last;
            ++end;
        }
        out.push_back({i, text.substr(i, last - i + 1)});
        i = last;
    }
    return out;
}

bool looks_like_a_date(std::string_view text) {
    const auto digits = digits_of(text);
    return (digits.size() >= 6 && digits.size() <= 8 && (digits.starts_with("19") || digits.starts_with("20")) &&
            text.size() > 4 && !is_digit(text[4]));
}

// Seven digits and more are a phone number; three or four only after a word that says so.
bool looks_like_a_phone(std::string_view whole, const number& n) {
    const auto digits = digits_of(n.text).size();
    if (digits >= 7) {
        return !looks_like_a_date(n.text);
    }
    if (digits < 3 || digits > 4 || digits != n.text.size()) {
        return false;
    }
    const auto from = n.at < 24 ? 0 : n.at - 24;
    auto before = whole.substr(from, n.at - from);
    if (const auto line = before.rfind('\n'); line != before.npos) {
        before.remove_prefix(line + 1);
    }
    return find_word(before, "전화|국번|☎|call |dial |phone |tel") != before.npos;
}

class text_checker {
  public:
    text_checker(const notice_source& source, const std::string& locale, base::channel channel,
                 std::vector<problem>& problems, const std::string& file, flat_text flat)
        : source_(source)
        , language_(language_of(locale))
        , channel_(channel)
        , out_(problems, file)
        , flat_(std::move(flat))
        , low_(lower(flat_.text)) {}

    void run(bool is_title) {
        exposure();
        for (const auto& rule : word_rules) {
            words(rule);
        }
        numbers();
        links();
        if (!is_title) {
            follow_up();
        }
        if (channel_ == base::channel::push && !flat_.slots.empty()) {
            out_.warn(1, "AP-8", "a slot's value would show on the lock screen", "leave personal data out of a push");
        }
    }

  private:
    int line(std::size_t at) const { return flat_.line_at(std::min(at, flat_.text.size())); }

    void exposure() {
        const auto [soft, plain] = language_ == "ko" ? std::pair{"노출", "유출"} : std::pair{"expos", "leak"};
        if (language_ != "ko" && language_ != "en") {
            return;
        }
        auto text = low_;
        // Art. 34-2's own term for data that anybody can find in public.
        for (auto at = text.find("노출된 개인정보"); at != text.npos; at = text.find("노출된 개인정보")) {
            text.replace(at, std::string_view{"노출"}.size(), "______");
        }
        const auto at = text.find(soft);
        if (at != text.npos && text.find(plain) == text.npos) {
            out_.error(line(at), "KR-W1",
                       language_ == "ko" ? "the text says 노출 and never 유출"
                                         : "the text says exposure and never leak",
                       "call it a leak (유출), as the law does");
        }
    }

    void words(const word_rule& rule) {
        if ((rule.kinds & bit(source_.kind)) == 0 || (!rule.language.empty() && rule.language != language_)) {
            return;
        }
        each_alternative(rule.words, [&](std::string_view word) {
            if (const auto at = low_.find(word); at != low_.npos) {
                const auto reason = fmt::format("\"{}\" {}", word, rule.reason);
                if (rule.how_bad == severity::error) {
                    out_.error(line(at), std::string{rule.id}, reason, std::string{rule.mend});
                } else {
                    out_.warn(line(at), std::string{rule.id}, reason, std::string{rule.mend});
                }
            }
        });
    }

    void numbers() {
        std::set<std::string> registered{digits_of(source_.contact.phone), digits_of(source_.sender.sms)};
        for (const auto& n : source_.contact.numbers) {
            registered.insert(digits_of(n));
        }
        for (const auto& n : numbers_in(low_)) {
            if (looks_like_a_phone(low_, n) && !registered.contains(digits_of(n.text))) {
                out_.error(line(n.at), "AP-2", "the text names a phone number that is not registered in notice.yaml",
                           "add it to contact.numbers after checking it, or remove it");
            }
        }
    }

    void links() {
        if (channel_ == base::channel::sms) {
            if (const auto at = find_word(low_, "http:|https:|www.|.com/|.kr/|.net/|.org/"); at != low_.npos) {
                out_.error(line(at), "AP-1", "there is a link in an SMS, and people are told not to touch such links",
                           "say: open our app, or type our address yourself");
            }
        }
        for (const auto& l : links_in(flat_.text)) {
            check_link(l, flat_.lines.empty()
                              ? 1
                              : flat_.lines[std::min(flat_.lines.size(), static_cast<std::size_t>(l.line)) - 1]);
        }
    }

    void check_link(const link& l, int at) {
        const auto url = lower(l.url);
        if (url.starts_with("mailto:") || url.starts_with("tel:")) {
            return;
        }
        if (!url.starts_with("https://")) {
            out_.error(at, "AP-1", "a link is not https", "write the https address");
            return;
        }
        const auto host = url.substr(8, url.find_first_of("/:?#", 8) - 8);
        const bool numeric = std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
        if (numeric || host.starts_with('[') || host.contains("xn--") || host.contains('@') || host.contains('%')) {
            out_.error(at, "AP-1", "a link leads to a disguised address (a number, punycode or a user name)",
                       "link to a name of your own that people can read");
            return;
        }
        const auto domain = lower(source_.sender.email.substr(source_.sender.email.find('@') + 1));
        if (!domain.empty() && host != domain && !host.ends_with("." + domain) && !domain.ends_with("." + host)) {
            out_.warn(at, "AP-1", "a link leads outside the sender's own domain",
                      "link to your own site, where the rest stands");
        }
    }

    void follow_up() {
        if (source_.kind != kind::follow_up) {
            return;
        }
        const auto it = std::ranges::find(reassurances, language_, &no_new_incident::language);
        if (it == reassurances.end()) {
            out_.warn(1, "KR-W3",
                      "Semel cannot read in this language whether the follow-up says that it is no new incident",
                      "have somebody who reads it check");
        } else if (find_word(low_, it->words) == low_.npos) {
            out_.error(1, "KR-W3", "a follow-up must say that it is about no new incident",
                       language_ == "ko" ? "write: 새로운 유출이 아니라 ... 다시 알려 드립니다"
                                         : "write: this is not a new incident");
        }
    }

    const notice_source& source_;
    std::string_view language_;
    base::channel channel_;
    complaints out_;
    flat_text flat_;
    std::string low_;
};

} // namespace

void check_wording(const notice_source& source, std::vector<problem>& problems) {
    const segment_set every{source.segments.begin(), source.segments.end()};
    for (const auto& [locale, title] : source.title) {
        auto flat = flatten(title, {});
        flat.lines.assign(1, source.title_line.at(locale));
        text_checker{source, locale, base::channel::email, problems, "notice.yaml", std::move(flat)}.run(true);
    }
    for (const auto& [key, text] : source.texts) {
        if (key.second == base::channel::push) {
            text_checker{source, key.first, key.second, problems, text.file, flatten(text.title, every)}.run(true);
        }
        text_checker{source, key.first, key.second, problems, text.file, flatten(text.body, every)}.run(false);
    }
}

} // namespace semel::notice
