#include "columns.hpp"
#include "csv.hpp"
#include "row.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <unicode/unicode.hpp>

#include <algorithm>
#include <map>
#include <optional>

namespace semel::audience {
namespace {

constexpr std::string_view encoding_advice = "save or convert it as UTF-8 (iconv -f CP949 -t UTF-8, for instance)";

auto refused(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

/// How the columns of a file with a header are told of.
std::vector<column_use> uses_of(std::span<const std::string> names, std::span<const std::size_t> places) {
    std::vector<column_use> out;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (places[i] != nameless) {
            const bool quotable = may_be_quoted(names[i]);
            out.push_back({quotable ? names[i] : fmt::format("column {}", i + 1), places[i]});
        }
    }
    return out;
}

class csv_rows final : public row_reader {
  public:
    csv_rows(byte_stream text, std::span<const std::string> slots)
        : csv_(std::move(text), longest_row_bytes)
        , known_(slots) {}

    base::result<bool> next(row& out) override {
        if (names_.empty()) {
            if (auto ok = take_header(); !ok) {
                return base::failed(std::move(ok.error()));
            }
        }
        const auto more = csv_.next(raw_);
        if (!more || !*more) {
            return more;
        }
        out.line = raw_.line;
        out.end = raw_.end;
        out.unterminated = raw_.unterminated;
        out.not_utf8 = false;
        out.trouble.clear();
        out.trouble_column.clear();
        out.values.assign(known_.count(), {});
        if (!raw_.trouble.empty()) {
            out.trouble = raw_.trouble;
            out.trouble_column = raw_.trouble_value < names_.size() ? names_[raw_.trouble_value] : "";
        } else if (raw_.values.size() != places_.size()) {
            out.trouble = fmt::format("the row has {} values, the header has {}", raw_.values.size(), places_.size());
        } else {
            take_values(out);
        }
        if (raw_.last_line != raw_.line) {
            if (auto fault = look_at_lines(out.trouble); !fault.empty()) {
                return refused(std::move(fault));
            }
        }
        return true;
    }

    const std::vector<column_use>& columns() const override { return columns_; }
    bool has_header() const override { return true; }
    long_rows over_lines() const override { return over_lines_; }

  private:
    // What a header complains about is never quoted from the file: a file without a header starts with a person.
    base::result<void> take_header() {
        const auto some = csv_.next(raw_);
        if (!some) {
            return base::failed(some.error());
        }
        if (!*some) {
            return refused("the file is empty: its first line must name the columns, recipient_id among them");
        }
        if (!raw_.trouble.empty()) {
            return refused(fmt::format("line {}, column {}: the header cannot be read: {}", raw_.line,
                                       raw_.trouble_value + 1, raw_.trouble));
        }
        // Each is compared with each, and each is told of.
        if (raw_.values.size() > most_columns) {
            return refused(
                fmt::format("line 1: the header has {} columns, at most {} can be read: leave out those that "
                            "nobody needs",
                            raw_.values.size(), most_columns));
        }
        for (std::size_t i = 0; i < raw_.values.size(); ++i) {
            auto& name = raw_.values[i];
            if (!simdjson::validate_utf8(name.data(), name.size())) {
                return refused(fmt::format("line 1, column {}: the header is not UTF-8: {}", i + 1, encoding_advice));
            }
            name = unicode::trimmed(name);
        }
        auto places = read_header(raw_.values, known_);
        if (!places) {
            return base::failed(std::move(places.error()));
        }
        places_ = std::move(*places);
        names_.assign(raw_.values.begin(), raw_.values.end());
        columns_ = uses_of(names_, places_);
        return {};
    }

    void take_values(row& out) {
        for (std::size_t i = 0; i < places_.size(); ++i) {
            auto value = raw_.values[i];
            if (!simdjson::validate_utf8(value.data(), value.size())) {
                out.trouble = "it is not UTF-8";
                out.trouble_column = names_[i];
                out.not_utf8 = true;
                return;
            }
            value = unicode::trimmed(value);
            if (places_[i] == nameless && !value.empty()) {
                out.trouble = fmt::format("a value stands in column {}, which the header does not name", i + 1);
                return;
            }
            if (places_[i] < out.values.size()) {
                out.values[places_[i]] = value;
            }
        }
    }

    /// What is wrong with a row that takes several lines; empty: it may well be meant. A quote too many makes one row
    /// out of all rows up to the next quote, and these people would be missing without a trace.
    std::string look_at_lines(const std::string& trouble) {
        const auto lines =
            fmt::format("lines {} to {} are one row, because a quote is opened there and ", raw_.line, raw_.last_line);
        constexpr auto mend = "close it, or double it where it is meant as a letter, and upload the file again";
        if (!trouble.empty()) {
            return fmt::format("{}closed much later, and that row is not in order ({}): {}", lines, trouble, mend);
        }
        if (raw_.last_line - raw_.line > most_line_breaks) {
            return fmt::format("{}not closed for more than {} lines: {}", lines, most_line_breaks, mend);
        }
        for (std::size_t i = 0; i < places_.size(); ++i) {
            const auto value = raw_.values[i];
            if (places_[i] < col_count && value.contains('\n') && value.contains(',')) {
                return fmt::format("{}closed on another line, with commas between ({}): {}", lines,
                                   column_names[places_[i]], mend);
            }
        }
        if (over_lines_.count++ == 0) {
            over_lines_.first_line = raw_.line;
            over_lines_.last_line = raw_.last_line;
        }
        return {};
    }

    static constexpr std::size_t most_columns = 1'000;

    csv_reader csv_;
    known_columns known_;
    csv_row raw_;
    std::vector<std::string> names_;
    std::vector<std::size_t> places_;
    std::vector<column_use> columns_;
    long_rows over_lines_;
};

/// Lines of a stream, bounded; a longer one is cut and said so.
class line_reader {
  public:
    explicit line_reader(byte_stream text)
        : text_(std::move(text)) {}

    /// False at the end. The line is in buffer(), without its line break.
    base::result<bool> next() {
        buffer_.clear();
        too_long = false;
        unterminated = false;
        for (;;) {
            if (piece_.empty()) {
                const auto piece = text_();
                if (!piece) {
                    return base::failed(piece.error());
                }
                piece_ = *piece;
                if (piece_.empty()) {
                    unterminated = true;
                    return !buffer_.empty() || too_long;
                }
            }
            const auto at = piece_.find('\n');
            const auto part = piece_.substr(0, at);
            position += part.size() + (at == std::string_view::npos ? 0 : 1);
            if (buffer_.size() + part.size() > longest_row_bytes) {
                too_long = true;
            } else {
                buffer_ += part;
            }
            piece_.remove_prefix(at == std::string_view::npos ? piece_.size() : at + 1);
            if (at != std::string_view::npos) {
                ++line;
                return true;
            }
        }
    }
    std::string& buffer() { return buffer_; }

    std::uint64_t line = 0; // complete lines so far
    std::uint64_t position = 0;
    bool too_long = false;
    bool unterminated = false;

  private:
    byte_stream text_;
    std::string_view piece_;
    std::string buffer_;
};

class ndjson_rows final : public row_reader {
  public:
    ndjson_rows(byte_stream text, std::span<const std::string> slots)
        : lines_(std::move(text))
        , known_(slots) {
        // Deeper than any value we take, shallow enough for any stack.
        if (parser_.allocate(longest_row_bytes, 16) != simdjson::SUCCESS) {
            throw std::bad_alloc{};
        }
    }

    base::result<bool> next(row& out) override {
        for (;;) {
            const auto more = lines_.next();
            if (!more || !*more) {
                return more;
            }
            if (lines_.too_long || lines_.buffer().find_first_not_of(" \t\r") != std::string::npos) {
                break;
            }
        }
        out.line = lines_.line + (lines_.unterminated ? 1 : 0);
        out.end = lines_.position;
        out.unterminated = false; // the closing brace says that it is whole
        out.not_utf8 = false;
        out.trouble.clear();
        out.trouble_column.clear();
        out.values.assign(known_.count(), {});
        texts_.clear();
        read(out);
        if (!out.trouble.empty() && lines_.unterminated) {
            return refused(fmt::format("line {}: the last line is not a whole JSON object, so the file may be cut off: "
                                       "upload the whole file",
                                       out.line));
        }
        if (first_ && not_an_object_) {
            return refused(
                fmt::format("line {}: this is not a JSON object: NDJSON has one {{...}} a line (for a CSV file "
                            "say --format csv)",
                            out.line));
        }
        first_ = false;
        return true;
    }

    const std::vector<column_use>& columns() const override { return columns_; }
    bool has_header() const override { return false; }

  private:
    void read(row& out) {
        not_an_object_ = false;
        if (lines_.too_long) {
            out.trouble = "the row is longer than 256 KiB";
            return;
        }
        auto& text = lines_.buffer();
        const auto size = text.size();
        text.reserve(size + simdjson::SIMDJSON_PADDING);
        simdjson::dom::object object;
        const auto error = parser_.parse(text.data(), size, false).get(object);
        if (error != simdjson::SUCCESS) {
            not_an_object_ = error != simdjson::UTF8_ERROR;
            out.not_utf8 = error == simdjson::UTF8_ERROR;
            out.trouble = out.not_utf8                        ? "it is not UTF-8"
                          : error == simdjson::DEPTH_ERROR    ? "it is nested too deeply"
                          : error == simdjson::INCORRECT_TYPE ? "it is not a JSON object"
                          : error == simdjson::NUMBER_ERROR   ? "it has a number that cannot be read: put it in quotes"
                                                              : "it is not valid JSON";
            return;
        }
        if (object.size() > most_keys) {
            out.trouble = "it has more than 1,000 keys";
            return;
        }
        keys_.clear();
        taken_.assign(known_.count(), {});
        for (const auto [key, value] : object) {
            const auto what = meaning_of(key);
            if (std::ranges::find(keys_, key) != keys_.end()) {
                out.trouble = "it has this key twice";
                out.trouble_column = what.place == unused ? "" : std::string{key};
                return;
            }
            keys_.push_back(key);
            if (what.place != unused && !take(out, what, value)) {
                out.trouble_column = std::string{key};
                return;
            }
        }
    }

    struct taken {
        bool any = false, doubtful = false;
    };

    /// A key that is spelled in two ways in one object is one person's two addresses: which is meant nobody can say.
    bool take(row& out, meaning what, simdjson::dom::element value) {
        auto text = text_of(value, what.place == col_push || what.place == col_segments);
        if (!text) {
            out.trouble = "the value must be a text or an integer";
            return false;
        }
        text = unicode::trimmed(*text);
        auto& before = taken_[what.place];
        if (text->empty() || (before.any && what.doubtful && !before.doubtful)) {
            return true;
        }
        if (before.any && before.doubtful == what.doubtful) {
            out.trouble = fmt::format("it has {} under two names", known_.use_of(what.place));
            return false;
        }
        before = {.any = true, .doubtful = what.doubtful};
        out.values[what.place] = *text;
        return true;
    }

    /// Mostly the keys of the row before.
    meaning meaning_of(std::string_view key) {
        if (const auto found = meanings_.find(key); found != meanings_.end()) {
            return found->second;
        }
        const auto what = known_.of(unicode::trimmed(key));
        if (meanings_.size() < most_keys) {
            meanings_.emplace(key, what);
            const bool told = columns_.size() < most_told || what.place != unused;
            if (told && may_be_quoted(key)) {
                columns_.push_back({std::string{key}, what.place});
            }
        }
        return what;
    }

    std::optional<std::string_view> text_of(simdjson::dom::element value, bool array_allowed) {
        switch (value.type()) {
        case simdjson::dom::element_type::STRING:
            return value.get_string().value_unsafe();
        case simdjson::dom::element_type::NULL_VALUE:
            return std::string_view{};
        case simdjson::dom::element_type::INT64:
            return keep(std::to_string(value.get_int64().value_unsafe()));
        case simdjson::dom::element_type::UINT64:
            return keep(std::to_string(value.get_uint64().value_unsafe()));
        case simdjson::dom::element_type::ARRAY: {
            if (!array_allowed) {
                return std::nullopt;
            }
            std::string joined;
            for (const auto item : value.get_array().value_unsafe()) {
                std::string_view text;
                if (item.get(text) != simdjson::SUCCESS) {
                    return std::nullopt;
                }
                joined += joined.empty() ? "" : ";";
                joined += text;
            }
            return keep(std::move(joined));
        }
        default:
            return std::nullopt;
        }
    }
    std::string_view keep(std::string text) {
        return *texts_.emplace_back(std::make_unique<std::string>(std::move(text)));
    }

    static constexpr std::size_t most_keys = 1'000;
    static constexpr std::size_t most_told = 200;

    line_reader lines_;
    known_columns known_;
    std::map<std::string, meaning, std::less<>> meanings_;
    std::vector<column_use> columns_;
    std::vector<taken> taken_;
    simdjson::dom::parser parser_{longest_row_bytes};
    std::vector<std::string_view> keys_;
    std::vector<std::unique_ptr<std::string>> texts_; // what the parser does not hold as text
    bool first_ = true;
    bool not_an_object_ = false;
};

/// The first bytes decide; everything after passes through.
struct utf8_stream {
    byte_stream source;
    std::string head;
    bool started = false;

    base::result<std::string_view> operator()() {
        if (started) {
            return source();
        }
        started = true;
        while (head.size() < 4) {
            const auto piece = source();
            if (!piece) {
                return piece;
            }
            if (piece->empty()) {
                break;
            }
            head += *piece;
        }
        const std::string_view text{head};
        const bool marked = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
        if (marked || (text.size() >= 2 && (text[0] == '\0' || text[1] == '\0'))) {
            return refused(fmt::format("the file is UTF-16 or UTF-32: {}", encoding_advice));
        }
        if (text.starts_with("\xef\xbb\xbf")) {
            return text.size() == 3 ? source() : text.substr(3);
        }
        return text;
    }
};

} // namespace

byte_stream as_utf8(byte_stream decoded) {
    return utf8_stream{std::move(decoded), {}, false};
}

std::unique_ptr<row_reader> make_csv_reader(byte_stream decoded, std::span<const std::string> slots) {
    return std::make_unique<csv_rows>(as_utf8(std::move(decoded)), slots);
}

std::unique_ptr<row_reader> make_ndjson_reader(byte_stream decoded, std::span<const std::string> slots) {
    return std::make_unique<ndjson_rows>(as_utf8(std::move(decoded)), slots);
}

} // namespace semel::audience
