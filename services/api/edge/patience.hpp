#pragma once
// Work that waits for a PostgreSQL that is away.

#include <postgres/outage.hpp>
#include <postgres/pool.hpp>
#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>

namespace semel::api {

/// Repeats work, which must be repeatable, for as long as PostgreSQL is away.
template <class F>
boost::asio::awaitable<std::invoke_result_t<F&, pqxx::connection&>> patiently(postgres::pool& db, F work) {
    for (;;) {
        try {
            co_return co_await db.run(work);
        } catch (const std::exception& e) {
            const auto away = postgres::outage_in(e);
            if (!away) {
                throw;
            }
            telemetry::log().warn("postgres.away", {{"why", away->words}});
        }
        if (!co_await runtime::sleep(std::chrono::seconds{1})) {
            throw boost::system::system_error{boost::asio::error::operation_aborted};
        }
    }
}

} // namespace semel::api
