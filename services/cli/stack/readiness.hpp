#pragma once
// What of a stack runs and is ready, and waiting for it.

#include <base/fault.hpp>

#include <cli/stack/machine.hpp>
#include <cli/stack/plan.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::cli::stack {

/// Progress, on standard error.
template <class... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
    fmt::print(stderr, text, std::forward<Args>(args)...);
    std::fputc('\n', stderr);
}

struct stack_state {
    folders at;
    programs where;
    config::settings settings;
    servers ports;
    process_counts counts;
    bool sim = false;

    std::vector<process> wanted() const { return processes(at, where, ports, counts, sim); }
};

bool supervised(const folders&);
/// Everything that should run does, and is ready.
bool everything_ready(const stack_state&);
/// Waits for processes, telling of each as it becomes ready; of one service only, if it is named.
base::result<void> await_ready(const stack_state&, group wanted, std::chrono::milliseconds deadline,
                               std::string_view service = {});
void print_processes(const stack_state&, bool json);

} // namespace semel::cli::stack
