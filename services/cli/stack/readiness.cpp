#include "readiness.hpp"

#include <http/json.hpp>

#include <cli/stack/backing.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>

namespace semel::cli::stack {

using namespace std::chrono_literals;
using base::failed;
using kind = base::fault::kind;

bool supervised(const folders& at) {
    return socket_answers(at.socket());
}

namespace {

bool backing_answers(const stack_state& s, std::string_view name) {
    return port_answers(name == "kafka" ? s.ports.kafka : name == "redis" ? s.ports.redis : s.ports.postgres);
}

/// Why a process is not ready; nothing when it is.
std::optional<std::string> unready(const stack_state& s, const process& p) {
    if (!pid_of(s.at, p.name) && p.group != group::gateways) {
        return "is not running";
    }
    switch (p.group) {
    case group::backing:
        return backing_answers(s, p.name) ? std::nullopt : std::optional<std::string>{"does not answer"};
    case group::gateways:
        for (const auto& l : gateway_listeners(s.settings)) {
            if (!port_answers(l.port)) {
                return fmt::format("does not listen on {}", l.port);
            }
        }
        return std::nullopt;
    case group::services:
        break;
    }
    const auto port = admin_port_of(s.at, p.name);
    if (!port) {
        return "has not said its port yet";
    }
    const auto now = service_health(*port);
    return now.ready ? std::nullopt : std::optional<std::string>{now.reason};
}

bool is_process_of(std::string_view name, std::string_view service) {
    return name.starts_with(service) && (name.size() == service.size() || name[service.size()] == '-');
}

struct awaited {
    process what;
    unsigned starts_before;
    std::string why; // it is not ready
};

/// It has ended twice since: waiting on would only hide its last words.
bool keeps_ending(const stack_state& s, const awaited& a) {
    return starts_of(s.at, a.what.name) > a.starts_before + 2;
}

base::fault not_ready(const stack_state& s, std::string why, const std::vector<awaited>& all) {
    for (const auto& a : all) {
        const auto log = s.at.log() / (a.what.name + ".log");
        why += fmt::format("\n  {} {}; the end of {}:\n{}", a.what.name, a.why, log.string(), last_lines(log, 5));
    }
    return {kind::unreachable, fmt::format("{}\n`semel down --dir {}` stops what runs", why, s.at.root.string())};
}

} // namespace

base::result<void> await_ready(const stack_state& s, group wanted, std::chrono::milliseconds deadline,
                               std::string_view service) {
    std::vector<awaited> waiting;
    for (const auto& p : s.wanted()) {
        if (p.group == wanted && (service.empty() || is_process_of(p.name, service))) {
            waiting.push_back({.what = p, .starts_before = starts_of(s.at, p.name), .why = ""});
        }
    }
    const auto begin = std::chrono::steady_clock::now();
    std::vector<awaited> ending;
    const bool decided = wait_for(deadline, [&] {
        std::erase_if(waiting, [&](awaited& a) {
            if (auto why = unready(s, a.what)) {
                a.why = *std::move(why);
                return false;
            }
            tell("  {:<10} ready after {:.1f} s", a.what.name,
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
            return true;
        });
        std::ranges::copy_if(waiting, std::back_inserter(ending), [&](const awaited& a) { return keeps_ending(s, a); });
        return waiting.empty() || !ending.empty();
    });
    if (!ending.empty()) {
        return failed(not_ready(s, "cannot start; it ends again and again:", ending));
    }
    if (!decided) {
        return failed(not_ready(
            s, fmt::format("not ready after {} s:", std::chrono::duration_cast<std::chrono::seconds>(deadline).count()),
            waiting));
    }
    return {};
}

bool everything_ready(const stack_state& s) {
    return supervised(s.at) &&
           std::ranges::none_of(s.wanted(), [&](const auto& p) { return unready(s, p).has_value(); });
}

void print_processes(const stack_state& s, bool as_json) {
    std::vector<std::string> rows;
    json::array all;
    for (const auto& p : s.wanted()) {
        const auto pid = pid_of(s.at, p.name);
        const auto age = pid ? age_of(*pid) : std::nullopt;
        const auto why = unready(s, p);
        if (as_json) {
            all.push_back({{"service", p.name},
                           {"pid", pid ? json::value(*pid) : json::value{}},
                           {"ready", !why},
                           {"uptime_s", age ? json::value(age->count()) : json::value{}}});
        } else {
            rows.push_back(fmt::format("{:<12} {:>8}  {:<6} {:>7}  {}", p.name, pid ? std::to_string(*pid) : "-",
                                       why ? "no" : "yes", age ? fmt::format("{} s", age->count()) : "-",
                                       why.value_or("")));
        }
    }
    if (as_json) {
        fmt::print("{}\n", json::serialize(all));
    } else {
        fmt::print("{:<12} {:>8}  {:<6} {:>7}\n{}\n", "SERVICE", "PID", "READY", "UP", fmt::join(rows, "\n"));
    }
    for (const auto& open : s.settings.unencrypted) {
        tell("{}", open);
    }
}

} // namespace semel::cli::stack
