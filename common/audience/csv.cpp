#include "csv.hpp"

#include <array>

namespace semel::audience {
namespace {

// Bytes that mean something outside quotes; the rest is copied in runs.
constexpr auto special = [] {
    std::array<bool, 256> table{};
    for (const char c : {',', '"', '\r', '\n', '\0'}) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

} // namespace

csv_reader::csv_reader(byte_stream text, std::size_t longest_row_bytes)
    : text_source_(std::move(text))
    , longest_row_bytes_(longest_row_bytes) {}

void csv_reader::begin(csv_row& row) {
    text_.clear();
    ends_.clear();
    state_ = state::value_start;
    had_quote_ = false;
    size_ = 0;
    row.line = line_;
    row.unterminated = false;
    row.trouble.clear();
    row.trouble_value = 0;
}

void csv_reader::complain(csv_row& row, std::string_view why) {
    if (row.trouble.empty()) { // the first is the cause, the rest may follow from it
        row.trouble = why;
        row.trouble_value = ends_.size();
    }
}

void csv_reader::put(char c, csv_row& row) {
    if (c == '\0') {
        complain(row, "it has a NUL byte");
        return;
    }
    if (size_ <= longest_row_bytes_) {
        text_ += c;
    }
}

bool csv_reader::padding_before_quote() const noexcept {
    const auto value = std::string_view{text_}.substr(ends_.empty() ? 0 : ends_.back());
    return value.find_first_not_of(" \t") == std::string_view::npos;
}

void csv_reader::open_quote() {
    text_.resize(ends_.empty() ? 0 : ends_.back());
    state_ = state::quoted;
    had_quote_ = true;
    quote_line_ = line_;
}

bool csv_reader::take_unquoted(char c, csv_row& row) {
    if (c == ',') {
        end_value();
        state_ = state::value_start;
    } else if (c == '\n') {
        end_value();
        return true;
    } else if (c == '\r') {
        state_ = state::carriage_return;
    } else if (c == '"' && padding_before_quote()) {
        open_quote();
    } else {
        if (c == '"') {
            complain(row, "it has a quote inside a value that does not start with one: put the value in quotes and "
                          "double the quotes inside");
        }
        put(c, row);
    }
    return false;
}

bool csv_reader::take(char c, csv_row& row) {
    switch (state_) {
    case state::value_start:
        if (c == '"') {
            open_quote();
            return false;
        }
        state_ = state::unquoted;
        [[fallthrough]];
    case state::unquoted:
        return take_unquoted(c, row);
    case state::quoted:
        if (c == '"') {
            state_ = state::quote_seen;
        } else {
            put(c, row);
        }
        return false;
    case state::quote_seen:
        if (c == '"') {
            put(c, row);
            state_ = state::quoted;
            return false;
        }
        [[fallthrough]];
    case state::after_quote:
        if (c == ' ' || c == '\t') {
            state_ = state::after_quote;
            return false;
        }
        if (c != ',' && c != '\n' && c != '\r') {
            complain(row, "something follows the closing quote of a value: double the quotes inside a quoted value");
        }
        state_ = state::unquoted;
        return take(c, row);
    case state::carriage_return:
        if (c == '\n') {
            end_value();
            return true;
        }
        complain(row, "it has a carriage return without a line feed: save the file with LF or CRLF at the end of each "
                      "line");
        state_ = state::unquoted;
        return take(c, row);
    }
    return false;
}

bool csv_reader::finish(csv_row& row) {
    if (size_ > longest_row_bytes_) {
        row.trouble = "the row is longer than 256 KiB";
        row.trouble_value = ends_.size();
    }
    row.last_line = row.unterminated ? line_ : line_ - 1;
    row.end = position_;
    row.values.clear();
    std::size_t from = 0;
    for (const auto to : ends_) {
        row.values.emplace_back(text_.data() + from, to - from);
        from = to;
    }
    return true;
}

base::result<bool> csv_reader::next(csv_row& row) {
    begin(row);
    for (;;) {
        if (piece_.empty()) {
            const auto piece = text_source_();
            if (!piece) {
                return base::failed(piece.error());
            }
            piece_ = *piece;
            if (piece_.empty()) {
                break;
            }
        }
        if (state_ == state::unquoted || state_ == state::value_start) {
            std::size_t run = 0;
            while (run < piece_.size() && !special[static_cast<unsigned char>(piece_[run])]) {
                ++run;
            }
            if (run != 0) {
                state_ = state::unquoted;
                position_ += run;
                size_ += run;
                if (size_ <= longest_row_bytes_) {
                    text_.append(piece_.data(), run);
                }
                piece_.remove_prefix(run);
                continue;
            }
        }
        const char c = piece_.front();
        piece_.remove_prefix(1);
        ++position_;
        ++size_;
        const bool empty_before = blank();
        const bool complete = take(c, row);
        if (c == '\n') {
            ++line_;
        }
        if (!complete) {
            continue;
        }
        if (empty_before) {
            begin(row);
            continue;
        }
        return finish(row);
    }
    if (state_ == state::quoted) {
        return base::failed(base::fault::kind::malformed,
                            "line " + std::to_string(quote_line_) +
                                ": a quote is opened and never closed, so the file may be cut off: upload the whole "
                                "file, or close the quote");
    }
    if (blank()) {
        return false;
    }
    end_value();
    row.unterminated = true;
    return finish(row);
}

} // namespace semel::audience
