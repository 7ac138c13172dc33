#pragma once
// The local stack: Kafka, Redis, PostgreSQL and all services as processes of one supervisord, on loopback, with all
// that they write below one folder. For trying Semel out, for tests, and for an installation of one machine.
//
// Every function blocks, tells its progress on standard error and its answer on standard output, and returns the exit
// code of the contract: 0 done, 1 the configuration or the machine will not do, 3 something did not become reachable.
// Only one process at a time may change a stack: two at once wait for each other.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace semel::cli::stack {

struct stack_options {
    std::filesystem::path dir = ".semel";
    bool json = false; // the answer as one JSON document
};

struct up_options {
    stack_options at;
    /// Empty: DIR/config/semel.yaml, made on the first run. Otherwise DIR/config/semel.yaml is made from this file.
    std::filesystem::path config;
    bool sim = false;                       // the test gateways too
    std::optional<std::uint16_t> port_base; // first run only: PORT, PORT+1, ... instead of the usual ports
};

/// Starts what does not run and waits until all of it is ready. A stack that runs already is left alone.
int up(const up_options&);
/// Drains and stops every process of the stack; a stack that does not run is fine.
int down(const stack_options&);
/// Every process that should run, with its pid, readiness and age.
int ps(const stack_options&);
/// Runs `processes` of a service from now on; those beyond drain and go. Kept over down and up.
int scale(const stack_options&, const std::string& service, unsigned processes);

/// Adds `up`, `down`, `ps` and `scale` to the command line. The command that was given sets `exit_code`.
void add_stack_commands(CLI::App& app, int& exit_code);

} // namespace semel::cli::stack
