#include "dispatcher.hpp"

#include "connections.hpp"
#include "forgetting.hpp"

#include <base/must.hpp>
#include <kafka/admin.hpp>
#include <kafka/retention.hpp>
#include <redis/configured.hpp>
#include <runtime/race.hpp>
#include <runtime/together.hpp>
#include <wire/topics.hpp>

#include <boost/asio/thread_pool.hpp>
#include <ticks/service.hpp>
#include <trouble/board.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>

namespace semel::delivery {

namespace asio = boost::asio;

namespace {

using base::must;

std::vector<kafka::topic_spec> topics_of(base::channel channel, std::int32_t partitions) {
    auto topics = wire::all_topics(partitions);
    const auto own = wire::dispatch(channel);
    const auto retries = "retry." + std::string{base::to_string(channel)} + ".";
    std::erase_if(topics, [&](const kafka::topic_spec& t) {
        return t.name != own && !t.name.starts_with(retries) && t.name != wire::events && t.name != wire::ticks &&
               t.name != wire::dead_letter;
    });
    return topics;
}

/// It can send once it knows the campaigns.
asio::awaitable<void> tell_health(runtime::context& ctx, catalog::catalog& c, const redis::client& redis,
                                  const ticks::clock& clock) {
    co_await c.loaded();
    co_await ticks::tell_readiness(ctx, redis, clock);
}

asio::awaitable<void> tell_trouble(const engine& e, const ticks::clock& clock, trouble::teller& to) {
    do {
        auto now = e.troubles();
        if (auto wrong = clock.trouble()) {
            now.push_back(std::move(*wrong));
        }
        co_await to.tell(std::move(now));
    } while (co_await runtime::sleep(trouble::told_every));
}

/// What retry.* held and is settled is in the events: its room is given back. A broker that refuses loses nothing by
/// it.
asio::awaitable<void> forget_retries(runtime::context& ctx, engine& e, kafka::admin& kafka, asio::thread_pool& thread) {
    constexpr std::chrono::seconds every{60};
    std::map<kafka::topic_partition, kafka::offset> forgotten;
    while (co_await runtime::sleep(every)) {
        auto settled = e.settled("retry.");
        std::erase_if(settled, [&](const kafka::start& s) { return s.next <= forgotten[s.at]; });
        const auto done =
            co_await runtime::on_thread(thread, [&kafka, settled] { return kafka.delete_records(settled); });
        if (!done) {
            ctx.log().warn("records.not_deleted", {{"topics", "retry.*"}, {"why", done.error().why()}});
            continue;
        }
        for (const auto& s : settled) {
            forgotten[s.at] = s.next;
        }
    }
}

std::vector<lane_config> lanes_of(const std::vector<config::gateway>& gateways, const make_gateway& make) {
    std::vector<lane_config> lanes;
    for (const auto& g : gateways) {
        auto made = make(g);
        if (!made) {
            throw std::runtime_error{"gateway " + g.name + ": " + made.error().why()};
        }
        lane_config lane{.gateway = std::move(*made), .per_second = g.limit.per_second};
        for (const auto& [domain, limit] : g.domains) {
            lane.domains.emplace(domain, limit.per_second);
        }
        lanes.push_back(std::move(lane));
    }
    return lanes;
}

asio::awaitable<void> work(runtime::context& ctx, engine& e, catalog::catalog& c, redis::client& redis,
                           ticks::clock& clock, trouble::teller& told, kafka::admin& kafka, kafka::cluster cluster,
                           asio::thread_pool& thread) {
    std::vector<asio::awaitable<void>> tasks;
    tasks.push_back(c.run());
    tasks.push_back(e.run());
    tasks.push_back(clock.run());
    tasks.push_back(tell_health(ctx, c, redis, clock));
    tasks.push_back(tell_trouble(e, clock, told));
    tasks.push_back(forget_retries(ctx, e, kafka, thread));
    tasks.push_back(forget_dispatches(e, c, cluster, ctx.log()));
    co_await runtime::first_of(std::move(tasks));
}

} // namespace

asio::awaitable<void> dispatch(runtime::context& ctx, base::channel channel,
                               const std::vector<config::gateway>& gateways, make_gateway make) {
    const auto& config = ctx.config();
    auto lanes = lanes_of(gateways, make);
    const auto cluster = kafka::configured(config);
    kafka::admin admin{cluster};
    must(admin.wait_until_ready(std::chrono::seconds{30}));
    must(kafka::check_retention(admin, topics_of(channel, config.partitions)));
    redis::client redis{ctx.executor(), redis::configured(config)};
    ctx.not_ready("waits for Redis");
    co_await redis.connected();
    must(co_await redis::check_durability(redis));
    ticks::clock clock{ctx.executor(), {.bootstrap = cluster}};
    trouble::teller told{redis, std::string{base::to_string(channel)}, ctx.instance_name()};
    if (!co_await ticks::wait_for_the_time(ctx, clock, told)) {
        co_return;
    }
    catalog::catalog catalog{ctx.executor(), {.bootstrap = cluster, .keys = ctx.keys()}};
    engine_options options;
    options.channel = channel;
    options.partitions = must(admin.partitions(std::string{wire::events}));
    connections servers{ctx.executor(),
                        {.bootstrap = cluster, .instance = ctx.instance_name(), .time = clock.source()},
                        options,
                        catalog,
                        redis};
    engine engine{ctx.executor(), std::move(options), servers.open(), std::move(lanes), ctx.metrics(), ctx.log()};

    asio::thread_pool thread{1}; // its work uses what is above
    co_await runtime::race(work(ctx, engine, catalog, redis, clock, told, admin, cluster, thread),
                           ctx.stop_requested()); // intake ends here
    ctx.not_ready("draining");
    // What is out is answered and committed. The process is given up at the deadline: all must have been said by then.
    const std::chrono::milliseconds whole = config.drain_deadline;
    co_await engine.drain(std::max(whole - engine::closing_time, whole / 4));
    if (engine.cut_off()) {
        const auto wrong = clock.trouble();
        throw std::runtime_error{"this process has given its partitions up and starts anew, to take some when it can "
                                 "send: " +
                                 (wrong ? wrong->words : "Redis does not answer: " + redis.trouble())};
    }
}

} // namespace semel::delivery
