#include "text_table.hpp"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace semel::cli::campaign {
namespace {

/// The next character; a negative one for bytes that are not UTF-8.
UChar32 next_character(std::string_view text, std::size_t& at) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    auto i = static_cast<std::int64_t>(at);
    const auto size = static_cast<std::int64_t>(text.size());
    UChar32 c = 0;
    U8_NEXT(bytes, i, size, c);
    at = static_cast<std::size_t>(i);
    return c;
}

std::size_t width_of(UChar32 c) {
    const auto kind = u_charType(c);
    if (kind == U_NON_SPACING_MARK || kind == U_ENCLOSING_MARK || kind == U_FORMAT_CHAR) {
        return 0;
    }
    const auto east_asian = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return east_asian == U_EA_WIDE || east_asian == U_EA_FULLWIDTH ? 2 : 1;
}

std::string cleaned(std::string_view text, bool keep_lines) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto from = at;
        const auto c = next_character(text, at);
        // Format characters too: a bidirectional override makes a terminal show another text than the one sent.
        const bool unsafe = c < 0 || u_charType(c) == U_CONTROL_CHAR || u_charType(c) == U_FORMAT_CHAR;
        if (!unsafe || (keep_lines && (c == '\n' || c == '\t'))) {
            out += text.substr(from, at - from);
        } else if (!(keep_lines && c == '\r')) {
            out += '?';
        }
    }
    return out;
}

} // namespace

std::string with_separators(std::int64_t number) {
    auto digits = std::to_string(number);
    const auto first = digits.starts_with('-') ? 1 : 0;
    for (auto at = static_cast<std::int64_t>(digits.size()) - 3; at > first; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return digits;
}

std::string rate_text(double per_second) {
    if (per_second > 0 && per_second < 9.95) {
        return fmt::format("{:.1f}", per_second);
    }
    return with_separators(std::llround(per_second));
}

std::string share_text(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? "-" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string one_line(std::string_view text) {
    return cleaned(text, false);
}

std::string printable(std::string_view text) {
    return cleaned(text, true);
}

std::size_t display_width(std::string_view utf8) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < utf8.size();) {
        width += width_of(next_character(utf8, at));
    }
    return width;
}

std::string fit(std::string_view line, std::size_t columns) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < line.size();) {
        const auto from = at;
        width += width_of(next_character(line, at));
        if (width > columns) {
            return std::string{line.substr(0, from)};
        }
    }
    return std::string{line};
}

text_table::text_table(std::vector<column> columns)
    : columns_(std::move(columns)) {}

text_table& text_table::add(std::vector<std::string> cells) {
    if (cells.size() != columns_.size()) {
        throw std::logic_error{"a row of a table has another number of cells than the table has columns"};
    }
    for (auto& cell : cells) {
        cell = one_line(cell);
    }
    rows_.push_back(std::move(cells));
    return *this;
}

std::string text_table::to_string() const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        auto width = display_width(columns_[i].title);
        for (const auto& row : rows_) {
            width = std::max(width, display_width(row[i]));
        }
        widths.push_back(width);
    }
    std::string out;
    const auto line = [&](const auto& cell_of) {
        std::string text;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const std::string& cell = cell_of(i);
            const std::string space(widths[i] - display_width(cell), ' ');
            text += i == 0 ? "" : "  ";
            text += columns_[i].align == align::right ? space + cell : cell + space;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out += text + '\n';
    };
    line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
    for (const auto& row : rows_) {
        line([&](std::size_t i) -> const std::string& { return row[i]; });
    }
    return out;
}

} // namespace semel::cli::campaign
