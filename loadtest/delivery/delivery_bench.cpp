// How many records a second one dispatcher settles when the gateway answers at once: what is left is Kafka, Redis and
// the engine. Needs SEMEL_TEST_KAFKA; starts a Redis of its own.
//   semel-delivery-bench [RECORDS [WINDOW [FETCHED]]]

#include <catalog/catalog.hpp>
#include <delivery/engine/engine.hpp>
#include <delivery/service/connections.hpp>
#include <delivery/tests/scripted_gateway.hpp>
#include <delivery/tests/stage.hpp>
#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

asio::awaitable<void> until_accepted(const delivery::testing::scripted_gateway& gateway, std::size_t records) {
    steady::time_point first;
    double cpu = 0;
    while (gateway.accepted() < records) {
        if (gateway.accepted() > 0 && first == steady::time_point{}) {
            first = steady::now();
            cpu = cpu_seconds();
        }
        co_await runtime::sleep(20ms);
    }
    const auto seconds = std::chrono::duration<double>(steady::now() - first).count();
    const auto used = cpu_seconds() - cpu;
    std::printf("%zu records in %.2f s: %.0f/s; %.1f us of CPU each\n", records, seconds,
                static_cast<double>(records) / seconds, used / static_cast<double>(records) * 1e6);
}

asio::awaitable<void> measure(const delivery::testing::stage& on, std::size_t records, std::size_t window,
                              std::size_t fetched) {
    const auto executor = co_await asio::this_coro::executor;
    telemetry::metrics metrics;
    redis::client redis{executor, {.host = "127.0.0.1", .port = on.redis.port()}};
    catalog::catalog catalog{executor,
                             {.bootstrap = on.bootstrap(),
                              .keys = crypto::key_ring{{*crypto::key256::from(*base::from_hex(on.key_hex()))}},
                              .prefix = on.prefix()}};
    auto made = std::make_unique<delivery::testing::scripted_gateway>(
        executor, delivery::testing::script{.window = window, .any_slot = true, .log = {}});
    const auto& gateway = *made;
    std::vector<delivery::lane_config> lanes;
    lanes.push_back({.gateway = std::move(made)});
    delivery::engine_options options;
    options.channel = base::channel::sms;
    options.prefix = on.prefix();
    options.fetched = fetched;
    options.partitions = delivery::testing::stage::partitions;
    delivery::connections servers{executor,
                                  {.bootstrap = on.bootstrap(),
                                   .instance = on.prefix() + "bench",
                                   .time =
                                       [] {
                                           const auto now = base::now();
                                           return base::known_time{.best = now, .certain = now};
                                       }},
                                  options,
                                  catalog,
                                  redis};
    delivery::engine engine{executor, std::move(options), servers.open(), std::move(lanes), metrics, telemetry::log()};
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(catalog.run());
    tasks.push_back(engine.run());
    tasks.push_back(until_accepted(gateway, records));
    co_await runtime::first_of(std::move(tasks));
    co_await engine.drain(5s);
    for (const auto text = metrics.expose();
         const auto* name : {"semel_delivery_commits_total ", "semel_delivery_commit_seconds_sum ",
                             "semel_delivery_commit_seconds_count "}) {
        const auto at = text.find(name);
        std::printf("%s\n", text.substr(at, text.find('\n', at) - at).c_str());
    }
}

} // namespace

int main(int argc, char** argv) {
    const std::size_t records = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 150'000;
    const std::size_t window = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256;
    const std::size_t fetched = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : delivery::engine_options{}.fetched;
    delivery::testing::stage on;
    on.dispatch("ok", static_cast<int>(records));
    delivery::testing::play(
        [&](asio::any_io_executor) -> asio::awaitable<void> { co_await measure(on, records, window, fetched); }, 120s);
}
