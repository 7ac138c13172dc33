// How many pushes a second Semel's APNs gateway alone hands over, without Kafka, claims or a record; the arguments are
// those of PushyRate's client (loadtest/bench/pushy):
//   semel-push-rate PORT CA KEY TEAM KEY_ID TOPIC PAYLOAD_FILE WARM COUNT
// WARM pushes go first and are not counted. Prints {"messages", "seconds"} as JSON.

#include <runtime/gate.hpp>
#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <push/edge/apns_gateway.hpp>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using steady = std::chrono::steady_clock;

struct order {
    std::string payload;
    std::uint64_t count = 0;
};

delivery::outbound message(const std::string& payload, std::uint64_t n) {
    delivery::outbound m;
    base::byte_array<32> id{};
    std::memcpy(id.data(), &n, sizeof n);
    m.notification = base::notification_id{id};
    m.address = fmt::format("{:064x}", n);
    m.transport = "apns";
    m.parts = {payload};
    return m;
}

/// Takes the next number until none is left.
asio::awaitable<void> worker(delivery::gateway& to, const order& all, std::uint64_t& next) {
    while (next < all.count) {
        const auto m = message(all.payload, next++);
        auto begun = co_await to.stage(m, 30s);
        auto* staged = std::get_if<std::unique_ptr<delivery::staged>>(&begun);
        if (staged == nullptr) {
            throw std::runtime_error{"semel-push-rate: the gateway gave no stream for a message"};
        }
        const auto said = co_await (*staged)->release();
        if (said.what != delivery::verdict::kind::accepted) {
            throw std::runtime_error{
                fmt::format("semel-push-rate: a push was not accepted: {} {}", said.code, said.text)};
        }
    }
}

asio::awaitable<double> send(delivery::gateway& to, order all) {
    std::uint64_t next = 0;
    const auto began = steady::now();
    runtime::gate workers{co_await asio::this_coro::executor};
    for (std::size_t i = 0; i < to.window(); ++i) {
        workers.spawn("pushing", worker(to, all, next));
    }
    if (!co_await workers.close(10min)) {
        throw std::runtime_error{"semel-push-rate: not all pushes were answered within ten minutes"};
    }
    co_return std::chrono::duration<double>(steady::now() - began).count();
}

asio::awaitable<void> measure(delivery::gateway& to, const std::string& payload, std::uint64_t warm,
                              std::uint64_t count) {
    order first{payload, warm};
    co_await send(to, std::move(first));
    order counted{payload, count};
    const auto seconds = co_await send(to, std::move(counted));
    fmt::print("{{\"messages\": {}, \"seconds\": {:.6f}}}\n", count, seconds);
}

asio::awaitable<void> run(asio::any_io_executor executor, std::span<char*> args) {
    config::gateway settings;
    settings.name = "apns";
    settings.link = config::apns{.endpoint = fmt::format("https://127.0.0.1:{}", args[1]),
                                 .ca = args[2],
                                 .team_id = args[4],
                                 .key_id = args[5],
                                 .topic = args[6],
                                 .key_file = args[3]};
    auto made = push::apns_gateway::make(executor, settings);
    if (!made) {
        throw std::runtime_error{made.error().why()};
    }
    std::ifstream in{args[7], std::ios::binary};
    const std::string payload{std::istreambuf_iterator<char>{in}, {}};
    const auto number = [](const char* text) { return std::strtoull(text, nullptr, 10); };
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back((*made)->run());
    tasks.push_back(measure(**made, payload, number(args[8]), number(args[9])));
    co_await runtime::first_of(std::move(tasks));
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 10) {
        fmt::print(stderr, "semel-push-rate PORT CA KEY TEAM KEY_ID TOPIC PAYLOAD_FILE WARM COUNT\n");
        return 2;
    }
    try {
        asio::io_context io;
        std::exception_ptr failure;
        asio::co_spawn(io, run(io.get_executor(), {argv, static_cast<std::size_t>(argc)}), [&](std::exception_ptr e) {
            failure = std::move(e);
            io.stop();
        });
        io.run();
        if (failure) {
            std::rethrow_exception(failure);
        }
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}\n", error.what());
        return 1;
    }
    return 0;
}
