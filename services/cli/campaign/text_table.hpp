#pragma once
// Text for people: aligned tables, numbers with separators. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace semel::cli::campaign {

/// "1,234,567"
std::string with_separators(std::int64_t number);
/// Up to one decimal below ten, none above: "0", "7.5", "1,200".
std::string rate_text(double per_second);
/// "12.3 %" of a whole; "-" of nothing.
std::string share_text(std::int64_t part, std::int64_t whole);

/// One line, safe for a terminal: whatever would move its cursor or change its colours becomes '?'.
std::string one_line(std::string_view text);
/// The same over several lines.
std::string printable(std::string_view text);
/// Columns that the text takes on a terminal: two for Hangul, Kanji and emoji, none for combining marks.
std::size_t display_width(std::string_view utf8);
/// Cut to so many columns.
std::string fit(std::string_view line, std::size_t columns);

class text_table {
  public:
    enum class align : unsigned char { left, right };
    struct column {
        std::string title;
        text_table::align align = text_table::align::left;
    };
    explicit text_table(std::vector<column> columns);

    /// One cell for each column.
    text_table& add(std::vector<std::string> cells);
    bool empty() const noexcept { return rows_.empty(); }
    /// Lines with line feeds and without spaces at their ends; two spaces between columns.
    std::string to_string() const;

  private:
    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace semel::cli::campaign
