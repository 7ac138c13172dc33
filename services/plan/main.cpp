#include <base/must.hpp>
#include <catalog/catalog.hpp>
#include <kafka/admin.hpp>
#include <redis/configured.hpp>
#include <runtime/race.hpp>
#include <runtime/serve.hpp>
#include <wire/topics.hpp>

#include <plan/edge/service.hpp>
#include <ticks/service.hpp>

#include <chrono>
#include <vector>

namespace {

using namespace semel;
using namespace std::chrono_literals;

using base::must;

boost::asio::awaitable<void> serve_plan(runtime::context& ctx) {
    const auto& config = ctx.config();
    const auto cluster = kafka::configured(config);
    kafka::admin admin{cluster};
    must(admin.wait_until_ready(30s));
    const plan::kafka_place place{.bootstrap = cluster,
                                  .partitions = must(admin.partitions(std::string{wire::audience})),
                                  .instance = ctx.instance_name(),
                                  .prefix = {}};
    redis::client redis{ctx.executor(), redis::configured(config)};
    co_await redis.connected();
    must(co_await redis::check_durability(redis));
    ticks::clock clock{ctx.executor(), {.bootstrap = cluster}};
    trouble::teller told{redis, "plan", ctx.instance_name()};
    if (!co_await ticks::wait_for_the_time(ctx, clock, told)) {
        co_return;
    }
    catalog::catalog campaigns{ctx.executor(), {.bootstrap = cluster, .keys = ctx.keys(), .with_artifacts = false}};
    plan::service service{ctx.executor(), place, redis, campaigns, clock.source(), ctx.metrics()};
    std::vector<boost::asio::awaitable<void>> tasks;
    tasks.push_back(service.run(ticks::stop_or_wrong(ctx, clock)));
    tasks.push_back(clock.run());
    tasks.push_back(ticks::tell(clock, told));
    tasks.push_back(ticks::tell_readiness(ctx, redis, clock));
    co_await runtime::first_of(std::move(tasks));
    ticks::expect_stopped(ctx, clock);
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "plan", serve_plan);
}
