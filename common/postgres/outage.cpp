#include "outage.hpp"

#include <pqxx/pqxx>

namespace semel::postgres {

// The classes of SQLSTATE: PostgreSQL's manual, appendix A.
std::optional<outage> outage_in(const std::exception& e) {
    using enum outage::kind;
    if (dynamic_cast<const pqxx::in_doubt_error*>(&e) != nullptr) {
        return outage{commit_in_doubt, "PostgreSQL broke off while it committed"};
    }
    if (dynamic_cast<const pqxx::broken_connection*>(&e) != nullptr) {
        return outage{unreachable, "PostgreSQL cannot be reached"};
    }
    const auto* failed = dynamic_cast<const pqxx::sql_error*>(&e);
    if (failed == nullptr) {
        return std::nullopt;
    }
    const auto state = failed->sqlstate();
    const auto with_state = [&](const char* words) { return std::string{words} + " (SQLSTATE " + state + ")"; };
    if (state == "53100") {
        return outage{disk_full, "the disk of PostgreSQL is full"};
    }
    if (state == "57014" || state == "25P03") {
        return outage{slow, with_state("PostgreSQL did not answer within its limit of time")};
    }
    if (state.starts_with("53") || state.starts_with("58")) {
        return outage{short_of_something, with_state("PostgreSQL lacks a resource")};
    }
    if (state.starts_with("57") || state.starts_with("08") || state == "25006") {
        return outage{stopping, with_state("PostgreSQL is starting, stopping or read-only")};
    }
    if (state == "55P03") {
        return outage{contended, with_state("PostgreSQL lets a statement wait for a lock for too long")};
    }
    if (state == "40001" || state == "40P01") {
        return outage{contended, with_state("PostgreSQL let another transaction go first")};
    }
    if (state == "3F000" || state == "42P01" || state == "42883") {
        return outage{no_such_table, with_state("PostgreSQL has not all of Semel's tables and functions")};
    }
    return std::nullopt;
}

std::string_view advice_on(outage::kind what) noexcept {
    using enum outage::kind;
    switch (what) {
    case commit_in_doubt:
        return "; what it has is looked up before going on";
    case disk_full:
        return ": make room, work goes on by itself";
    case short_of_something:
        return ": see its log, work goes on by itself";
    case unreachable:
    case stopping:
    case slow:
    case contended:
    case no_such_table:
        return {};
    }
    return {};
}

} // namespace semel::postgres
