#pragma once
// One row of an audience file, as the two formats have it in common. Pure.

#include <audience/stream.hpp>
#include <base/ids.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semel::audience {

/// A row longer than this is rejected: with 500 rows a chunk it would not fit a Kafka record.
inline constexpr std::size_t longest_row_bytes = std::size_t{256} * 1024;

/// A row may run over this many line breaks, all inside quotes. Where there are more, a quote is missing.
inline constexpr std::uint64_t most_line_breaks = 20;

/// The columns that mean something by themselves (columns.cpp has their spellings); any other is a slot.
enum column : std::size_t {
    col_id,
    col_email,
    col_phone,
    col_push,
    col_locale,
    col_name,
    col_country,
    col_segments,
    col_count
};
inline constexpr std::string_view column_names[col_count] = {"recipient_id", "email", "phone",   "push",
                                                             "locale",       "name",  "country", "segments"};

struct row {
    std::uint64_t line = 0;    // of its first byte, from 1
    std::uint64_t end = 0;     // position in the decoded stream after it
    bool unterminated = false; // the file ended before a line break
    bool not_utf8 = false;
    /// By `column`, then by the slots asked for, without blanks at either end; empty: not there. Valid until the next
    /// row.
    std::vector<std::string_view> values;
    std::string trouble;        // why the row cannot be read; empty: it can
    std::string trouble_column; // where, if that is known
};

/// A column of the file, or a key of its objects. Nothing that is not a column's name gets in here.
struct column_use {
    std::string name;
    std::size_t place = 0; // in row::values, or `unused`
};

/// Rows of one file. A fault (malformed) is about the whole file: its text names the line and says what to do.
class row_reader {
  public:
    virtual ~row_reader() = default;
    /// False at the end.
    virtual base::result<bool> next(row&) = 0;
    /// Known after the first row; of NDJSON, those of the rows so far.
    virtual const std::vector<column_use>& columns() const = 0;
    /// Whether columns() has them all.
    virtual bool has_header() const = 0;
    /// Rows so far that run over several lines, and the first of them.
    struct long_rows {
        std::uint64_t count = 0;
        std::uint64_t first_line = 0;
        std::uint64_t last_line = 0;
    };
    virtual long_rows over_lines() const { return {}; }
};

/// RFC 4180 with CRLF or LF, UTF-8 with or without BOM. The first row names the columns, spelled as people do
/// (columns.hpp). A row that runs over lines and is not in order is a fault: rows may be hidden in it.
std::unique_ptr<row_reader> make_csv_reader(byte_stream decoded, std::span<const std::string> slots);
/// One JSON object a line. Values are strings or integers (taken as text); `push` and `segments` may be arrays of
/// strings.
std::unique_ptr<row_reader> make_ndjson_reader(byte_stream decoded, std::span<const std::string> slots);

/// The same bytes without a UTF-8 byte order mark; another encoding's mark is a fault.
byte_stream as_utf8(byte_stream decoded);

} // namespace semel::audience
