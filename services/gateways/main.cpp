#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gateways/station.hpp>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <list>
#include <string_view>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

constexpr std::string_view usage =
    "usage: semel-gateways --config FILE\n\nThe test gateways: services/gateways/README.md\n";

asio::awaitable<void> serve_until_stopped(gateways::station& station, asio::io_context& io) {
    asio::signal_set stop{co_await asio::this_coro::executor, SIGTERM, SIGINT};
    co_await stop.async_wait(asio::use_awaitable);
    station.stop_accepting();
    station.farewell();
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (station.owes() && std::chrono::steady_clock::now() < deadline) {
        co_await runtime::sleep(10ms);
    }
    co_await runtime::sleep(10ms); // for goodbyes that are written
    io.stop();
}

void allow_many_connections() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &files);
    }
}

int run(const std::filesystem::path& file) {
    gateways::settings settings;
    asio::io_context io{1};
    std::optional<gateways::station> station;
    std::list<http::server> control;
    try {
        settings = gateways::read_settings(file);
        station.emplace(io.get_executor(), settings);
        for (const auto& e : settings.listen) {
            if (!e.kind) {
                control.emplace_back(io.get_executor(), http::server_options{.host = e.host, .port = e.port},
                                     gateways::control_routes(*station));
            }
        }
    } catch (const std::exception& e) {
        telemetry::log().error("gateways.failed", {{"why", e.what()}});
        return 2;
    }
    for (auto& server : control) {
        asio::co_spawn(io, server.run(), asio::detached);
    }
    asio::co_spawn(io, serve_until_stopped(*station, io), [](const std::exception_ptr& e) {
        if (e) {
            std::rethrow_exception(e);
        }
    });
    telemetry::log().info("gateways.listening", {{"listeners", settings.listen.size()}});
    io.run();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first == "--help") {
        std::fwrite(usage.data(), 1, usage.size(), stdout);
        return 0;
    }
    if (argc != 3 || first != "--config") {
        std::fwrite(usage.data(), 1, usage.size(), stderr);
        return 2;
    }
    telemetry::set_log(std::make_unique<telemetry::logger>("gateways"));
    allow_many_connections();
    try {
        return run(argv[2]);
    } catch (const std::exception& e) {
        telemetry::log().error("gateways.failed", {{"why", e.what()}});
        return 1;
    }
}
