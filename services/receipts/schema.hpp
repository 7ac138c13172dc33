#pragma once
// The schema `receipts`; edge/index.hpp says what its tables are for.

#include <pqxx/pqxx>

namespace semel::receipts {

void migrate(pqxx::connection&);

} // namespace semel::receipts
