#pragma once
// RFC 4180 by itself, before any column has a meaning; blanks around a quoted value are taken for padding. Pure.

#include <audience/stream.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace semel::audience {

struct csv_row {
    std::uint64_t line = 0;
    std::uint64_t last_line = 0; // a quoted value may run over several
    std::uint64_t end = 0;
    bool unterminated = false;
    std::vector<std::string_view> values; // valid until the next row
    std::string trouble;                  // broken quoting, NUL, too long; empty: none
    std::size_t trouble_value = 0;        // index of the value where it is
};

class csv_reader {
  public:
    csv_reader(byte_stream text, std::size_t longest_row_bytes);
    /// False at the end; blank lines are passed over. Malformed: a quote that is never closed.
    base::result<bool> next(csv_row&);

  private:
    enum class state : unsigned char { value_start, unquoted, quoted, quote_seen, after_quote, carriage_return };

    void begin(csv_row&);
    bool take(char c, csv_row&); // true: the row is complete
    bool take_unquoted(char c, csv_row&);
    void put(char c, csv_row&);
    void end_value() { ends_.push_back(text_.size()); }
    void complain(csv_row&, std::string_view why);
    bool blank() const noexcept { return ends_.empty() && text_.empty() && !had_quote_; }
    bool padding_before_quote() const noexcept;
    void open_quote();
    bool finish(csv_row&);

    byte_stream text_source_;
    std::size_t longest_row_bytes_;
    std::string_view piece_;
    std::string text_;              // the row's values, one after the other
    std::vector<std::size_t> ends_; // where each ends in text_
    state state_ = state::value_start;
    bool had_quote_ = false;
    std::uint64_t size_ = 0; // bytes of the row so far
    std::uint64_t line_ = 1;
    std::uint64_t position_ = 0;
    std::uint64_t quote_line_ = 0; // where the open quote stands
};

} // namespace semel::audience
