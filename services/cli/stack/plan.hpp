#pragma once
// What the local stack consists of, as values: folders, ports, processes, and the files that describe them. Pure.

#include <base/fault.hpp>
#include <config/config.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace semel::cli::stack {

using path = std::filesystem::path;

inline constexpr std::array<std::string_view, 9> service_names{"api",  "intake", "render",   "plan",  "email",
                                                               "push", "sms",    "receipts", "ledger"};
inline constexpr std::array<std::string_view, 3> backing_names{"kafka", "redis", "postgres"};

/// DIR and what lies below it; absolute.
struct folders {
    path root;
    path config() const { return root / "config"; }
    path run() const { return root / "run"; }
    path log() const { return root / "log"; }
    path data() const { return root / "data"; }
    path settings() const { return config() / "semel.yaml"; }
    path supervisor() const { return config() / "supervisord.conf"; }
    path socket() const { return run() / "supervisor.sock"; }
    path scale() const { return config() / "scale.yaml"; }
    path gateways() const { return config() / "gateways.json"; }
};

/// A folder that the supervisor's file format and its socket can name, or why not.
base::result<folders> folders_at(const path& dir);

struct ports {
    std::uint16_t kafka = 19092, controller = 19093, redis = 16379, postgres = 15432, api = 18080;
    std::map<std::string, std::uint16_t> admin; // by service
    std::uint16_t smtp = 2525, apns = 8443, fcm = 8444, smpp = 2775;
};
ports usual_ports();
/// All ports in one run from `base`; `broken` when they do not fit below 65536.
base::result<ports> ports_from(std::uint16_t base);

/// The semel.yaml of a first run. Its gateways are the test gateways.
std::string first_settings(const folders&, const ports&);
/// The user's own file as DIR/config/semel.yaml: its paths absolute, and the stack's own keys added where it has none.
base::result<std::string> adopted_settings(std::string_view yaml, const path& origin, const folders&);

/// Where the settings put the servers that the stack itself runs. `broken` for a server that is elsewhere.
struct servers {
    std::uint16_t kafka = 0, controller = 0, redis = 0, postgres = 0;
};
base::result<servers> local_servers(const config::settings&);

struct listener {
    std::uint16_t port = 0;
    std::string who;
    std::string key; // of semel.yaml, for the user who wants another port
};
/// Every fixed port that a process of the stack will listen on.
std::vector<listener> listeners(const config::settings&, const servers&, const std::vector<listener>& gateways);
/// Where the settings expect gateways on this machine: the test gateways listen there, and on the tenth port after the
/// api's for whoever switches them.
std::vector<listener> gateway_listeners(const config::settings&);

/// The test gateways' file: where each listens, what it checks, and where it notes what it accepted
/// (services/gateways/README.md).
std::string gateway_settings(const folders&, const config::settings&);

enum class group : unsigned char { backing, gateways, services };

struct process {
    std::string name; // "email", "email-2": of its pid, port and log files too
    stack::group group = group::services;
    std::vector<std::string> command;
};

using process_counts = std::map<std::string, unsigned>; // by service; one where absent
base::result<process_counts> parse_counts(std::string_view yaml, const path& origin);
std::string format_counts(const process_counts&);

struct programs {
    path deploy;   // the folder deploy/ of this installation
    path binaries; // the folder of semel and semel-SERVICE
};

std::vector<process> processes(const folders&, const programs&, const servers&, const process_counts&, bool sim);

/// The supervisor's whole configuration. Nothing starts by itself: `up` starts it in order.
std::string supervisor_config(const folders&, const programs&, const std::vector<process>&,
                              std::chrono::seconds drain_deadline, bool as_root);

} // namespace semel::cli::stack
