#include <base/must.hpp>
#include <kafka/retention.hpp>
#include <runtime/serve.hpp>
#include <wire/topics.hpp>

#include <intake/edge/service.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

namespace {

using namespace semel;
using namespace std::chrono_literals;

using base::must;

std::vector<kafka::topic_spec> topics_of_intake(std::int32_t partitions) {
    auto topics = wire::all_topics(partitions);
    constexpr std::array ours{wire::intake_work, wire::audience, wire::progress, wire::feedback};
    std::erase_if(topics, [&](const auto& topic) { return std::ranges::find(ours, topic.name) == ours.end(); });
    return topics;
}

boost::asio::awaitable<void> serve_intake(runtime::context& ctx) {
    const auto& config = ctx.config();
    const auto cluster = kafka::configured(config);
    kafka::admin admin{cluster};
    must(admin.wait_until_ready(30s));
    must(kafka::check_retention(admin, topics_of_intake(config.partitions)));
    intake::settings settings;
    settings.bootstrap = cluster;
    settings.instance = ctx.instance_name();
    settings.uploads = config.data_dir / "uploads";
    settings.rejects = config.data_dir / "rejects";
    settings.keys = ctx.keys();
    settings.audience_partitions = must(admin.partitions(std::string{wire::audience}));
    settings.progress_partitions = must(admin.partitions(std::string{wire::progress}));

    settings.limits = {.decoded = config.limits.decoded, .rows = config.limits.rows};
    settings.listed_rejects = config.limits.listed_rejects;

    intake::service service{ctx.executor(), std::move(settings), ctx.metrics()};
    ctx.ready();
    co_await service.run(ctx.stop_requested());
}

} // namespace

int main(int argc, char** argv) {
    return runtime::serve(argc, argv, "intake", serve_intake);
}
