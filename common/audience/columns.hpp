#pragma once
// What the columns of a file mean. People cannot choose how a tool spells the columns of its file. A column that is
// passed over without a word is people who are not told. Pure.

#include <audience/row.hpp>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semel::audience {

/// Where the values of a column go in row::values.
inline constexpr std::size_t unused = static_cast<std::size_t>(-1);
/// Of a nameless column at the end of the header: a separator too many.
inline constexpr std::size_t nameless = unused - 1;

/// `doubtful`: a usual name, but one that may stand beside the column that is really meant ("user id").
struct meaning {
    std::size_t place = unused;
    bool doubtful = false;
};

class known_columns {
  public:
    explicit known_columns(std::span<const std::string> slots);

    /// Our own names and the slots' as they are, then any usual spelling of either.
    meaning of(std::string_view name) const;
    /// The column that an unused name may be a slip of; empty: none is near.
    std::string nearest(std::string_view name) const;
    /// "email", "slot order_count", "unused".
    std::string use_of(std::size_t place) const;
    std::size_t count() const noexcept { return col_count + slots_.size(); }

  private:
    std::string_view name_of(std::size_t place) const;

    std::vector<std::string> slots_;
    std::map<std::string, std::size_t, std::less<>> folded_slots_;
};

/// Where each column of a CSV header goes. The names are trimmed. Refuses a header without recipient_id and one in
/// which two columns mean the same. What it says never quotes a file that may have no header, and so begin with a
/// person.
base::result<std::vector<std::size_t>> read_header(std::span<const std::string_view> names, const known_columns&);

/// Whether a name may be repeated in a warning: it looks like a column's name and not like somebody's address.
bool may_be_quoted(std::string_view name);

/// What people should know of the columns before they rely on the file: unused ones, and channels without a column.
std::vector<std::string> warnings_about(std::span<const column_use>, const known_columns&,
                                        std::span<const base::channel>);
/// Refuses a file in which none of the channels has its column.
base::result<void> need_addresses(std::span<const column_use>, std::span<const base::channel>);

} // namespace semel::audience
