#pragma once
// Telling a PostgreSQL that cannot be used at the moment from a mistake of ours. Pure.

#include <exception>
#include <optional>
#include <string>
#include <string_view>

namespace semel::postgres {

struct outage {
    enum class kind {
        commit_in_doubt, ///< cut off while committing: look up what is there before going on
        unreachable,
        stopping, ///< or starting, or read-only
        disk_full,
        short_of_something, ///< memory, connections, files
        slow,               ///< a statement or an idle transaction took longer than its limit: it may hang
        contended,          ///< another transaction went first; doing it again helps
        no_such_table,      ///< nor schema, nor function: whoever makes them has not run yet
    };
    kind what;
    std::string words; ///< one clause for people
};

/// Nothing: waiting would not help. Call with what was caught.
std::optional<outage> outage_in(const std::exception&);

/// What an operator may do about it, to follow its words; empty where that is nothing.
std::string_view advice_on(outage::kind) noexcept;

} // namespace semel::postgres
