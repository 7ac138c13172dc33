#include "text_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace semel::notice {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) noexcept {
    return c >= 'a' && c <= 'z';
}

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
    constexpr std::array<std::string_view, 7> says{"전화", "국번", "☎", "call ", "dial ", "phone ", "tel"};
    return std::ranges::any_of(says, [&](std::string_view word) { return before.contains(word); });
}

/// Takes what it reads off the front; nothing read leaves the text as it was.
struct scanner {
    std::string_view rest;

    void blanks() {
        while (rest.starts_with(' ')) {
            rest.remove_prefix(1);
        }
    }
    bool word(std::string_view w) {
        if (!rest.starts_with(w)) {
            return false;
        }
        rest.remove_prefix(w.size());
        return true;
    }
    std::optional<int> number(std::size_t most_digits) {
        std::size_t n = 0;
        int value = 0;
        while (n < rest.size() && is_digit(rest[n])) {
            if (n == most_digits) {
                return std::nullopt;
            }
            value = value * 10 + (rest[n++] - '0');
        }
        if (n == 0) {
            return std::nullopt;
        }
        rest.remove_prefix(n);
        return value;
    }
};

constexpr std::array<std::string_view, 12> months{"january",   "february", "march",    "april",
                                                  "may",       "june",     "july",     "august",
                                                  "september", "october",  "november", "december"};

/// The month whose name, or its first three letters, the text begins with.
int month_name(scanner& s) {
    for (std::size_t i = 0; i < months.size(); ++i) {
        for (const auto name : {months[i], months[i].substr(0, 3)}) {
            if (s.rest.starts_with(name) && (s.rest.size() == name.size() || !is_letter(s.rest[name.size()]))) {
                s.rest.remove_prefix(name.size());
                s.word(".");
                return static_cast<int>(i) + 1;
            }
        }
    }
    return 0;
}

std::optional<int> year_after(scanner& s) {
    auto ahead = s;
    ahead.word(",");
    ahead.blanks();
    const auto year = ahead.number(4);
    if (!year || *year < 1900) {
        return std::nullopt;
    }
    s = ahead;
    return year;
}

bool either(scanner& s, std::string_view a, std::string_view b) {
    return s.word(a) || s.word(b);
}

/// "2026년 11월 18일", "11월 18일", "2026年11月18日".
std::optional<written_date> east_asian(scanner& s) {
    written_date out;
    auto ahead = s;
    auto first = ahead.number(4);
    if (first && either(ahead, "년", "年")) {
        out.year = first;
        ahead.blanks();
        first = ahead.number(2);
    }
    if (!first || !either(ahead, "월", "月")) {
        return std::nullopt;
    }
    ahead.blanks();
    const auto day = ahead.number(2);
    if (!day || !either(ahead, "일", "日")) {
        return std::nullopt;
    }
    out.month = *first;
    out.day = *day;
    s = ahead;
    return out;
}

/// "2026-11-18", "2026.11.18", "2026. 11. 18", "2026/11/18".
std::optional<written_date> numeric(scanner& s) {
    auto ahead = s;
    const auto year = ahead.number(4);
    if (!year || *year < 1900 || ahead.rest.empty() || !std::string_view{"-./"}.contains(ahead.rest.front())) {
        return std::nullopt;
    }
    const auto between = ahead.rest.substr(0, 1);
    ahead.word(between);
    ahead.blanks();
    const auto month = ahead.number(2);
    if (!month || !ahead.word(between)) {
        return std::nullopt;
    }
    ahead.blanks();
    const auto day = ahead.number(2);
    if (!day) {
        return std::nullopt;
    }
    s = ahead;
    return written_date{.month = *month, .day = *day, .year = year};
}

void ordinal(scanner& s) {
    std::ignore = either(s, "st", "nd") || either(s, "rd", "th");
}

/// "18 November 2026", "18th of November", "November 18th, 2026".
std::optional<written_date> english(scanner& s) {
    auto ahead = s;
    written_date out;
    if (const auto day = ahead.number(2)) {
        out.day = *day;
        ordinal(ahead);
        ahead.blanks();
        ahead.word("of ");
        out.month = month_name(ahead);
    } else {
        out.month = month_name(ahead);
        ahead.blanks();
        out.day = out.month == 0 ? 0 : ahead.number(2).value_or(0);
        ordinal(ahead);
    }
    if (out.month == 0 || out.day == 0) {
        return std::nullopt;
    }
    out.year = year_after(ahead);
    s = ahead;
    return out;
}

/// A list's next item, a heading or an empty line after this end of a line.
bool ends_at_line(std::string_view after) {
    return after.empty() || std::string_view{"\n-*#"}.contains(after.front());
}

} // namespace

std::string_view language_of(std::string_view locale) noexcept {
    return locale.substr(0, locale.find('-'));
}

std::string digits_of(std::string_view text) {
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), is_digit);
    return out;
}

std::vector<number> phones_in(std::string_view text) {
    auto out = numbers_in(text);
    std::erase_if(out, [&](const number& n) { return !looks_like_a_phone(text, n); });
    return out;
}

std::vector<written_date> dates_in(std::string_view text) {
    std::vector<written_date> out;
    scanner s{text};
    char before = ' ';
    while (!s.rest.empty()) {
        const char now = s.rest.front();
        const bool begins = (is_digit(now) && !is_digit(before)) || (is_letter(now) && !is_letter(before));
        std::optional<written_date> found;
        for (const auto read : {east_asian, numeric, english}) {
            found = begins && !found ? read(s) : found;
        }
        if (found && found->month >= 1 && found->month <= 12 && found->day >= 1 && found->day <= 31) {
            out.push_back(*found);
        }
        before = now;
        if (!found) {
            s.rest.remove_prefix(1);
        }
    }
    return out;
}

bool same_day(const written_date& a, const written_date& b) noexcept {
    return a.month == b.month && a.day == b.day && (!a.year || !b.year || *a.year == *b.year);
}

std::string to_text(const written_date& d) {
    return d.year ? fmt::format("{}-{:02}-{:02}", *d.year, d.month, d.day) : fmt::format("{:02}-{:02}", d.month, d.day);
}

std::vector<sentence> sentences_in(std::string_view text) {
    std::vector<sentence> out;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto after = text.substr(i + 1);
        const bool stop =
            std::string_view{".!?"}.contains(text[i]) &&
            (after.empty() || after.starts_with(' ') || after.starts_with('\n') || after.starts_with('*'));
        const bool full_stop = text.substr(i).starts_with("。");
        if (stop || full_stop || (text[i] == '\n' && ends_at_line(after))) {
            const auto end = full_stop ? i + std::string_view{"。"}.size() : i + 1;
            out.push_back({begin, text.substr(begin, end - begin)});
            begin = end;
            i = end - 1;
        }
    }
    if (begin < text.size()) {
        out.push_back({begin, text.substr(begin)});
    }
    return out;
}

bool says_any(std::string_view text, const words_by_language& words, std::string_view language) {
    const auto known = words.find(language);
    return known != words.end() &&
           std::ranges::any_of(known->second, [&](const std::string& word) { return text.contains(word); });
}

std::set<std::string> items_in(std::string_view text, std::string_view language) {
    std::vector<std::pair<std::string_view, std::string_view>> words; // word, item
    for (const auto& [item, by_language] : built_in_rules().items) {
        if (const auto known = by_language.find(language); known != by_language.end()) {
            for (const auto& word : known->second) {
                words.emplace_back(word, item);
            }
        }
    }
    std::ranges::sort(words, [](const auto& a, const auto& b) {
        return std::tuple{b.first.size(), a} < std::tuple{a.first.size(), b};
    });
    std::string left{text};
    std::set<std::string> out;
    for (auto one = words.begin(); one != words.end();) { // those of one word are neighbours
        const auto word = one->first;
        const auto next = std::find_if(one, words.end(), [&](const auto& w) { return w.first != word; });
        for (auto at = left.find(word); at != left.npos; at = left.find(word, at)) {
            left.replace(at, word.size(), word.size(), '_');
            std::for_each(one, next, [&](const auto& w) { out.emplace(w.second); });
        }
        one = next;
    }
    return out;
}

} // namespace semel::notice
