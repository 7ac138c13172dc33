#include "race.hpp"

#include "deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace semel::runtime {

namespace asio = boost::asio;

asio::awaitable<void> first_of(std::vector<asio::awaitable<void>> tasks) {
    if (tasks.empty()) {
        co_return;
    }
    const auto ex = co_await asio::this_coro::executor;
    const auto start = [&](asio::awaitable<void>& task) { return asio::co_spawn(ex, std::move(task), asio::deferred); };
    std::vector<decltype(start(tasks.front()))> started;
    started.reserve(tasks.size());
    for (auto& task : tasks) {
        started.push_back(start(task));
    }
    auto group = asio::experimental::make_parallel_group(std::move(started));
    auto [order, failures] =
        co_await group.async_wait(asio::experimental::wait_for_one{}, asio::as_tuple(asio::use_awaitable));
    // What the others throw while they are being cancelled is the cancellation, or a consequence of it.
    if (const auto& failure = failures[order[0]]) {
        std::rethrow_exception(failure);
    }
}

asio::awaitable<void> race(asio::awaitable<void> work, asio::awaitable<void> stop) {
    std::vector<asio::awaitable<void>> both;
    both.push_back(std::move(work));
    both.push_back(std::move(stop));
    co_await first_of(std::move(both));
}

asio::awaitable<bool> sleep(std::chrono::milliseconds wait) {
    asio::steady_timer timer{co_await asio::this_coro::executor, deadline_in(wait)};
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !error;
}

} // namespace semel::runtime
