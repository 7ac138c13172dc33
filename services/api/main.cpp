#include <kafka/admin.hpp>
#include <postgres/configured.hpp>
#include <redis/configured.hpp>
#include <runtime/condition.hpp>
#include <runtime/race.hpp>
#include <runtime/serve.hpp>
#include <telemetry/log.hpp>

#include <api/edge/api.hpp>
#include <api/edge/background.hpp>
#include <api/edge/console_files.hpp>
#include <api/edge/figures.hpp>
#include <api/edge/first_users.hpp>
#include <api/edge/freezing.hpp>
#include <api/edge/halting.hpp>
#include <api/edge/publisher.hpp>
#include <api/edge/test_addresses.hpp>
#include <api/edge/verify.hpp>
#include <ticks/service.hpp>

#include <chrono>

namespace {

using namespace semel;
using namespace std::chrono_literals;
namespace asio = boost::asio;

/// The tables, and in them what files and the process before have left.
void prepare(pqxx::connection& c, runtime::context& ctx) {
    api::store::migrate(c);
    {
        pqxx::work tx{c};
        // Tells at once of one in semel.yaml that is not an address.
        static_cast<void>(api::listed_test_addresses(tx, ctx.config(), ctx.keys()));
    }
    api::adopt_users(c, ctx.config().tokens_dir);
    api::drop_broken_off_uploads(c, ctx.config().data_dir, ctx.instance_name());
}

http::server_options where_to_listen(const config::settings& config) {
    http::server_options listen;
    listen.host = config.api.host;
    listen.port = config.api.port;
    listen.certificate = config.api_tls.certificate;
    listen.key = config.api_tls.key_file;
    listen.share_port = true; // `semel scale api 2`: connections go to any of them
    return listen;
}

/// The api's routes, and the console's files where they are built.
http::router everything(api::services& services) {
    auto all = api::routes(services).router();
    const auto& said = services.config.console_dir;
    const auto folder = said.empty() ? api::built_console() : said;
    auto files = std::make_shared<const api::console_files>(api::console_files::read(folder));
    if (files->empty()) {
        telemetry::log().warn("console.absent", {{"folder", folder.string()}});
    }
    api::add_console(all, std::move(files));
    return all;
}

asio::awaitable<void> api_service(runtime::context& ctx) {
    const auto cluster = kafka::configured(ctx.config());
    kafka::admin kafka{cluster};
    if (const auto up = kafka.wait_until_ready(30s); !up) {
        throw std::runtime_error{up.error().why()};
    }
    const auto topics = api::topic_sizes::read(kafka);
    if (!topics) {
        throw std::runtime_error{topics.error().why()};
    }
    // Reports and lists of a large campaign take longer than anything that others ask for.
    const auto database = postgres::configured(ctx.config(), "api");
    postgres::pool db{database, 4, {.statement = std::chrono::minutes{5}}}, steps{database, 2};
    postgres::pool lists{database, 2, {.statement = std::chrono::minutes{30}}};
    db.run_blocking([&](pqxx::connection& c) { prepare(c, ctx); });
    redis::client redis{ctx.executor(), redis::configured(ctx.config())};
    ticks::clock clock{ctx.executor(), {.bootstrap = cluster}};
    trouble::teller told{redis, "api", ctx.instance_name()};
    runtime::condition outbox{ctx.executor()};
    asio::thread_pool disk{1};
    api::services services{.executor = ctx.executor(),
                           .config = ctx.config(),
                           .instance = ctx.instance_name(),
                           .db = db,
                           .steps = steps,
                           .lists = lists,
                           .redis = redis,
                           .outbox = outbox,
                           .disk = disk,
                           .keys = ctx.keys(),
                           .topics = *topics,
                           .time = clock.source()};
    http::server server{ctx.executor(), where_to_listen(ctx.config()), everything(services)};
    const auto verify = api::open_verify_page(ctx.executor(), ctx.config(), ctx.metrics());

    api::publisher outbox_publisher{services};

    ctx.ready();
    std::vector<asio::awaitable<void>> work;
    work.push_back(server.run());
    if (verify) {
        work.push_back(verify->run());
    }
    work.push_back(clock.run());
    work.push_back(ticks::tell(clock, told)); // it stays ready: pausing and cancelling go by no clock
    work.push_back(outbox_publisher.run());
    work.push_back(api::take_feedback(services));
    work.push_back(api::finish_campaigns(services));
    work.push_back(api::halt_campaigns(services));
    work.push_back(api::sweep_uploads(services));
    work.push_back(api::freeze_audiences(services));
    work.push_back(api::show_campaigns(services, ctx.metrics()));
    co_await runtime::race(runtime::first_of(std::move(work)), ctx.stop_requested());
    co_await server.stop(10s); // requests under way are answered
    if (verify) {
        co_await verify->stop(5s);
    }
}

} // namespace

int main(int argc, char** argv) {
    return semel::runtime::serve(argc, argv, "api", api_service);
}
