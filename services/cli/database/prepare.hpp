#pragma once
// A database as the services need it: all tables, and a role for each service that may do what it has to and no more.

#include <base/fault.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include <pqxx/pqxx>

namespace semel::cli::database {

/// deploy/postgres/rights.sql.
std::string_view rights();

/// As the tables' owner: makes what is missing, and gives the rights. Throws what PostgreSQL says.
void prepare(pqxx::connection& owner);

/// For the local stack: gives each user the password that the passfile has for it, and makes one where it has none.
base::result<void> give_passwords(pqxx::connection& owner, const std::map<std::string, std::string>& users,
                                  const std::filesystem::path& passfile);

} // namespace semel::cli::database
