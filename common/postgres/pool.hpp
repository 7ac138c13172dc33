#pragma once
// libpqxx on a few threads of its own: work runs there with a connection to itself, the coroutine resumes on its
// executor with the result. A broken connection is replaced; serialization failures and lost connections are thrown
// to the caller as pqxx exceptions (the caller knows whether repeating is safe).

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <pqxx/pqxx>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>

namespace semel::postgres {

class pool {
  public:
    pool(std::string dsn, unsigned connections);
    ~pool();

    /// `auto n = co_await db.run([id](pqxx::connection& c) { pqxx::work tx{c}; ...; tx.commit(); return n; });`
    /// The function must own what it uses: it runs on another thread.
    template <class F> auto run(F work) -> boost::asio::awaitable<std::invoke_result_t<F&, pqxx::connection&>>;

    /// For start-up and tools: the same, blocking.
    template <class F> auto run_blocking(F work) -> std::invoke_result_t<F&, pqxx::connection&>;

  private:
    class lease; // takes a connection out of the pool and brings it back (or drops it when broken)
    struct impl;
    pqxx::connection& take();
    void give_back(pqxx::connection&) noexcept;
    boost::asio::thread_pool& threads();
    std::unique_ptr<impl> impl_;
};

/// Applies numbered schema steps once, under an advisory lock: {"ledger", {step1_sql, step2_sql}}.
void migrate(pqxx::connection&, std::string_view component, std::initializer_list<std::string_view> steps);

} // namespace semel::postgres
