#include <base/must.hpp>
#include <catalog/catalog.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <redis/configured.hpp>
#include <runtime/serve.hpp>
#include <runtime/tasks.hpp>
#include <wire/topics.hpp>

#include <plan/edge/service.hpp>

#include <chrono>

namespace {

using namespace semel;
using namespace std::chrono_literals;

using base::must;

/// Ready while it can register and release: both need Redis.
boost::asio::awaitable<void> tell_health(runtime::context& ctx, redis::client& redis) {
    do {
        if (redis.trouble().empty()) {
            ctx.ready();
        } else {
            ctx.not_ready("Redis: " + redis.trouble());
        }
    } while (co_await runtime::sleep(500ms));
}

boost::asio::awaitable<void> serve_plan(runtime::context& ctx) {
    const auto& config = ctx.config();
    kafka::admin admin{config.kafka_bootstrap};
    must(admin.wait_until_ready(30s));
    const plan::kafka_place place{.bootstrap = config.kafka_bootstrap,
                                  .partitions = must(admin.partitions(std::string{wire::audience})),
                                  .instance = ctx.instance_name(),
                                  .prefix = {}};
    redis::client redis{ctx.executor(), redis::configured(config)};
    co_await redis.connected();
    must(co_await redis::check_durability(redis));
    catalog::catalog campaigns{
        ctx.executor(),
        {.bootstrap = config.kafka_bootstrap,
         .key_encryption_key = must(crypto::load_key_encryption_key(config.key_encryption_key_file)),
         .with_artifacts = false}};
    plan::service service{ctx.executor(), place, redis, campaigns, ctx.metrics()};
    co_await runtime::race(service.run(ctx.stop_requested()), tell_health(ctx, redis));
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "plan", serve_plan);
}
