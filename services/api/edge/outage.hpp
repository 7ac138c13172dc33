#pragma once
// Telling a PostgreSQL that cannot be used at the moment from everything else that libpqxx throws.

#include <optional>
#include <stdexcept>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

struct outage {
    std::string what; // for the user
    std::string hint; // what to do
};

/// Nothing: a mistake of ours. Call with what was caught.
inline std::optional<outage> outage_in(const std::exception& e) {
    if (dynamic_cast<const pqxx::in_doubt_error*>(&e) != nullptr) {
        return outage{.what = "PostgreSQL broke off while it committed: nobody knows whether this was done",
                      .hint = "look first: `semel campaign show ID`; then repeat it if need be"};
    }
    if (dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr) {
        return outage{.what = "PostgreSQL cannot be reached",
                      .hint = "nothing was changed; try again, and see `semel ps`"};
    }
    const auto* failed = dynamic_cast<const pqxx::sql_error*>(&e);
    if (failed == nullptr) {
        return std::nullopt;
    }
    const auto state = failed->sqlstate();
    if (state.starts_with("57P") || state.starts_with("08") || state.starts_with("53")) { // stopped, cut off, full
        return outage{.what = "PostgreSQL is not available",
                      .hint = "nothing was changed; try again, and see `semel ps`"};
    }
    if (state == "3F000" || state == "42P01" || state == "42883") { // no such schema, table, function
        return outage{.what = "the records are not there yet: the ledger makes its tables when it starts",
                      .hint = "see with `semel ps` whether the ledger runs"};
    }
    return std::nullopt;
}

} // namespace semel::api
