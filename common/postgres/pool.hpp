#pragma once
// libpqxx on a few threads of its own: work runs there with a connection to itself, the coroutine resumes on its
// executor with the result. A broken connection is replaced; serialization failures and lost connections are thrown
// to the caller as pqxx exceptions (the caller knows whether repeating is safe).

#include "limits.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <pqxx/pqxx>

namespace semel::postgres {

/// Where PostgreSQL is and who asks. The password's file is read for each new connection: managed servers give out
/// tokens that expire while the connections made with them live on.
struct server {
    server(std::string connection_string) // NOLINT(google-explicit-constructor)
        : dsn(std::move(connection_string)) {}
    server(const char* connection_string) // NOLINT(google-explicit-constructor)
        : dsn(connection_string) {}
    server(std::string connection_string, std::filesystem::path password)
        : dsn(std::move(connection_string))
        , password_file(std::move(password)) {}

    std::string dsn;                     // libpq's: key=value, or a URI
    std::filesystem::path password_file; // empty: the DSN's own passfile, or none
};

class pool {
  public:
    /// Connects at the first use, not here. `connections` is also the number of threads.
    pool(server, unsigned connections, limits = {});
    /// Waits for the work that was given.
    ~pool();
    pool(const pool&) = delete;
    pool& operator=(const pool&) = delete;

    /// `auto n = co_await db.run([id](pqxx::connection& c) { pqxx::work tx{c}; ...; tx.commit(); return n; });`
    /// The function must own what it uses: it runs on another thread. Cancelling the coroutine does not cut the work
    /// short: it resumes when the work has ended. The executor's context must live until then.
    template <class F>
    auto run(F work) -> boost::asio::awaitable<std::invoke_result_t<F&, pqxx::connection&>>;

    /// For start-up and tools: the same, blocking.
    template <class F>
    auto run_blocking(F work) -> std::invoke_result_t<F&, pqxx::connection&>;

  private:
    /// Takes a connection out of the pool and brings it back, or drops it when broken.
    class lease {
      public:
        explicit lease(pool& p)
            : pool_(p)
            , connection_(p.take()) {}
        ~lease() { pool_.give_back(connection_); }
        lease(const lease&) = delete;
        lease& operator=(const lease&) = delete;
        pqxx::connection& operator*() const noexcept { return connection_; }

      private:
        pool& pool_;
        pqxx::connection& connection_;
    };
    /// What crosses from the pool's thread to the coroutine's.
    template <class R>
    struct outcome {
        std::exception_ptr failure;
        std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> value;
    };
    struct impl;
    friend class snapshot;

    template <class R, class F>
    outcome<R> attempt(F& work) noexcept;
    /// task() on a thread of the pool, its outcome here.
    template <class R, class F>
    auto on_thread(F task) -> boost::asio::awaitable<R>;
    std::unique_ptr<pqxx::connection> connect() const;
    pqxx::connection& take();
    void give_back(pqxx::connection&) noexcept;
    boost::asio::thread_pool& threads();

    std::unique_ptr<impl> impl_;
};

/// Applies numbered schema steps once, under an advisory lock and in one transaction: {"ledger", {step1_sql,
/// step2_sql}}. Takes what time it needs. Throws when an applied step's text has changed, and when the database knows
/// more steps than the program.
void migrate(pqxx::connection&, std::string_view component, std::initializer_list<std::string_view> steps);

template <class R, class F>
auto pool::attempt(F& work) noexcept -> outcome<R> {
    outcome<R> result;
    try {
        if constexpr (std::is_void_v<R>) {
            work();
            result.value.emplace();
        } else {
            result.value.emplace(work());
        }
    } catch (...) {
        result.failure = std::current_exception();
    }
    return result;
}

template <class R, class F>
auto pool::on_thread(F task) -> boost::asio::awaitable<R> {
    namespace asio = boost::asio;
    auto result = co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(outcome<R>)>(
        [](auto handler, pool* self, F&& task) {
            auto ex = asio::get_associated_executor(handler);
            auto busy = asio::make_work_guard(ex);
            asio::post(self->threads(), [self, task = std::move(task), ex = std::move(ex), busy = std::move(busy),
                                         handler = std::move(handler)]() mutable {
                auto done = self->template attempt<R>(task);
                asio::post(ex, [handler = std::move(handler), done = std::move(done)]() mutable {
                    std::move(handler)(std::move(done));
                });
            });
        },
        asio::use_awaitable, this, std::move(task));
    if (result.failure) {
        std::rethrow_exception(result.failure);
    }
    if constexpr (!std::is_void_v<R>) {
        co_return std::move(*result.value);
    }
}

template <class F>
auto pool::run(F work) -> boost::asio::awaitable<std::invoke_result_t<F&, pqxx::connection&>> {
    using R = std::invoke_result_t<F&, pqxx::connection&>;
    co_return co_await on_thread<R>([this, work = std::move(work)]() mutable -> R {
        const lease connection{*this};
        return work(*connection);
    });
}

template <class F>
auto pool::run_blocking(F work) -> std::invoke_result_t<F&, pqxx::connection&> {
    const lease connection{*this};
    return work(*connection);
}

} // namespace semel::postgres
