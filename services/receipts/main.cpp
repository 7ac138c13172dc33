#include <base/must.hpp>
#include <catalog/catalog.hpp>
#include <crypto/keys.hpp>
#include <kafka/admin.hpp>
#include <postgres/pool.hpp>
#include <redis/configured.hpp>
#include <runtime/serve.hpp>
#include <runtime/tasks.hpp>
#include <wire/topics.hpp>

#include <receipts/edge/service.hpp>

#include <chrono>
#include <stdexcept>

namespace {

using namespace semel;
using namespace std::chrono_literals;

using base::must;

boost::asio::awaitable<void> work(catalog::catalog& campaigns, receipts::service& service, runtime::context& ctx) {
    co_await campaigns.loaded(); // before a doubt asks for its policy
    ctx.ready();
    co_await service.run(ctx.stop_requested());
}

boost::asio::awaitable<void> serve_receipts(runtime::context& ctx) {
    const auto& config = ctx.config();
    kafka::admin admin{config.kafka_bootstrap};
    must(admin.wait_until_ready(30s));
    receipts::settings settings;
    settings.bootstrap = config.kafka_bootstrap;
    settings.partitions = must(admin.partitions(std::string{wire::events}));
    settings.instance = ctx.instance_name();
    settings.key_encryption_key = must(crypto::load_key_encryption_key(config.key_encryption_key_file));

    for (const auto& gateway : config.sms) {
        if (std::get<config::smpp>(gateway.link).exclusive) {
            settings.exclusive.insert(gateway.name);
        }
    }

    postgres::pool database{config.postgres_dsn, 1};
    database.run_blocking(receipts::index::migrate);
    catalog::catalog campaigns{ctx.executor(),
                               {.bootstrap = config.kafka_bootstrap,
                                .key_encryption_key = settings.key_encryption_key,
                                .with_artifacts = false}};
    redis::client redis{ctx.executor(), redis::configured(config)}; // it may be away: no doubt waits for it
    receipts::service service{ctx.executor(),
                              std::move(settings),
                              database,
                              redis,
                              [&campaigns](const base::campaign_id& id) { return campaigns.find(id); },
                              ctx.metrics()};
    std::vector<boost::asio::awaitable<void>> tasks;
    tasks.push_back(campaigns.run());
    tasks.push_back(work(campaigns, service, ctx));
    co_await runtime::first_of(std::move(tasks));
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "receipts", serve_receipts);
}
