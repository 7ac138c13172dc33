#pragma once
// How long a connection waits for a PostgreSQL that hangs, before it says so. What the DSN, the role, the database or
// postgresql.conf sets itself stands.

#include <chrono>
#include <string>

#include <pqxx/pqxx>

namespace semel::postgres {

struct limits {
    std::chrono::milliseconds statement{60'000}; ///< the server ends it: SQLSTATE 57014
    std::chrono::milliseconds lock{20'000};      ///< for one lock: SQLSTATE 55P03
    /// A transaction whose process stands still holds its locks for no longer: the server ends the connection.
    std::chrono::milliseconds idle_in_transaction{60'000};
    std::chrono::seconds connect{10};
    /// For a host that has gone without a word: what is sent must be acknowledged within this time, and where nothing
    /// is sent, it is asked whether it is still there.
    std::chrono::seconds silence{25};
};

/// The DSN, with what the client watches. A DSN that cannot be read is given back as it is: connecting says why.
std::string watched(const std::string& dsn, const limits&);
/// A value as it stands in such a string.
std::string quoted_value(const std::string&);
/// Tells the server what it shall watch, and to compile no statement (jit).
void impose(pqxx::connection&, const limits&);

} // namespace semel::postgres
