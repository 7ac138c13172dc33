#pragma once
// The api as its own role, which may do no more than it has to.

#include <ledger/schema.hpp>
#include <receipts/schema.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include <pqxx/pqxx>

namespace semel::api::test {

/// The tables of ledger and receipts beside the api's, and everybody's rights.
inline void make_all_tables(pqxx::connection& c) {
    ledger::migrate(c);
    receipts::migrate(c);
    std::ifstream in{"deploy/postgres/rights.sql"};
    pqxx::nontransaction{c}.exec(std::string{std::istreambuf_iterator<char>{in}, {}});
}

inline std::string as_own_role(const std::string& dsn) {
    return dsn + "&options=-c%20role%3Dsemel_api";
}

} // namespace semel::api::test
