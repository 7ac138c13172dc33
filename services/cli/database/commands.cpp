#include "commands.hpp"

#include "prepare.hpp"

#include <postgres/outage.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>

namespace semel::cli::database {

namespace {

int run_prepare(const std::string& dsn) {
    try {
        pqxx::connection owner{dsn};
        prepare(owner);
    } catch (const std::exception& e) {
        fmt::print(stderr, "semel: the database cannot be prepared: {}\n", e.what());
        return postgres::outage_in(e) ? 3 : 1;
    }
    fmt::print("the tables are there, and the roles semel_api, semel_ledger and semel_receipts have their rights. Give "
               "each a password (ALTER ROLE semel_api PASSWORD '...'), in semel.yaml postgres.users, and in the "
               "passfile of its DSN\n");
    return 0;
}

} // namespace

void add_database_commands(CLI::App& program, int& exit_code) {
    auto* parent = program.add_subcommand("database", "Prepare a PostgreSQL that others run");
    parent->require_subcommand(1);
    auto dsn = std::make_shared<std::string>();
    auto* command = parent->add_subcommand("prepare", "Make the tables, and a role for each service with its rights");
    command->footer(
        "Example:\n  semel database prepare --dsn \"postgresql://owner@db.example.com/semel?passfile=owner.pass\""
        "\n\nRun it as the owner of the tables, before the first start and after each update. What it grants "
        "stands in\ndeploy/postgres/rights.sql.");
    command->add_option("--dsn", *dsn, "The database, as its owner; a libpq connection string")->required();
    command->callback([dsn, &exit_code] { exit_code = run_prepare(*dsn); });
    auto* sql = parent->add_subcommand("rights", "Print the SQL that gives the rights");
    sql->footer("Example:\n  semel database rights | less");
    sql->callback([&exit_code] {
        fmt::print("{}", rights());
        exit_code = 0;
    });
}

} // namespace semel::cli::database
