#include "backing.hpp"

#include <kafka/admin.hpp>
#include <kafka/retention.hpp>
#include <redis/client.hpp>
#include <redis/closing.hpp>
#include <redis/configured.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cli/database/prepare.hpp>
#include <cli/stack/unsigned_records.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <iterator>
#include <optional>
#include <vector>

namespace semel::cli::stack {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using base::failed;
using kind = base::fault::kind;

namespace {

using question = asio::awaitable<base::result<void>> (*)(redis::client&);

base::result<void> ask_redis(const config::settings& s, question what) {
    asio::io_context io;
    redis::client client{io.get_executor(), redis::configured(s)};
    std::optional<base::result<void>> answer;
    const auto ask = [](redis::client& to, question put,
                        std::optional<base::result<void>>& out) -> asio::awaitable<void> {
        co_await to.connected();
        out = co_await put(to);
    };
    asio::co_spawn(io, ask(client, what, answer), [&](const std::exception_ptr&) { io.stop(); });
    io.run_for(10s);
    if (!answer) {
        return failed(kind::unreachable,
                      fmt::format("Redis at {}:{} does not answer: {}", s.redis.host, s.redis.port, client.trouble()));
    }
    return *answer;
}

} // namespace

base::result<void> check_redis(const config::settings& s) {
    return ask_redis(s, redis::check_durability);
}

base::result<void> close_redis(const config::settings& s) {
    return ask_redis(s, redis::close_in_order);
}

base::result<void> prepare_postgres(const config::settings& s, const std::filesystem::path& passfile) {
    if (s.postgres_users.empty()) {
        return {}; // made before there were roles: the services make their tables themselves
    }
    try {
        pqxx::connection owner{s.postgres_dsn};
        database::prepare(owner);
        return database::give_passwords(owner, s.postgres_users, passfile);
    } catch (const std::exception& e) {
        return failed(kind::broken, fmt::format("PostgreSQL cannot be prepared: {}", e.what()));
    }
}

base::result<void> prepare_kafka(const config::settings& s) {
    const auto cluster = kafka::configured(s);
    kafka::admin admin{cluster};
    const auto topics = wire::all_topics(s.partitions);
    if (auto done = admin.wait_until_ready(30s); !done) {
        return done;
    }
    if (auto done = admin.create_topics(topics); !done) {
        return failed(done.error().within("creating topics"));
    }
    if (auto done = kafka::check_retention(admin, topics); !done) {
        return done;
    }
    if (auto done = note_unsigned_records(s, admin, topics); !done) {
        return failed(done.error().within("noting which records are from before"));
    }
    // Each group has to find its coordinator first, which takes half a second: all of them at once.
    std::vector<std::future<base::result<void>>> writing;
    for (const auto& subscription : wire::all_subscriptions()) {
        writing.push_back(std::async(std::launch::async, [&cluster, &topics, subscription] {
            std::vector<kafka::topic_spec> read;
            std::ranges::copy_if(topics, std::back_inserter(read), [&](const kafka::topic_spec& topic) {
                return std::ranges::find(subscription.topics, topic.name) != subscription.topics.end();
            });
            return kafka::admin{cluster}.write_first_offsets(subscription.group, read);
        }));
    }
    base::result<void> all;
    for (auto& one : writing) {
        if (auto done = one.get(); !done) {
            all = failed(done.error().within("writing the groups' first offsets"));
        }
    }
    return all;
}

} // namespace semel::cli::stack
