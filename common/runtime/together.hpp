#pragma once
// Two things at once, and a thread for what would hold the strand up.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace semel::runtime {

/// Runs both on the caller's executor and waits for both, whatever becomes of the other; then rethrows a failure, the
/// first one's before the second's. The values must be default-constructible.
template <class A, class B>
boost::asio::awaitable<std::pair<A, B>> both(boost::asio::awaitable<A> first, boost::asio::awaitable<B> second) {
    namespace asio = boost::asio;
    const auto executor = co_await asio::this_coro::executor;
    auto group = asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(first), asio::deferred),
                                                         asio::co_spawn(executor, std::move(second), asio::deferred));
    auto [order, first_failure, a, second_failure, b] =
        co_await group.async_wait(asio::experimental::wait_for_all{}, asio::use_awaitable);
    for (const auto& failure : {first_failure, second_failure}) {
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    co_return std::pair<A, B>{std::move(a), std::move(b)};
}

namespace detail {
template <class F>
boost::asio::awaitable<std::invoke_result_t<F&>> carry_out(F work) {
    co_return work();
}
} // namespace detail

/// work() on a thread of the pool; its value or exception here. What it refers to must outlive the pool, since it runs
/// to its end even when the caller is cancelled: a signal would be sent to the other thread through memory of this one.
template <class F>
boost::asio::awaitable<std::invoke_result_t<F&>> on_thread(boost::asio::thread_pool& pool, F work) {
    namespace asio = boost::asio;
    co_return co_await asio::co_spawn(pool, detail::carry_out(std::move(work)),
                                      asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::use_awaitable));
}

} // namespace semel::runtime
