#include "serve.hpp"

#include "admin.hpp"
#include "certificates.hpp"
#include "keys.hpp"
#include "privacy.hpp"
#include "refusals.hpp"

#include <failpoint/failpoint.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

namespace semel::runtime {

namespace asio = boost::asio;
namespace fs = std::filesystem;

struct context::impl {
    impl(config::settings s, std::string_view service_name, unsigned n)
        : settings(std::move(s))
        , service(service_name)
        , instance(n)
        , name(n == 1 ? service : fmt::format("{}-{}", service, n)) {}

    std::string tell_metrics() {
        ready.set(not_ready ? 0 : 1);
        return metrics.expose();
    }

    config::settings settings;
    std::string service;
    unsigned instance;
    std::string name;
    telemetry::metrics metrics;
    telemetry::gauge ready = metrics.make_gauge("semel_service_ready", "1 while the service can work, else 0");
    std::optional<std::string> not_ready = "starting";
    bool stopping = false;
    // Does not own: the loop below ends before this does, and takes with it every coroutine that uses the context.
    context face{std::shared_ptr<impl>{std::shared_ptr<void>{}, this}};
    // Destroyed in reverse: the signal's timers, then the loop with every coroutine that still refers to what is above.
    std::optional<watched_keys> keys; // the ring is used by every client of Kafka
    asio::io_context io{1};
    condition stop{io.get_executor()};
    asio::signal_set signals{io};
};

context::context(std::shared_ptr<impl> i)
    : impl_(std::move(i)) {}
asio::any_io_executor context::executor() const {
    return impl_->io.get_executor();
}
const config::settings& context::config() const noexcept {
    return impl_->settings;
}
const std::string& context::service() const noexcept {
    return impl_->service;
}
const std::string& context::instance_name() const noexcept {
    return impl_->name;
}
unsigned context::instance() const noexcept {
    return impl_->instance;
}
telemetry::logger& context::log() noexcept {
    return telemetry::log();
}
telemetry::metrics& context::metrics() noexcept {
    return impl_->metrics;
}
const crypto::key_ring& context::keys() const {
    if (!impl_->keys) {
        throw std::runtime_error{"semel.yaml names no key: set key_encryption_key_file, or keys"};
    }
    return impl_->keys->ring();
}
bool context::stopping() const noexcept {
    return impl_->stopping;
}

void context::ready() {
    if (impl_->not_ready) {
        log().info("service.ready");
    }
    impl_->not_ready.reset();
}

void context::not_ready(std::string reason) {
    if (impl_->not_ready != reason) {
        log().warn("service.not_ready", {{"why", reason}});
    }
    impl_->not_ready = std::move(reason);
}

asio::awaitable<void> context::stop_requested() {
    auto self = impl_;
    while (!self->stopping) {
        co_await self->stop.wait();
    }
}

namespace {

/// A small file of the run directory, NAME.pid or NAME.port. Removed at the end unless a successor has written its own.
class run_file {
  public:
    run_file(const fs::path& dir, const std::string& name, std::string content)
        : content_(std::move(content)) {
        if (dir.empty()) {
            return;
        }
        fs::create_directories(dir);
        path_ = dir / name;
        // Renamed into place: whoever waits for the file never reads half of it.
        const auto fresh = fs::path{path_.string() + fmt::format(".{}", ::getpid())};
        if (!(std::ofstream{fresh} << content_ << '\n').flush()) {
            throw std::runtime_error{
                fmt::format("cannot write {}: is the disk full or the folder read-only?", fresh.string())};
        }
        fs::rename(fresh, path_);
    }
    run_file(const run_file&) = delete;
    run_file& operator=(const run_file&) = delete;
    ~run_file() { remove(); }

    void remove() noexcept {
        if (path_.empty()) {
            return;
        }
        std::string present;
        std::getline(std::ifstream{path_}, present);
        if (present == content_) {
            std::error_code ignored;
            fs::remove(path_, ignored);
        }
        path_.clear();
    }

  private:
    fs::path path_;
    std::string content_;
};

std::string describe(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

/// From the first signal the service has the drain deadline; a second signal ends its patience at once. Never returns
/// normally: the service's main does that.
asio::awaitable<void> watch_signals(context::impl& self, asio::signal_set& signals, std::function<void()> tidy) {
    auto& log = telemetry::log();
    const auto give_up = [&](std::string_view why) {
        log.error("drain.abandoned", {{"why", why}});
        tidy();
        std::_Exit(1); // destructors of what hangs would hang too
    };
    const int first = co_await signals.async_wait(asio::use_awaitable);
    const std::chrono::milliseconds deadline = self.settings.drain_deadline;
    log.info("stop.requested", {{"signal", first}, {"drain_deadline_s", self.settings.drain_deadline.count()}});
    self.stopping = true;
    self.not_ready = "draining";
    self.stop.notify();
    bool again = false;
    auto late = [](std::chrono::milliseconds wait) -> asio::awaitable<void> { co_await sleep(wait); }(deadline);
    auto second = [](asio::signal_set& s, bool& came) -> asio::awaitable<void> {
        co_await s.async_wait(asio::use_awaitable);
        came = true;
    }(signals, again);
    co_await race(std::move(late), std::move(second));
    give_up(again ? "a second signal came" : "the drain deadline passed");
}

bool is_there(const fs::path& file) {
    std::error_code unknown;
    return fs::exists(file, unknown) || unknown; // what cannot be looked at may be there
}

/// Where the note was lost, nothing is believed without a MAC. Where there never was one, records of an older version
/// would be passed over, and those of a group for good: nobody may begin.
kafka::unsigned_ends unsigned_ends(const config::settings& settings) {
    const auto& file = settings.unsigned_records;
    if (!is_there(file)) {
        if (std::ranges::none_of(config::mac_marks(settings), is_there)) {
            throw std::runtime_error{file.string() + " is missing, which says up to where records without a MAC are "
                                                     "believed: while no service runs, `semel up` or `semel prepare` "
                                                     "writes it; other hosts get a copy"};
        }
        return {};
    }
    std::ifstream in{file};
    if (!in) {
        throw std::runtime_error{file.string() + " cannot be read: it says which records without a MAC are believed"};
    }
    const auto ends = kafka::parse_ends(std::string{std::istreambuf_iterator<char>{in}, {}});
    if (!ends) {
        throw std::runtime_error{file.string() + ": " + ends.error().why()};
    }
    return *ends;
}

int run(const std::shared_ptr<context::impl>& self, service_main main) {
    auto& settings = self->settings;
    auto& log = telemetry::log();
    const auto port = settings.admin_ports.find(self->service);
    const bool fixed = self->instance == 1 && port != settings.admin_ports.end();
    const auto admin = make_admin(self->io.get_executor(), fixed ? port->second : std::uint16_t{0},
                                  {.not_ready = [state = self.get()] { return state->not_ready; },
                                   .metrics = [state = self.get()] { return state->tell_metrics(); }});
    const auto bound = admin->port();
    // Before the pid file: whoever reads it may send the signal at once.
    self->signals.add(SIGTERM);
    self->signals.add(SIGINT);
    run_file port_file{settings.run_dir, self->name + ".port", std::to_string(bound)};
    run_file pid_file{settings.run_dir, self->name + ".pid", std::to_string(::getpid())};
    log.info("service.started", {{"pid", ::getpid()}, {"admin_port", bound}, {"config", settings.file.string()}});

    const auto fail_loudly = [](std::exception_ptr e) {
        if (e) {
            std::rethrow_exception(e);
        }
    };
    asio::co_spawn(self->io, admin->run(), fail_loudly);
    asio::co_spawn(self->io, show_certificates(settings, self->metrics), fail_loudly);
    asio::co_spawn(self->io, watch_signals(*self, self->signals, [&] { pid_file.remove(), port_file.remove(); }),
                   fail_loudly);

    std::optional<refusals> refused;
    if (!config::key_files(settings).empty()) {
        self->keys.emplace(settings);
        refused.emplace(self->io.get_executor(),
                        refusals::options{.bootstrap = kafka::configured(settings),
                                          .partitions = settings.partitions,
                                          .service = self->service},
                        self->metrics);
        kafka::trust(
            self->keys->ring(), [&refused](const kafka::refused_record& r) { refused->take(r); },
            unsigned_ends(settings));
        asio::co_spawn(self->io, self->keys->watch(), fail_loudly);
        asio::co_spawn(self->io, refused->run(), fail_loudly);
    }

    bool finished = false;
    asio::co_spawn(self->io, main(self->face), [&](std::exception_ptr e) {
        if (e) {
            std::rethrow_exception(e);
        }
        finished = true;
        self->io.stop();
    });
    self->io.run();
    log.info("service.stopped");
    return finished ? 0 : 1;
}

} // namespace

int serve(int argc, char** argv, std::string_view service, service_main main) {
    CLI::App app{fmt::format("semel-{}: a service of Semel. `semel up` starts it; see docs/operations.md.", service)};
    std::string config_file = "semel.yaml";
    unsigned instance = 1;
    bool check_only = false;
    bool list_failpoints = false;
    app.add_option("--config", config_file, "The configuration")->capture_default_str();
    app.add_option("--instance", instance, "Which of several processes of this service this is, from 1")
        ->capture_default_str()
        ->check(CLI::Range(1U, 999U));
    app.add_flag("--check-config", check_only, "Say what is wrong with the configuration, start nothing");
    if (failpoint::compiled_in()) {
        app.add_flag("--list-failpoints", list_failpoints, "Name the points at which a test may let this process die");
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (list_failpoints) {
        fmt::print("{}", failpoint::list(service));
        return 0;
    }
    if (!check_only) {
        keep_to_itself();
    }
    auto settings = config::load(config_file);
    if (!settings) {
        fmt::print(stderr, "{}\n", settings.error().why());
        return 2;
    }
    const auto least = telemetry::level_from(settings->log_level);
    if (!least) {
        fmt::print(stderr, "{}: log_level: \"{}\" is none of debug, info, warn, error\n", config_file,
                   settings->log_level);
        return 2;
    }
    if (check_only) {
        fmt::print("{}: good\n", config_file);
        return 0;
    }
    std::signal(SIGHUP, SIG_IGN);  // sent where a certificate was replaced, and that is seen without it
    std::signal(SIGPIPE, SIG_IGN); // a peer that goes away is an error code of the write, not the end of the process
    auto self = std::make_shared<context::impl>(std::move(*settings), service, instance);
    failpoint::watch_file(self->settings.run_dir / (self->name + ".failpoint"));
    telemetry::set_log(std::make_unique<telemetry::logger>(self->name, *least));
    try {
        give_up_root(self->settings.run_as);
        return run(self, main);
    } catch (...) {
        telemetry::log().error("service.failed", {{"why", describe(std::current_exception())}});
        std::_Exit(1); // threads of PostgreSQL or Kafka may be about to resume coroutines on a loop that would be gone
    }
}

} // namespace semel::runtime
