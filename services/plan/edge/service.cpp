#include "service.hpp"

#include <runtime/race.hpp>

namespace semel::plan {

namespace asio = boost::asio;

service::service(asio::any_io_executor executor, const kafka_place& place, redis::client& redis,
                 catalog::catalog& campaigns, base::time_source time, telemetry::metrics& metrics)
    : campaigns_(campaigns)
    , passes_(executor, place, redis, [&campaigns] { return campaigns.campaigns(); }, std::move(time), metrics) {}

asio::awaitable<void> service::run(asio::awaitable<void> stop) {
    const auto watch = [](catalog::catalog& campaigns, passes& both) -> asio::awaitable<void> {
        for (auto seen = campaigns.version();;) {
            seen = co_await campaigns.changed(seen);
            both.wake();
        }
    };
    const auto work = [](catalog::catalog& campaigns, passes& both,
                         asio::awaitable<void> until) -> asio::awaitable<void> {
        co_await campaigns.loaded();
        co_await both.run(std::move(until));
    };
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(campaigns_.run());
    tasks.push_back(watch(campaigns_, passes_));
    tasks.push_back(work(campaigns_, passes_, std::move(stop)));
    co_await runtime::first_of(std::move(tasks));
}

} // namespace semel::plan
