#pragma once
// Rows of an audience file as recipients. Pure: the same bytes and terms give the same recipients and the same
// rejects, which is why intake may read a file as often as it likes. What happens to bad rows: docs/decisions/0005.

#include <audience/columns.hpp>
#include <audience/limits.hpp>
#include <audience/row.hpp>
#include <semel/v1/audience.pb.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace semel::audience {

enum class format : unsigned char { csv, ndjson };
std::optional<format> format_from(std::string_view name) noexcept;

/// What a campaign says about its audience.
struct terms {
    std::string default_region;             // ISO 3166 alpha-2
    std::vector<std::string> segment_names; // bit i of Recipient.segments is the ith
    std::vector<std::string> slot_names;    // columns to keep, beside those of the contract
    /// The notice's locale for the one wanted ("" when the file says nothing).
    std::function<std::string(std::string_view wanted)> locale;
    std::vector<base::channel> channels = {base::channel::email, base::channel::push, base::channel::sms};
    /// Somebody said that more than a tenth without a usable address is how it is.
    bool accept_unreachable = false;
    std::uint64_t most_rows = limits{}.rows;
    bool follow_up = false; // see for_follow_up()
    /// There is no notice yet: any segment may be one of its own. None is kept.
    bool any_segment = false;
};

/// Columns of a file that the api wrote for a follow-up: which person of the first campaign it is (hex), and the
/// Message-IDs of the mails that it got before, with blanks between. No file of people has them: a slot's name has no
/// dot.
inline constexpr std::string_view person_column = "semel.person", thread_column = "semel.thread";
/// The terms of such a file.
terms for_follow_up(terms);

/// As records list them.
std::vector<base::channel> channels_of(const google::protobuf::RepeatedField<int>&);

enum class effect : unsigned char {
    row_rejected,         ///< the row is not imported
    address_left_out,     ///< the row is imported without this address
    kept_without_address, ///< the same, and it was the last: the person is unreachable
};
std::string_view to_string(effect) noexcept;

/// A line of rejects.csv. Never holds a value of the row.
struct reject {
    std::uint64_t line = 0;
    std::string column; // empty: the row as a whole
    std::string reason;
    audience::effect effect = effect::row_rejected;
};
/// "line,column,reason,effect", and one such line with its line break.
std::string_view rejects_header() noexcept;
std::string to_csv(const reject&);

struct totals {
    std::uint64_t rows = 0;
    std::uint64_t rejected = 0;
    std::uint64_t left_out = 0;    // addresses
    std::uint64_t unreachable = 0; // rows kept although no channel of the campaign reaches anybody by them
    std::uint64_t not_utf8 = 0;    // rows, among the rejected
};

class importer {
  public:
    importer(byte_stream decoded, format, terms);
    ~importer();
    importer(importer&&) noexcept;

    enum class step : unsigned char { recipient, rejected, end };
    /// The next row. `out` is cleared first and complete only for step::recipient. A fault is about the whole file.
    base::result<step> next(v1::Recipient& out);
    /// Reads over the rows up to and including this one. Malformed: the file has fewer.
    base::result<void> skip_to(std::uint64_t row);

    /// Where the row just read begins.
    std::uint64_t line() const noexcept { return row_.line; }
    /// What was wrong with the row just read.
    const std::vector<reject>& rejects() const noexcept { return rejects_; }
    const audience::totals& totals() const noexcept { return totals_; }
    /// Position in the decoded stream after the row just read.
    std::uint64_t position() const noexcept { return row_.end; }
    /// Complete after the last row.
    const std::vector<column_use>& columns() const { return rows_->columns(); }
    std::string use_of(const column_use& c) const { return known_.use_of(c.place); }
    /// What the file's owner should look at, although nothing is refused for it. After the last row.
    std::vector<std::string> warnings() const;
    /// After the last row: malformed when the file as a whole cannot be what was meant. It has no row, or none that
    /// can be taken; it is in another encoding; nobody, or for more than a tenth nobody, could be told.
    base::result<void> judge_whole() const;

  private:
    void address_into(v1::Recipient& out, std::string_view value, column from, bool& given);
    // Each is false for a row that is rejected, and has complained.
    bool read_row(v1::Recipient& out);
    bool is_usable();
    bool read_segments(v1::Recipient& out);
    void read_texts(v1::Recipient& out);
    void read_origin(v1::Recipient& out);
    bool read_addresses(v1::Recipient& out);
    bool reject_row(column at, std::string reason);
    void complain(std::string_view column, std::string reason, effect);
    bool reaches(const v1::Recipient&) const;

    std::unique_ptr<row_reader> rows_;
    audience::terms terms_;
    known_columns known_;
    row row_;
    std::vector<reject> rejects_;
    std::optional<reject> first_rejected_, first_unreachable_; // the example that a fault about the whole file names
    audience::totals totals_;
    std::string locale_asked_; // the last question to terms_.locale, and its answer: mostly the same again
    std::string locale_answered_;
    bool locale_known_ = false;
};

} // namespace semel::audience
