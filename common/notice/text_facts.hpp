#pragma once
// What a text says, as far as a machine can read it: its sentences, the telephone numbers and dates, and the kinds of
// data that it names. Made to be compared, never to be shown. Pure.

#include <notice/rules.hpp>

#include <compare>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

std::string_view language_of(std::string_view locale) noexcept;
std::string digits_of(std::string_view text);

/// A run of digits with the separators that people put into telephone numbers.
struct number {
    std::size_t at;
    std::string_view text;
};
/// Those that look like a telephone number: seven digits and more, or three or four after a word that says so. The text
/// in lower case.
std::vector<number> phones_in(std::string_view text);

/// A day as texts write it; the year is often left out.
struct written_date {
    int month = 0, day = 0;
    std::optional<int> year;
    auto operator<=>(const written_date&) const = default;
};
/// In Korean, Japanese, Chinese, English and ISO 8601. The text in lower case.
std::vector<written_date> dates_in(std::string_view text);
bool same_day(const written_date&, const written_date&) noexcept;
std::string to_text(const written_date&);

/// Up to a full stop, an empty line or the next item of a list.
struct sentence {
    std::size_t at;
    std::string_view text;
};
std::vector<sentence> sentences_in(std::string_view text);
bool says_any(std::string_view text, const words_by_language&, std::string_view language);

/// The kinds of data that a text names, of those that rules/items.yaml knows. The longest word wins: "email address" is
/// an email and not an address; a word of several items names each. The text in lower case.
std::set<std::string> items_in(std::string_view text, std::string_view language);

} // namespace semel::notice
