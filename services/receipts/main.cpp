#include <base/must.hpp>
#include <catalog/catalog.hpp>
#include <kafka/admin.hpp>
#include <kafka/producer.hpp>
#include <postgres/configured.hpp>
#include <redis/configured.hpp>
#include <runtime/race.hpp>
#include <runtime/serve.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <receipts/edge/bounce_server.hpp>
#include <receipts/edge/service.hpp>
#include <ticks/service.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace semel;
using namespace std::chrono_literals;

using base::must;

boost::asio::awaitable<void> work(catalog::catalog& campaigns, receipts::service& service, runtime::context& ctx,
                                  ticks::clock& clock) {
    co_await campaigns.loaded(); // before a doubt asks for its policy
    co_await service.run(ticks::stop_or_wrong(ctx, clock));
}

boost::asio::awaitable<void> tell_health(runtime::context& ctx, catalog::catalog& campaigns, const ticks::clock& clock,
                                         const receipts::service& service) {
    co_await campaigns.loaded();
    do {
        if (const auto wrong = clock.trouble()) {
            ctx.not_ready(wrong->words);
        } else if (const auto& waiting = service.trouble()) {
            ctx.not_ready(*waiting);
        } else {
            ctx.ready();
        }
    } while (co_await runtime::sleep(500ms));
}

/// Nothing where semel.yaml has no place for mails that come back.
std::unique_ptr<receipts::bounce_server> take_bounces(runtime::context& ctx, const kafka::cluster& cluster,
                                                      std::int32_t partitions) {
    const auto& config = ctx.config();
    if (!config.bounces) {
        return nullptr;
    }
    // Of the connections: one may still be at it when the server is gone.
    auto into = std::make_shared<kafka::producer>(
        ctx.executor(), kafka::producer_options{.bootstrap = cluster, .transactional_id = {}});
    auto keep = [into, partitions](v1::GatewayReceipt report) -> boost::asio::awaitable<bool> {
        auto [key, partition] = wire::place_of(report, partitions);
        auto value = report.SerializeAsString();
        const auto sent =
            co_await into->send({std::string{wire::gateway_receipts}, partition}, std::move(key), std::move(value));
        co_return sent.has_value();
    };
    return std::make_unique<receipts::bounce_server>(
        ctx.executor(), receipts::bounce_server::options{.host = config.bounces->host, .port = config.bounces->port},
        receipts::reader_of(config.email), std::move(keep), ctx.metrics());
}

boost::asio::awaitable<void> serve_receipts(runtime::context& ctx) {
    const auto& config = ctx.config();
    const auto cluster = kafka::configured(config);
    kafka::admin admin{cluster};
    must(admin.wait_until_ready(30s));
    receipts::settings settings;
    settings.bootstrap = cluster;
    settings.partitions = must(admin.partitions(std::string{wire::events}));
    const auto partitions = settings.partitions;
    settings.instance = ctx.instance_name();
    settings.keys = ctx.keys();

    for (const auto& gateway : config.sms) {
        if (std::get<config::smpp>(gateway.link).exclusive) {
            settings.exclusive.insert(gateway.name);
        }
    }

    redis::client redis{ctx.executor(), redis::configured(config)}; // it may be away: no doubt waits for it
    ticks::clock clock{ctx.executor(), {.bootstrap = cluster}};
    settings.time = clock.source();
    trouble::teller told{redis, "receipts", ctx.instance_name()};
    if (!co_await ticks::wait_for_the_time(ctx, clock, told)) {
        co_return;
    }
    postgres::pool database{postgres::configured(config, "receipts"), 1};
    database.run_blocking(receipts::migrate);
    catalog::catalog campaigns{ctx.executor(), {.bootstrap = cluster, .keys = settings.keys, .with_artifacts = false}};
    receipts::service service{ctx.executor(),
                              std::move(settings),
                              database,
                              redis,
                              [&campaigns](const base::campaign_id& id) { return campaigns.find(id); },
                              ctx.metrics()};
    const auto bounces = take_bounces(ctx, cluster, partitions);
    std::vector<boost::asio::awaitable<void>> tasks;
    if (bounces) {
        tasks.push_back(bounces->run());
    }
    tasks.push_back(campaigns.run());
    tasks.push_back(clock.run());
    tasks.push_back(ticks::tell(clock, told));
    tasks.push_back(tell_health(ctx, campaigns, clock, service));
    tasks.push_back(work(campaigns, service, ctx, clock));
    co_await runtime::first_of(std::move(tasks));
    ticks::expect_stopped(ctx, clock);
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "receipts", serve_receipts);
}
