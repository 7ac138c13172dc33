#include "service.hpp"

#include <runtime/race.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

namespace semel::ticks {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> until_certain(runtime::context& ctx, const clock& c) {
    for (auto wrong = c.trouble(); wrong; wrong = c.trouble()) {
        ctx.not_ready(wrong->words);
        co_await runtime::sleep(std::chrono::milliseconds{100});
    }
}

/// The first tick takes a moment, which is nothing to warn of.
asio::awaitable<void> tell_if_it_lasts(const clock& c, trouble::teller& to) {
    if (co_await runtime::sleep(trouble::told_every)) {
        co_await tell(c, to);
    }
}

} // namespace

asio::awaitable<void> tell_readiness(runtime::context& ctx, const redis::client& redis, const clock& c) {
    do {
        if (const auto wrong = c.trouble()) {
            ctx.not_ready(wrong->words);
        } else if (redis.trouble().empty()) {
            ctx.ready();
        } else {
            ctx.not_ready("Redis: " + redis.trouble());
        }
    } while (co_await runtime::sleep(std::chrono::milliseconds{500}));
}

asio::awaitable<void> tell(const clock& c, trouble::teller& to) {
    do {
        std::vector<trouble::entry> now;
        if (auto wrong = c.trouble()) {
            now.push_back(std::move(*wrong));
        }
        co_await to.tell(std::move(now));
    } while (co_await runtime::sleep(trouble::told_every));
}

asio::awaitable<bool> wait_for_the_time(runtime::context& ctx, clock& c, trouble::teller& to) {
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(c.run());
    tasks.push_back(until_certain(ctx, c));
    tasks.push_back(tell_if_it_lasts(c, to));
    tasks.push_back(ctx.stop_requested());
    co_await runtime::first_of(std::move(tasks));
    co_return !ctx.stopping();
}

asio::awaitable<void> stop_or_wrong(runtime::context& ctx, clock& c) {
    co_await runtime::race(ctx.stop_requested(), c.wrong_for(wrong_for_long));
}

void expect_stopped(const runtime::context& ctx, const clock& c) {
    if (const auto wrong = c.trouble(); wrong && !ctx.stopping()) {
        throw std::runtime_error{"this process leaves its partitions to others and starts anew: " + wrong->words};
    }
}

} // namespace semel::ticks
