#include "stack.hpp"

#include <http/json.hpp>
#include <kafka/leave_group.hpp>
#include <telemetry/log.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cli/stack/backing.hpp>
#include <cli/stack/machine.hpp>
#include <cli/stack/plan.hpp>
#include <cli/stack/readiness.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace semel::cli::stack {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::failed;
using kind = base::fault::kind;

namespace {

int refuse(const base::fault& why) {
    tell("semel: {}", why.why());
    return why.retryable() ? 3 : 1;
}

std::vector<std::string> names_of(const std::vector<process>& all, group wanted) {
    std::vector<std::string> names;
    for (const auto& p : all) {
        if (p.group == wanted) {
            names.push_back(p.name);
        }
    }
    return names;
}

base::result<void> control(const stack_state& s, std::string_view command, const std::vector<std::string>& names = {}) {
    std::vector<std::string> words{(s.where.deploy / "local/control").string(), s.at.socket().string(),
                                   std::string{command}};
    words.insert(words.end(), names.begin(), names.end());
    if (const auto out = run(words); out.exit_code != 0) {
        return failed(kind::unreachable, fmt::format("{} {}: {}", command, fmt::join(names, " "), out.output));
    }
    return {};
}

base::result<void> make_folders(const folders& at) {
    for (const auto& folder : {at.root, at.config(), at.run(), at.log(), at.data()}) {
        std::error_code error;
        fs::create_directories(folder, error);
        if (error) {
            return failed(kind::broken, fmt::format("{}: {}", folder.string(), error.message()));
        }
    }
    return {};
}

/// semel.yaml and the secrets: made when missing, else left alone.
base::result<void> make_config(const folders& at, const programs& where, const up_options& options) {
    const bool first = !fs::exists(at.settings());
    if (!options.config.empty()) {
        const auto origin = fs::absolute(options.config);
        const auto text = read_file(origin);
        if (!text) {
            return failed(text.error());
        }
        const auto adopted = adopted_settings(*text, origin, at);
        if (!adopted) {
            return failed(adopted.error());
        }
        if (auto done = write_file(at.settings(), *adopted); !done) {
            return done;
        }
    } else if (first) {
        const auto ports =
            options.port_base ? ports_from(*options.port_base) : base::result<stack::ports>{usual_ports()};
        if (!ports) {
            return failed(ports.error());
        }
        if (auto done = write_file(at.settings(), first_settings(at, *ports)); !done) {
            return done;
        }
        tell("made {}", at.settings().string());
    } else if (options.port_base) {
        tell("--port-base is for the first run: the ports of {} hold", at.settings().string());
    }
    const auto out = run({(where.deploy / "local/secrets").string(), at.config().string()});
    if (out.exit_code != 0) {
        return failed(kind::broken, fmt::format("making the stack's keys in {}: {}", at.config().string(), out.output));
    }
    return {};
}

base::result<stack_state> read_state(const folders& at) {
    const auto where = find_programs();
    if (!where) {
        return failed(where.error());
    }
    auto settings = config::load(at.settings());
    if (!settings) {
        return failed(settings.error());
    }
    auto ports = local_servers(*settings);
    if (!ports) {
        return failed(ports.error());
    }
    process_counts counts;
    if (fs::exists(at.scale())) {
        const auto text = read_file(at.scale());
        auto parsed = text ? parse_counts(*text, at.scale()) : base::result<process_counts>{failed(text.error())};
        if (!parsed) {
            return failed(parsed.error());
        }
        counts = *std::move(parsed);
    }
    return stack_state{.at = at,
                       .where = *where,
                       .settings = *std::move(settings),
                       .ports = *ports,
                       .counts = std::move(counts),
                       .sim = fs::exists(at.run() / ".sim")};
}

/// Processes of this stack that no supervisor looks after: it was killed.
std::vector<std::pair<std::string, pid_t>> strays(const folders& at) {
    std::vector<std::pair<std::string, pid_t>> out;
    std::error_code ignored;
    for (const auto& file : fs::directory_iterator{at.run(), ignored}) {
        const auto name = file.path().stem().string();
        if (file.path().extension() != ".pid" || name == "supervisord") {
            continue;
        }
        if (const auto pid = pid_of(at, name)) {
            out.emplace_back(name, *pid);
        }
    }
    return out;
}

base::result<void> check_programs(const stack_state& s) {
    std::vector<std::string> missing;
    for (const auto& p : s.wanted()) {
        if (p.group != group::backing && ::access(p.command.front().c_str(), X_OK) != 0) {
            missing.push_back(fs::path{p.command.front()}.filename().string());
        }
    }
    if (!missing.empty()) {
        std::ranges::sort(missing);
        missing.erase(std::ranges::unique(missing).begin(), missing.end());
        return failed(kind::broken,
                      fmt::format("{} not beside semel in {}: build everything (cmake --build --preset release)",
                                  fmt::join(missing, ", "), s.where.binaries.string()));
    }
    return {};
}

base::result<void> check_ports(const stack_state& s) {
    std::string taken;
    for (const auto& l :
         listeners(s.settings, s.ports, s.sim ? gateway_listeners(s.settings) : std::vector<listener>{})) {
        if (!port_is_free(l.port)) {
            taken += fmt::format("\n  port {} is in use, and {} wants it ({})", l.port, l.who, l.key);
        }
    }
    if (!taken.empty()) {
        return failed(
            kind::broken,
            fmt::format("cannot start:{}\nStop what listens there, or change {}, or use another --dir with --port-base",
                        taken, s.at.settings().string()));
    }
    return {};
}

base::result<void> write_supervisor_config(const stack_state& s) {
    return write_file(s.at.supervisor(),
                      supervisor_config(s.at, s.where, s.wanted(), s.settings.drain_deadline, ::geteuid() == 0));
}

base::result<void> start_supervisor(const stack_state& s) {
    if (const auto left = strays(s.at); !left.empty()) {
        return failed(kind::broken,
                      fmt::format("{} processes of a former start still run here ({}, pid {}, ...): `semel down --dir "
                                  "{}` stops them",
                                  left.size(), left.front().first, left.front().second, s.at.root.string()));
    }
    if (auto free = check_ports(s); !free) {
        return free;
    }
    const auto out = run({"supervisord", "-c", s.at.supervisor().string()});
    if (out.exit_code != 0 || !wait_for(10s, [&] { return supervised(s.at); })) {
        return failed(kind::broken, fmt::format("supervisord did not start: {}\n{}", out.output,
                                                last_lines(s.at.log() / "supervisord.log", 5)));
    }
    return {};
}

/// The clients of Kafka and Redis log as services do; here a person reads.
void hush() {
    telemetry::set_log(std::make_unique<telemetry::logger>("semel", telemetry::level::error));
}

/// `changed`: the only service that is waited for, if it is named: another one that hangs does not
/// hold up this.
base::result<void> bring_up(stack_state& s, std::string_view changed = {}) {
    hush();
    const bool running = supervised(s.at);
    if (auto done = check_programs(s); !done) {
        return done;
    }
    if (auto done = write_supervisor_config(s); !done) {
        return done;
    }
    if (auto done = write_file(s.at.gateways(), gateway_settings(s.at, s.settings)); s.sim && !done) {
        return done;
    }
    if (auto done = running ? control(s, "update") : start_supervisor(s); !done) {
        return done;
    }
    const auto all = s.wanted();
    if (s.sim) {
        if (auto done = control(s, "start", names_of(all, group::gateways)); !done) {
            return done;
        }
    }
    if (auto done = control(s, "start", names_of(all, group::backing)); !done) {
        return done;
    }
    if (auto done = await_ready(s, group::backing, 60s); !done) {
        return done;
    }
    if (auto done = check_redis(s.settings); !done) {
        return done;
    }
    const auto services = names_of(all, group::services);
    if (std::ranges::none_of(services, [&](const auto& name) { return pid_of(s.at, name).has_value(); })) {
        if (auto done = prepare_postgres(s.settings, s.at.config() / "postgres.pass"); !done) {
            return done;
        }
        if (auto done = prepare_kafka(s.settings); !done) {
            return done;
        }
    }
    if (auto done = control(s, "start", services); !done) {
        return done;
    }
    if (s.sim) {
        if (auto done = await_ready(s, group::gateways, 30s); !done) {
            return done;
        }
    }
    return await_ready(s, group::services, 60s, changed);
}

void note_the_end_of_redis(const stack_state& s) {
    if (!port_answers(s.ports.redis)) {
        return; // it has ended by itself, out of order
    }
    if (auto done = close_redis(s.settings); !done) {
        tell("{}; messages of a process that was killed may be in doubt after the next start", done.error().why());
    }
}

/// Ends processes that lost their supervisor: services first, as `down` does.
void stop_strays(const folders& at) {
    const auto is_backing = [](const std::string& name) {
        return std::ranges::find(backing_names, name) != backing_names.end();
    };
    for (const bool backing : {false, true}) {
        const auto some_left = [&] {
            return std::ranges::any_of(strays(at), [&](const auto& p) { return is_backing(p.first) == backing; });
        };
        for (const auto& [name, pid] : strays(at)) {
            if (is_backing(name) == backing) {
                tell("stopping {} ({}), which lost its supervisor", name, pid);
                ::kill(pid, name == "postgres" ? SIGINT : SIGTERM);
            }
        }
        if (!wait_for(35s, [&] { return !some_left(); })) {
            for (const auto& [name, pid] : strays(at)) {
                if (is_backing(name) == backing) {
                    tell("{} ({}) does not stop: killed", name, pid);
                    ::kill(pid, SIGKILL);
                }
            }
        }
    }
}

/// Processes that were stopped for good leave their groups, or their share of the work would wait for their sessions to
/// end.
void let_go(const stack_state& s, const std::string& service, unsigned from, unsigned before) {
    std::vector<std::string> gone;
    for (unsigned i = from + 1; i <= before; ++i) {
        gone.push_back(i == 1 ? service : fmt::format("{}-{}", service, i));
    }
    for (const auto& reads : wire::all_subscriptions()) {
        if (gone.empty() || (reads.group != service && !reads.group.starts_with(service + "-"))) {
            continue;
        }
        asio::io_context io;
        base::result<void> left;
        asio::co_spawn(
            io,
            [](kafka::cluster kafka, std::string group, std::vector<std::string> who,
               base::result<void>& into) -> asio::awaitable<void> {
                into = co_await kafka::leave_group(std::move(kafka), std::move(group), std::move(who));
            }(kafka::configured(s.settings), reads.group, gone, left),
            asio::detached);
        io.run();
        if (!left) {
            tell("{}; the others take over once the sessions have ended", left.error().why());
        }
    }
}

} // namespace

int up(const up_options& options) {
    const auto at = folders_at(options.at.dir);
    const auto where = at ? find_programs() : base::result<programs>{failed(at.error())};
    if (!where) {
        return refuse(where.error());
    }
    if (auto done = make_folders(*at); !done) {
        return refuse(done.error());
    }
    const stack_lock lock{*at};
    if (auto done = make_config(*at, *where, options); !done) {
        return refuse(done.error());
    }
    auto state = read_state(*at);
    if (!state) {
        return refuse(state.error());
    }
    if (::geteuid() == 0 && !state->settings.run_as.empty()) {
        if (auto done = open_to(*at, state->settings.run_as); !done) {
            return refuse(done.error());
        }
    }
    // Test gateways that run go on running: `up` takes nothing away.
    state->sim = options.sim || (state->sim && supervised(*at));
    if (const auto mark = at->run() / ".sim"; state->sim) {
        if (auto done = write_file(mark, ""); !done) {
            return refuse(done.error());
        }
    } else {
        fs::remove(mark);
    }
    if (everything_ready(*state)) {
        tell("already running in {}", at->root.string());
    } else {
        const auto begin = std::chrono::steady_clock::now();
        tell("starting in {}", at->root.string());
        if (auto done = bring_up(*state); !done) {
            return refuse(done.error());
        }
        tell("all ready after {:.1f} s; the api is at http://{}:{}",
             std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), state->settings.api.host,
             state->settings.api.port);
    }
    if (options.at.json) {
        print_processes(*state, true);
    }
    return 0;
}

int down(const stack_options& which) {
    const auto at = folders_at(which.dir);
    if (!at) {
        return refuse(at.error());
    }
    bool stopped = false;
    hush();
    if (fs::exists(at->run())) {
        const stack_lock lock{*at};
        if (supervised(*at)) {
            const auto state = read_state(*at);
            if (!state) {
                return refuse(state.error());
            }
            const auto all = state->wanted();
            tell("stopping what runs in {}", at->root.string());
            for (const auto which_of : {group::services, group::gateways, group::backing}) {
                if (which_of == group::backing) {
                    note_the_end_of_redis(*state);
                }
                if (auto done = control(*state, "stop", names_of(all, which_of)); !done) {
                    return refuse(done.error());
                }
            }
            if (auto done = control(*state, "shutdown"); !done) {
                return refuse(done.error());
            }
            if (!wait_for(60s, [&] { return !supervised(*at); })) {
                return refuse({kind::unreachable, "supervisord does not end: see log/supervisord.log"});
            }
            stopped = true;
        }
        if (!strays(*at).empty()) {
            stop_strays(*at);
            stopped = true;
        }
        fs::remove(at->run() / ".sim");
        for (const auto name : backing_names) { // services remove their own
            fs::remove(at->run() / fmt::format("{}.pid", name));
        }
    }
    tell("{}", stopped ? "stopped" : fmt::format("nothing runs in {}", at->root.string()));
    if (which.json) {
        fmt::print("{}\n", json::serialize(json::object{{"stopped", stopped}}));
    }
    return 0;
}

int ps(const stack_options& which) {
    const auto at = folders_at(which.dir);
    if (!at) {
        return refuse(at.error());
    }
    if (!fs::exists(at->settings())) {
        return refuse({kind::broken, fmt::format("there is no stack in {}: `semel up` makes one", at->root.string())});
    }
    const auto state = read_state(*at);
    if (!state) {
        return refuse(state.error());
    }
    print_processes(*state, which.json);
    return 0;
}

int scale(const stack_options& which, const std::string& service, unsigned processes) {
    const auto at = folders_at(which.dir);
    if (!at) {
        return refuse(at.error());
    }
    if (!fs::exists(at->settings())) {
        return refuse({kind::broken, fmt::format("there is no stack in {}: `semel up` makes one", at->root.string())});
    }
    const stack_lock lock{*at};
    auto state = read_state(*at);
    if (!state) {
        return refuse(state.error());
    }
    const auto before = state->counts.contains(service) ? state->counts.at(service) : 1U;
    state->counts[service] = processes;
    if (auto done = write_file(at->scale(), format_counts(state->counts)); !done) {
        return refuse(done.error());
    }
    if (supervised(*at)) {
        if (auto done = bring_up(*state, service); !done) {
            return refuse(done.error());
        }
        let_go(*state, service, processes, before);
        tell("{} runs as {} process{}", service, processes, processes == 1 ? "" : "es");
    } else {
        tell("{} will run as {} process{}", service, processes, processes == 1 ? "" : "es");
    }
    if (which.json) {
        print_processes(*state, true);
    }
    return 0;
}

} // namespace semel::cli::stack
