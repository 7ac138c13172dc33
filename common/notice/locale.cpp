#include "locale.hpp"

#include <algorithm>
#include <cstddef>

namespace semel::notice {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
char upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

bool is_alpha(char c) noexcept {
    return lower(c) >= 'a' && lower(c) <= 'z';
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) noexcept {
    return is_alpha(c) || is_digit(c);
}

/// The subtags of a tag, taken one after the other.
class subtags {
  public:
    explicit subtags(std::string_view tag) noexcept
        : rest_(tag) {
        next();
    }
    bool done() const noexcept { return done_; }
    std::string_view front() const noexcept { return front_; }
    bool is(std::size_t least, std::size_t most, bool (*kind)(char) noexcept) const noexcept {
        return !done_ && front_.size() >= least && front_.size() <= most && std::ranges::all_of(front_, kind);
    }
    bool take(std::size_t least, std::size_t most, bool (*kind)(char) noexcept) noexcept {
        const bool fits = is(least, most, kind);
        if (fits) {
            next();
        }
        return fits;
    }
    void next() noexcept {
        done_ = at_end_;
        const auto end = std::min(rest_.find('-'), rest_.size());
        front_ = rest_.substr(0, end);
        at_end_ = end == rest_.size();
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
    }

  private:
    std::string_view rest_;
    std::string_view front_;
    bool at_end_ = false;
    bool done_ = false;
};

bool take_variant(subtags& s) noexcept {
    return s.take(5, 8, is_alphanumeric) ||
           (s.is(4, 4, is_alphanumeric) && is_digit(s.front().front()) && s.take(4, 4, is_alphanumeric));
}

/// A singleton and what belongs to it; `x` stands for private use, whose subtags may be of one character.
bool take_extension(subtags& s) noexcept {
    const bool is_private = lower(s.front().front()) == 'x';
    s.next();
    bool any = false;
    while (s.take(is_private ? 1 : 2, 8, is_alphanumeric)) {
        any = true;
    }
    return any && (!is_private || s.done());
}

} // namespace

bool is_locale(std::string_view tag) noexcept {
    constexpr std::size_t longest = 35;
    subtags s{tag};
    if (tag.size() > longest || !s.is(2, 8, is_alpha)) {
        return false;
    }
    const bool may_extend = s.front().size() <= 3;
    s.next();
    for (int extended = 0; may_extend && extended < 3 && s.take(3, 3, is_alpha); ++extended) {
    }
    s.take(4, 4, is_alpha);
    if (!s.take(2, 2, is_alpha)) {
        s.take(3, 3, is_digit);
    }
    while (take_variant(s)) {
    }
    while (s.is(1, 1, is_alphanumeric)) {
        if (!take_extension(s)) {
            return false;
        }
    }
    return s.done();
}

std::string normal_locale(std::string_view tag) {
    std::string out;
    for (std::size_t at = 0; at <= tag.size();) {
        const auto end = std::min(tag.find_first_of("-_", at), tag.size());
        const auto part = tag.substr(at, end - at);
        const bool region = at != 0 && part.size() == 2;
        const bool script = at != 0 && part.size() == 4;
        if (at != 0) {
            out += '-';
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            out += region || (script && i == 0) ? upper(part[i]) : lower(part[i]);
        }
        at = end + 1;
    }
    return out;
}

std::string resolve_locale(std::string_view wanted, const std::vector<std::string>& locales,
                           const std::map<std::string, std::string>& fallback, std::string_view otherwise) {
    const auto has = [&](const std::string& locale) { return std::ranges::find(locales, locale) != locales.end(); };
    auto prefix = normal_locale(wanted);
    while (!prefix.empty()) {
        auto candidate = prefix;
        // A chain longer than the table goes in a circle.
        for (std::size_t steps = 0; steps <= fallback.size(); ++steps) {
            if (has(candidate)) {
                return candidate;
            }
            const auto next = fallback.find(candidate);
            if (next == fallback.end()) {
                break;
            }
            candidate = next->second;
        }
        const auto cut = prefix.rfind('-');
        prefix.resize(cut == std::string::npos ? 0 : cut);
    }
    return std::string{otherwise};
}

} // namespace semel::notice
