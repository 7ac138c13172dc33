// The engine as a process of its own, over scripted gateways, for tests that kill it. Takes KEY=VALUE words:
//   kafka= redis=PORT prefix= instance= events=PARTITIONS key=HEX log=FILE session_ms= cut_off_ms=
//   gateways=NAME:WINDOW:RATE:DELAY_MS:FAILING,...
// Ends in order on SIGTERM.

#include "scripted_gateway.hpp"

#include <catalog/catalog.hpp>
#include <delivery/engine/engine.hpp>
#include <delivery/service/connections.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <support/records.hpp>
#include <ticks/clock.hpp>

#include <iostream>
#include <map>
#include <sstream>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

std::vector<std::string> split(const std::string& text, char by) {
    std::vector<std::string> out;
    std::istringstream in{text};
    for (std::string word; std::getline(in, word, by);) {
        out.push_back(word);
    }
    return out;
}

asio::awaitable<void> work(delivery::engine& e, catalog::catalog& c, ticks::clock& clock) {
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(c.run());
    tasks.push_back(e.run());
    tasks.push_back(clock.run());
    co_await runtime::first_of(std::move(tasks));
}

asio::awaitable<void> until_told() {
    asio::signal_set signals{co_await asio::this_coro::executor, SIGTERM};
    co_await signals.async_wait(asio::use_awaitable);
}

asio::awaitable<void> serve(std::map<std::string, std::string> args) {
    const auto executor = co_await asio::this_coro::executor;
    telemetry::metrics metrics;
    redis::client redis{executor,
                        {.host = "127.0.0.1", .port = static_cast<std::uint16_t>(std::stoi(args.at("redis")))}};
    catalog::catalog catalog{executor,
                             {.bootstrap = args.at("kafka"),
                              .keys = crypto::key_ring{{*crypto::key256::from(*base::from_hex(args.at("key")))}},
                              .prefix = args.at("prefix")}};
    std::vector<delivery::lane_config> lanes;
    for (const auto& one : split(args.at("gateways"), ',')) {
        const auto word = split(one, ':');
        delivery::testing::script script{.name = word.at(0),
                                         .window = std::stoul(word.at(1)),
                                         .delay = std::chrono::milliseconds{std::stoi(word.at(3))},
                                         .failing = word.at(4) == "1",
                                         .poisoned_while = args.at("log") + ".poisoned",
                                         .only = word.size() > 5 ? word[5] : "",
                                         .log = args.at("log")};
        lanes.push_back({.gateway = std::make_unique<delivery::testing::scripted_gateway>(executor, std::move(script)),
                         .per_second = std::stod(word.at(2))});
    }
    delivery::engine_options options;
    options.channel = base::channel::sms;
    options.prefix = args.at("prefix");
    options.partitions = std::stoi(args.at("events"));
    options.cut_off_after = std::chrono::milliseconds{std::stoi(args.at("cut_off_ms"))};
    ticks::clock clock{executor, {.bootstrap = args.at("kafka"), .prefix = args.at("prefix")}};
    delivery::connections servers{executor,
                                  {.bootstrap = args.at("kafka"),
                                   .instance = args.at("prefix") + args.at("instance"),
                                   .session_timeout = std::chrono::milliseconds{std::stoi(args.at("session_ms"))},
                                   .time = clock.source()},
                                  options,
                                  catalog,
                                  redis};
    delivery::engine engine{executor, std::move(options), servers.open(), std::move(lanes), metrics, telemetry::log()};
    co_await runtime::race(work(engine, catalog, clock), until_told());
    co_await engine.drain(3s);
}

} // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> args;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        args[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
    }
    asio::io_context io{1};
    int code = 0;
    asio::co_spawn(io, serve(args), [&](std::exception_ptr failure) {
        try {
            if (failure) {
                std::rethrow_exception(failure);
            }
        } catch (const std::exception& e) {
            std::cerr << "delivery_rig: " << e.what() << "\n";
            code = 1;
        }
        io.stop();
    });
    try {
        io.run();
    } catch (const std::exception& e) {
        std::cerr << "delivery_rig: " << e.what() << "\n";
        code = 1;
    }
    std::_Exit(code); // clients of Kafka take their time to go
}
