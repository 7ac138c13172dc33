#pragma once
// The schema `ledger`: tables that only the ledger writes, functions that the api reads.

#include <pqxx/pqxx>

namespace semel::ledger {

/// Brings the database up to date. Safe when several do so at once.
void migrate(pqxx::connection&);

} // namespace semel::ledger
