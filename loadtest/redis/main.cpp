// How many commands of concurrent coroutines one Redis connection carries, and what they cost this process.
//
//   redis_bench PORT [CA USER PASSWORD_FILE]    with an authority: under TLS
//
// Prints commands a second and microseconds of this process's CPU time for each: the first is the machine's, the second
// is ours.

#include <redis/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace semel;

constexpr int coroutines = 500; // about a batch of claims
constexpr int each = 1'000;

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

asio::awaitable<void> write(redis::client& to, int number) {
    const auto key = fmt::format("bench:{}", number);
    for (int i = 0; i < each; ++i) {
        std::vector<std::string> set{"SET", key, "sixty-four bytes, which is about what one claim has in its field.."};
        const auto answer = co_await to.command(std::move(set));
        if (!answer || answer->is_error()) {
            fmt::print(stderr, "{}\n", answer ? answer->text : answer.error().why());
            std::exit(1);
        }
    }
}

void rethrow(std::exception_ptr failure) {
    if (failure) {
        std::rethrow_exception(failure);
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2 && argc != 5) {
        fmt::print(stderr, "redis_bench PORT [CA USER PASSWORD_FILE]\n");
        return 2;
    }
    redis::client_options options;
    options.host = argc == 5 ? "localhost" : "127.0.0.1";
    options.port = static_cast<std::uint16_t>(std::stoi(argv[1]));
    options.reply_timeout = std::chrono::seconds{60};
#ifndef REDIS_BENCH_PLAIN_ONLY
    if (argc == 5) {
        options.tls = true;
        options.ca = argv[2];
        options.user = argv[3];
        options.password_file = argv[4];
    }
#endif
    asio::io_context io{1};
    redis::client client{io.get_executor(), options};
    bool up = false;
    asio::co_spawn(io, client.connected(), [&](std::exception_ptr failure) {
        rethrow(failure);
        up = true;
    });
    while (!up) {
        io.run_one();
    }
    const auto began = std::chrono::steady_clock::now();
    const auto cpu = cpu_seconds();
    int left = coroutines;
    for (int i = 0; i < coroutines; ++i) {
        asio::co_spawn(io, write(client, i), [&](std::exception_ptr failure) {
            rethrow(failure);
            if (--left == 0) {
                io.stop();
            }
        });
    }
    io.run();
    const double n = double{coroutines} * each;
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    fmt::print("{:.0f} commands/s, {:.2f} us of CPU each\n", n / took, (cpu_seconds() - cpu) / n * 1e6);
    return 0;
}
