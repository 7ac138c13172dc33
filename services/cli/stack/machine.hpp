#pragma once
// What the stack asks of the machine: processes, ports, health. Blocking.

#include <cli/stack/plan.hpp>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace semel::cli::stack {

struct ran {
    int exit_code = 0;
    std::string output; // standard output and error together
};
/// Runs a program to its end. A program that cannot be started has exit code 127.
ran run(const std::vector<std::string>& command);

/// The folders beside the running program: its own, and the nearest deploy/ above it.
base::result<programs> find_programs();

/// The process of run/NAME.pid, if it lives and belongs to this stack: a pid file may be older than the last boot.
std::optional<pid_t> pid_of(const folders&, const std::string& name);
std::optional<std::chrono::seconds> age_of(pid_t);
/// How often the supervisor has started a process of this name.
unsigned starts_of(const folders&, const std::string& name);

bool port_is_free(std::uint16_t port);
bool port_answers(std::uint16_t port);
bool socket_answers(const path& socket);

/// The port that a service wrote to run/NAME.port.
std::optional<std::uint16_t> admin_port_of(const folders&, const std::string& name);
struct health {
    bool ready = false;
    std::string reason; // what the service says, when it is not ready
};
health service_health(std::uint16_t admin_port);

/// Polls every 50 ms until `done` or the deadline; says which.
bool wait_for(std::chrono::milliseconds deadline, const std::function<bool()>& done);

base::result<std::string> read_file(const path&);
/// Written beside and renamed, mode 0600.
base::result<void> write_file(const path&, std::string_view text);
/// Root's: lets the services, which become `user` (run_as), read config/ and write run/ and data/. The folders stay
/// root's, and nobody can remove another's files in them. `broken` when there is no such user, or when it cannot reach
/// them.
base::result<void> open_to(const folders&, const std::string& user);
std::string last_lines(const path&, std::size_t lines);

/// Holds DIR's lock: one `up`, `down` or `scale` at a time.
class stack_lock {
  public:
    explicit stack_lock(const folders&);
    stack_lock(const stack_lock&) = delete;
    stack_lock& operator=(const stack_lock&) = delete;
    ~stack_lock();

  private:
    int file_;
};

} // namespace semel::cli::stack
