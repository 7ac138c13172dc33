#pragma once
// Work that waits for a PostgreSQL that is away, stops, hangs, is full, or lets others go first. A mistake of ours is
// thrown at once: waiting would only hide it.

#include <postgres/outage.hpp>
#include <postgres/pool.hpp>
#include <runtime/race.hpp>
#include <runtime/retry.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace semel::postgres {

struct waiting {
    runtime::retry::pace pace{.first = std::chrono::milliseconds{200}, .longest = std::chrono::milliseconds{2'000}};
    /// Nobody else makes the tables that are missing: that is not an outage.
    bool tables_are_ours = false;
    /// Asked after each failed attempt; true: wait no longer (given_up). Empty: never.
    std::function<bool()> enough = {};
    /// Hears, in words for an operator, what is waited for after each failed attempt, and nothing once it is over.
    std::function<void(const std::optional<std::string>&)> tell = {};
};

/// enough() had enough.
class given_up : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The attempts at one piece of work.
class attempts {
  public:
    explicit attempts(waiting how);
    /// How long to wait before the next one. Call it while handling the exception: rethrows what is not an outage.
    std::chrono::milliseconds failed(const std::exception&);
    void succeeded();

  private:
    waiting how_;
    runtime::retry pauses_;
    bool told_ = false;
};

/// Repeats attempt(), which gives an awaitable and must be repeatable, until it succeeds. One strand.
template <class Attempt>
auto patiently(Attempt attempt, waiting how = {}) -> std::invoke_result_t<Attempt&> {
    attempts all{std::move(how)};
    for (;;) {
        std::chrono::milliseconds pause{};
        try {
            if constexpr (std::is_void_v<typename std::invoke_result_t<Attempt&>::value_type>) {
                co_await attempt();
                all.succeeded();
                co_return;
            } else {
                auto done = co_await attempt();
                all.succeeded();
                co_return done;
            }
        } catch (const std::exception& e) {
            pause = all.failed(e);
        }
        if (!co_await runtime::sleep(pause)) {
            throw boost::system::system_error{boost::asio::error::operation_aborted};
        }
    }
}

namespace detail {
/// A COPY that was cut off says so in words only.
template <class F>
std::invoke_result_t<F&, pqxx::connection&> called_plainly(F& work, pqxx::connection& c) {
    try {
        return work(c);
    } catch (const pqxx::in_doubt_error&) {
        throw;
    } catch (const pqxx::sql_error&) {
        throw;
    } catch (const std::exception&) {
        if (!c.is_open()) {
            throw pqxx::broken_connection{"the connection to PostgreSQL was lost"};
        }
        throw;
    }
}
} // namespace detail

/// The same for work on a connection of the pool; see pool::run().
template <class F>
auto patiently(pool& db, F work, waiting how = {})
    -> boost::asio::awaitable<std::invoke_result_t<F&, pqxx::connection&>> {
    auto attempt = [&db, work = std::move(work)] {
        return db.run([work](pqxx::connection& c) mutable { return detail::called_plainly(work, c); });
    };
    return patiently(std::move(attempt), std::move(how));
}

} // namespace semel::postgres
