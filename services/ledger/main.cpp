#include <kafka/retention.hpp>
#include <postgres/configured.hpp>
#include <runtime/serve.hpp>
#include <wire/topics.hpp>

#include <ledger/edge/service.hpp>

#include <chrono>
#include <stdexcept>

namespace {

using namespace semel;
using namespace std::chrono_literals;

void must(const base::result<void>& result) {
    if (!result) {
        throw std::runtime_error{result.error().why()};
    }
}

boost::asio::awaitable<void> serve_ledger(runtime::context& ctx) {
    const auto& config = ctx.config();
    const auto cluster = kafka::configured(config);
    kafka::admin admin{cluster};
    must(admin.wait_until_ready(30s));
    auto topics = wire::all_topics(config.partitions);
    std::erase_if(topics, [](const auto& topic) { return topic.name != wire::events; });
    must(kafka::check_retention(admin, topics));
    postgres::pool db{postgres::configured(config, "ledger"), 2};

    ledger::settings settings;
    settings.bootstrap = cluster;
    settings.instance = ctx.instance_name();
    ledger::service service{
        ctx.executor(), std::move(settings), db, ctx.metrics(),
        [&ctx](const std::optional<std::string>& trouble) { trouble ? ctx.not_ready(*trouble) : ctx.ready(); }};
    co_await service.run(ctx.stop_requested());
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "ledger", serve_ledger);
}
