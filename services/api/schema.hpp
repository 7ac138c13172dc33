#pragma once
// The schema `api`; edge/store.hpp says what its tables are for.

#include <pqxx/pqxx>

namespace semel::api::store {

void migrate(pqxx::connection&);

} // namespace semel::api::store
