#include "verification_code.hpp"

#include <crypto/keys.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace semel::correlation {

namespace {

using code = verification_code;

constexpr unsigned modulus = code::alphabet.size(); // a prime
constexpr unsigned misread = modulus;               // stands for a letter that no code has
static_assert(modulus == 31 && code::letters_in_all < modulus);

/// Of each letter its place in the alphabet.
using values = std::array<unsigned, code::letters_in_all>;

/// Both are 0 in a code: of the letters, and of the letters each times its place from 1.
struct sums {
    unsigned plain = 0, placed = 0;
    friend bool operator==(const sums&, const sums&) = default;
};
sums sums_of(const values& letters) {
    sums out;
    for (unsigned i = 0; i < letters.size(); ++i) {
        out.plain = (out.plain + letters[i]) % modulus;
        out.placed = (out.placed + (i + 1) * letters[i]) % modulus;
    }
    return out;
}

/// Of a code whose last two letters are still 0.
void add_check_letters(values& letters) {
    const auto [plain, placed] = sums_of(letters);
    // x + y = -plain and 11x + 12y = -placed
    const auto last = (11 * plain + (modulus - placed)) % modulus;
    letters[11] = last;
    letters[10] = (2 * modulus - plain - last) % modulus;
}

/// One letter that was misread follows from the others by the first sum, and the second says whether that is so.
bool mend(values& letters) {
    const auto unknown = std::ranges::count(letters, misread);
    if (unknown > 1) {
        return false;
    }
    if (unknown == 1) {
        auto& letter = *std::ranges::find(letters, misread);
        letter = 0;
        letter = (modulus - sums_of(letters).plain) % modulus;
    }
    return sums_of(letters) == sums{};
}

std::string text_of(const values& letters) {
    std::string out;
    std::ranges::transform(letters, std::back_inserter(out), [](unsigned value) { return code::alphabet[value]; });
    return out;
}

/// What stands between letters and means nothing, as UTF-8: blanks, dashes, and what is not even seen.
constexpr std::array<std::string_view, 24> separators{" ",      "\t",     "\r",     "\n",     "-",      ".",
                                                      "_",      "\u00a0", "\u00ad", "\u00b7", "\u2007", "\u200b",
                                                      "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015",
                                                      "\u202f", "\u2212", "\u3000", "\u30fb", "\ufeff", "\uff0d"};

bool take_separator(std::string_view& rest) {
    const auto* found = std::ranges::find_if(separators, [&](auto separator) { return rest.starts_with(separator); });
    if (found == separators.end()) {
        return false;
    }
    rest.remove_prefix(found->size());
    return true;
}

/// The next byte, or of a wide form (U+FF00 to U+FF7F, three bytes) the narrow one; as a capital.
char take_character(std::string_view& rest) {
    auto c = static_cast<unsigned char>(rest.front());
    if (rest.starts_with("\xef\xbc") || rest.starts_with("\xef\xbd")) {
        const auto block = rest[1] == '\xbc' ? 0x20U : 0x60U;
        const auto last = rest.size() > 2 ? static_cast<unsigned char>(rest[2]) : 0U;
        c = static_cast<unsigned char>(block + (last & 0x3fU));
        rest.remove_prefix(std::min<std::size_t>(rest.size(), 3));
    } else {
        rest.remove_prefix(1);
    }
    return static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

std::optional<unsigned> value_of(char c) {
    if (const auto at = code::alphabet.find(c); at != code::alphabet.npos) {
        return static_cast<unsigned>(at);
    }
    return std::string_view{"01ILO"}.contains(c) ? std::optional{misread} : std::nullopt;
}

std::optional<values> values_in(std::string_view typed) {
    values out{};
    std::size_t count = 0;
    while (!typed.empty()) {
        if (take_separator(typed)) {
            continue;
        }
        const auto value = value_of(take_character(typed));
        if (!value || count == out.size()) {
            return std::nullopt;
        }
        out[count++] = *value;
    }
    return count == out.size() ? std::optional{out} : std::nullopt;
}

} // namespace

verification_code verification_code::of(const crypto::campaign_key& key, const base::campaign_id& campaign,
                                        base::channel channel, std::string_view locale) {
    std::string named{base::to_string(channel)};
    named.append("|").append(locale);
    const auto hash = crypto::keyed_hash(key.verifying(), "notice|" + campaign.value(), named);
    std::uint64_t number = 0; // 31^10 is below 2^50: no letter is likelier than another by more than 2^-14
    for (std::size_t i = 0; i < sizeof number; ++i) {
        number = number << 8U | hash[i];
    }
    values letters{};
    for (std::size_t i = 0; i < secret_letters; ++i) {
        letters[i] = static_cast<unsigned>(number % modulus);
        number /= modulus;
    }
    add_check_letters(letters);
    return verification_code{text_of(letters)};
}

std::optional<verification_code> verification_code::read(std::string_view typed) {
    auto letters = values_in(typed);
    if (!letters || !mend(*letters)) {
        return std::nullopt;
    }
    return verification_code{text_of(*letters)};
}

std::string verification_code::grouped() const {
    std::string out;
    for (std::size_t i = 0; i < letters_.size(); i += letters_in_a_group) {
        out += (i == 0 ? "" : "-") + letters_.substr(i, letters_in_a_group);
    }
    return out;
}

} // namespace semel::correlation
