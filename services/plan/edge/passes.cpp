#include "passes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace semel::plan {

namespace asio = boost::asio;

passes::passes(asio::any_io_executor executor, const kafka_place& place, redis::client& redis,
               const campaign_source& campaigns, base::time_source time, telemetry::metrics& metrics, pace ahead)
    : probe_(metrics)
    , registrar_(executor, place, redis, campaigns, probe_)
    , releaser_(executor, place, redis, campaigns, probe_, [this] { registrar_.wake(); }, std::move(time), ahead) {}

void passes::wake() {
    registrar_.wake();
    releaser_.wake();
}

asio::awaitable<void> passes::run(asio::awaitable<void> stop) {
    const auto executor = co_await asio::this_coro::executor;
    const auto stop_both = [](passes& self, asio::awaitable<void> until) -> asio::awaitable<void> {
        co_await std::move(until);
        self.registrar_.stop();
        self.releaser_.stop();
    };
    auto all = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, registrar_.run(), asio::deferred),
        asio::co_spawn(executor, releaser_.run(), asio::deferred),
        asio::co_spawn(executor, stop_both(*this, std::move(stop)), asio::deferred));
    auto [order, registering, releasing, stopping] =
        co_await all.async_wait(asio::experimental::wait_for_one_error{}, asio::use_awaitable);
    // The first failure is the cause; what follows are the cancellations.
    const std::array failures{registering, releasing, stopping};
    for (const auto which : order) {
        if (failures[which]) {
            std::rethrow_exception(failures[which]);
        }
    }
}

} // namespace semel::plan
