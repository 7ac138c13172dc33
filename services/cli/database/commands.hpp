#pragma once
// `semel database`: for PostgreSQL servers that others run. `semel up` prepares its own.

namespace CLI {
class App;
}

namespace semel::cli::database {

void add_database_commands(CLI::App& program, int& exit_code);

} // namespace semel::cli::database
