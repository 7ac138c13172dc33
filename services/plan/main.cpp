#include <catalog/catalog.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <runtime/serve.hpp>
#include <wire/topics.hpp>

#include <plan/edge/service.hpp>

#include <chrono>
#include <fstream>
#include <stdexcept>

namespace {

using namespace semel;
using namespace std::chrono_literals;

template <class T>
T must(base::result<T> result) {
    if (!result) {
        throw std::runtime_error{result.error().why()};
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}

std::string password_in(const config::path& file) {
    std::string password;
    if (!file.empty() && !(std::ifstream{file} >> password)) {
        throw std::runtime_error{file.string() + ": the password of Redis cannot be read"};
    }
    return password;
}

boost::asio::awaitable<void> serve_plan(runtime::context& ctx) {
    const auto& config = ctx.config();
    kafka::admin admin{config.kafka_bootstrap};
    must(admin.wait_until_ready(30s));
    const plan::kafka_place place{.bootstrap = config.kafka_bootstrap,
                                  .partitions = must(admin.partitions(std::string{wire::audience})),
                                  .instance = ctx.instance_name(),
                                  .prefix = {}};
    redis::client redis{
        ctx.executor(),
        {.host = config.redis.host, .port = config.redis.port, .password = password_in(config.redis_password_file)}};
    co_await redis.connected();
    must(co_await redis::check_durability(redis));
    catalog::catalog campaigns{
        ctx.executor(),
        {.bootstrap = config.kafka_bootstrap,
         .key_encryption_key = must(crypto::load_key_encryption_key(config.key_encryption_key_file)),
         .with_artifacts = false}};
    plan::service service{ctx.executor(), place, redis, campaigns, ctx.metrics()};
    ctx.ready();
    co_await service.run(ctx.stop_requested());
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "plan", serve_plan);
}
