#pragma once
// Telling a PostgreSQL that cannot be used at the moment from a mistake of ours.

#include <exception>
#include <optional>
#include <string>

#include <pqxx/pqxx>

namespace semel::ledger {

/// What to tell the operator while waiting; nothing: waiting would not help.
inline std::optional<std::string> outage_in(const std::exception& e) {
    if (dynamic_cast<const pqxx::in_doubt_error*>(&e) != nullptr) {
        return "PostgreSQL broke off while it committed; what it has is looked up before going on";
    }
    if (dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr) {
        return "PostgreSQL cannot be reached";
    }
    const auto* failed = dynamic_cast<const pqxx::sql_error*>(&e);
    if (failed == nullptr) {
        return std::nullopt;
    }
    const auto state = failed->sqlstate();
    if (state == "53100") {
        return "the disk of PostgreSQL is full: make room, writing goes on by itself";
    }
    if (state.starts_with("53") || state.starts_with("58")) {
        return "PostgreSQL lacks a resource (SQLSTATE " + state + "): see its log, writing goes on by itself";
    }
    if (state.starts_with("57") || state.starts_with("08") || state == "25006") {
        return "PostgreSQL is starting, stopping or read-only (SQLSTATE " + state + ")";
    }
    if (state == "40001" || state == "40P01" || state == "55P03") {
        return "PostgreSQL let another transaction go first (SQLSTATE " + state + ")";
    }
    return std::nullopt;
}

} // namespace semel::ledger
