// Receipts as a process of its own, for tests that kill it. Campaigns are made up from their names instead of
// `control`: "resend...", "hold...", "presume...", "cancelled...", each deciding after a second,
// or after the seconds at its end: "resend-30".
//   receipts_rig BOOTSTRAP DSN PREFIX PARTITIONS INSTANCE KEY_HEX AWAITING_MS INFERENCE_MS REDIS_PORT METRICS_FILE
// The key is the key-encryption key and every campaign's. The file holds the metrics, some ten times a second.

#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <receipts/edge/service.hpp>
#include <support/records.hpp>
#include <ticks/clock.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

namespace {

using namespace semel;
namespace asio = boost::asio;

std::uint32_t seconds_of(const std::string& name) {
    const auto dash = name.find('-');
    return dash == std::string::npos ? 1 : static_cast<std::uint32_t>(std::stoul(name.substr(dash + 1)));
}

catalog::campaign_ptr campaign_named(const base::campaign_id& id, const crypto::campaign_key& key) {
    auto c = std::make_shared<catalog::campaign>();
    c->id = id;
    c->key = key;
    c->state.set_id(id.value());
    c->state.set_wrapped_key("there is one");
    c->state.set_in_doubt_after_s(seconds_of(id.value()));
    c->state.set_phase(id.value().starts_with("cancelled") ? v1::CAMPAIGN_CANCELLED : v1::CAMPAIGN_RUNNING);
    c->state.set_in_doubt(id.value().starts_with("hold")      ? v1::DOUBT_HOLD
                          : id.value().starts_with("presume") ? v1::DOUBT_PRESUME_SENT
                                                              : v1::DOUBT_RESEND);
    return c;
}

asio::awaitable<void> terminated() {
    asio::signal_set signals{co_await asio::this_coro::executor, SIGTERM};
    co_await signals.async_wait(asio::use_awaitable);
}

asio::awaitable<void> show(const telemetry::metrics& metrics, std::filesystem::path file) {
    auto next = file;
    next += ".next";
    while (co_await runtime::sleep(std::chrono::milliseconds{100})) {
        std::ofstream{next} << metrics.expose();
        std::filesystem::rename(next, file);
    }
}

asio::awaitable<void> serve(std::vector<std::string> args) {
    const auto executor = co_await asio::this_coro::executor;
    telemetry::metrics metrics;
    receipts::settings settings;
    settings.bootstrap = args.at(1);
    settings.prefix = args.at(3);
    settings.partitions = std::stoi(args.at(4));
    settings.instance = args.at(5);
    const auto secret = *crypto::key256::from(*base::from_hex(args.at(6)));
    settings.keys = crypto::key_ring{{secret}};
    settings.awaiting_limit = std::chrono::milliseconds{std::stoi(args.at(7))};
    settings.inference_after = std::chrono::milliseconds{std::stoi(args.at(8))};
    settings.written_after = std::min<base::duration>(settings.written_after, settings.inference_after / 2);
    settings.exclusive = {"smsc-a"};
    settings.look_every = std::chrono::milliseconds{100};
    ticks::clock clock{executor, {.bootstrap = settings.bootstrap, .prefix = settings.prefix}};
    settings.time = clock.source();
    const crypto::campaign_key key{secret};
    postgres::pool database{args.at(2), 1, {.lock = std::chrono::seconds{1}}};
    database.run_blocking(receipts::migrate);
    redis::client redis{executor, {.port = static_cast<std::uint16_t>(std::stoi(args.at(9)))}};
    receipts::service service{executor,
                              std::move(settings),
                              database,
                              redis,
                              [key](const base::campaign_id& id) { return campaign_named(id, key); },
                              metrics};
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(service.run(terminated()));
    tasks.push_back(clock.run());
    tasks.push_back(show(metrics, args.at(10)));
    co_await runtime::first_of(std::move(tasks));
}

} // namespace

int main(int argc, char** argv) {
    asio::io_context io{1};
    int code = 0;
    asio::co_spawn(io, serve({argv, argv + argc}), [&](std::exception_ptr failure) {
        try {
            if (failure) {
                std::rethrow_exception(failure);
            }
        } catch (const std::exception& e) {
            std::cerr << "receipts_rig: " << e.what() << "\n";
            code = 1;
        }
        io.stop();
    });
    io.run();
    return code;
}
