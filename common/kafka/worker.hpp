#pragma once
// Internal: librdkafka's blocking calls on a thread of their own, awaited from the io thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace semel::kafka {

/// One thread. The destructor waits for the call that is running.
class worker {
  public:
    explicit worker(boost::asio::any_io_executor executor)
        : executor_(std::move(executor)) {}
    ~worker() { pool_.join(); }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// Waits for the call that is running. Afterwards nothing refers to the executor any more.
    void finish() { pool_.join(); }

    /// Runs call() on the thread and resumes with its answer; nothing when the watchdog's time is up, while the call
    /// still runs. Not cancellable: a call that may have changed something has an answer, and it must be heard.
    template <class F>
    boost::asio::awaitable<std::optional<std::invoke_result_t<F&>>> run_within(std::chrono::milliseconds watchdog,
                                                                               F call) {
        struct conversation {
            boost::asio::steady_timer done;
            std::optional<std::invoke_result_t<F&>> answer;
            std::exception_ptr failure;
        };
        auto shared = std::make_shared<conversation>(boost::asio::steady_timer{executor_, watchdog}, std::nullopt,
                                                     std::exception_ptr{});
        boost::asio::post(pool_, [shared, executor = executor_, call = std::move(call)]() mutable {
            std::optional<std::invoke_result_t<F&>> answer;
            std::exception_ptr failure;
            try {
                answer.emplace(call());
            } catch (...) {
                failure = std::current_exception();
            }
            // The conversation goes back whole: nothing of it may be left to this thread.
            boost::asio::post(executor, [shared = std::move(shared), answer = std::move(answer),
                                         failure = std::move(failure)]() mutable {
                shared->answer = std::move(answer);
                shared->failure = std::move(failure);
                shared->done.cancel();
            });
        });
        constexpr auto uncancellable = boost::asio::as_tuple(boost::asio::use_awaitable);
        std::ignore = co_await shared->done.async_wait(
            boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot{}, uncancellable));
        if (shared->failure) {
            std::rethrow_exception(shared->failure);
        }
        co_return std::move(shared->answer);
    }

    /// Without a watchdog, for calls that bound themselves.
    template <class F>
    boost::asio::awaitable<std::invoke_result_t<F&>> run(F call) {
        auto answer = co_await run_within(std::chrono::hours{24}, std::move(call));
        co_return std::move(answer).value();
    }

  private:
    boost::asio::any_io_executor executor_;
    boost::asio::thread_pool pool_{1};
};

} // namespace semel::kafka
