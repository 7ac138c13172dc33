#include "gateways.hpp"
#include "provider.hpp"

#include <kafka/admin.hpp>
#include <kafka/cluster.hpp>
#include <kafka/retention.hpp>
#include <postgres/configured.hpp>
#include <redis/configured.hpp>
#include <wire/topics.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cli/check/probe.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace semel::cli {

namespace asio = boost::asio;
using base::failed;
using kind = base::fault::kind;
using result = base::result<void>;
using std::chrono::milliseconds;

namespace {

result try_kafka(const config::settings& s, milliseconds patience) {
    try {
        kafka::admin admin{kafka::configured(s)};
        if (auto ready = admin.wait_until_ready(patience); !ready) {
            return ready;
        }
        const auto topics = wire::all_topics(s.partitions);
        const auto missing = std::ranges::find_if(topics, [&](const auto& t) { return !admin.partitions(t.name); });
        if (missing != topics.end()) {
            return failed(kind::broken, fmt::format("Kafka has no topic {}: `semel prepare FILE` makes what is missing",
                                                    missing->name));
        }
        return kafka::check_retention(admin, topics);
    } catch (const std::exception& e) { // a file that librdkafka cannot read
        return failed(kind::broken, e.what());
    }
}

result try_redis(const config::settings& s, milliseconds patience) {
    try {
        asio::io_context io;
        redis::client client{io.get_executor(), redis::configured(s)};
        std::optional<result> out;
        asio::co_spawn(
            io,
            [](redis::client& to, std::optional<result>& said) -> asio::awaitable<void> {
                co_await to.connected();
                said = co_await redis::check_durability(to);
            }(client, out),
            [&](const std::exception_ptr&) { io.stop(); });
        io.run_for(patience);
        if (out) {
            return *out;
        }
        // It tries for ever: what keeps it from connecting is an operator's matter where the server answered.
        const auto& why = client.trouble();
        return failed(client.needs_an_operator() ? kind::broken : kind::unreachable, why);
    } catch (const std::exception& e) {
        return failed(kind::broken, e.what());
    }
}

result try_postgres(const config::settings& s, std::string_view service) {
    try {
        postgres::pool db{postgres::configured(s, service), 1};
        db.run_blocking([](pqxx::connection& c) {
            pqxx::work tx{c};
            tx.exec("SELECT 1");
        });
        return {};
    } catch (const std::exception& e) {
        std::string why = e.what();
        why.erase(why.find_last_not_of(" \n") + 1);
        // libpq has no codes for what happens before a session: whoever says FATAL is a server that answered.
        const auto says = [&](std::string_view word) { return why.find(word) != std::string::npos; };
        const bool ours = says("FATAL") || says("certificate") || says("SSL") || says("password");
        return failed(ours ? kind::broken : kind::unreachable,
                      ours ? fmt::format("{}\n    compare postgres.dsn (user, database, sslmode, sslrootcert), "
                                         "postgres.users and postgres.password_file with what the server knows",
                                         why)
                           : why);
    }
}

result try_one(asio::awaitable<result> attempt, milliseconds patience) {
    asio::io_context io;
    result out = failed(kind::unreachable, "no answer in time");
    asio::co_spawn(io, std::move(attempt), [&](const std::exception_ptr& thrown, result said) {
        out = thrown ? failed(kind::broken, "the try itself failed") : std::move(said);
    });
    io.run_for(patience + std::chrono::seconds{1});
    return out;
}

std::string place_of(const config::gateway& g) {
    if (const auto* relay = std::get_if<config::smtp>(&g.link)) {
        return fmt::format("{}:{}", relay->host, relay->port);
    }
    if (const auto* centre = std::get_if<config::smpp>(&g.link)) {
        return fmt::format("{}:{}", centre->host, centre->port);
    }
    const auto* apns = std::get_if<config::apns>(&g.link);
    return apns != nullptr ? apns->endpoint : std::get<config::fcm>(g.link).endpoint;
}

std::string_view link_of(const config::gateway& g) {
    constexpr std::array<std::string_view, 4> names{"smtp", "apns", "fcm", "smpp"};
    return names.at(g.link.index());
}

} // namespace

std::string key_at_fault(std::string_view words, std::string_view section, std::string_view otherwise) {
    // The longest first: "ca" is in many a word.
    for (const std::string_view name : {"security_protocol", "sasl_mechanism", "password_file", "server_name",
                                        "certificate", "key_file", "user", "ca", "tls"}) {
        if (words.find(fmt::format("{}.{}", section, name)) != std::string_view::npos) {
            return fmt::format("{}.{}", section, name);
        }
    }
    if (words.find("was not accepted") != std::string_view::npos) { // a certificate
        return fmt::format("{}.ca", section);
    }
    return std::string{otherwise};
}

std::vector<probe> probe_servers(const config::settings& s, const probe_options& options) {
    std::vector<probe> all;
    const auto add = [&](std::string what, std::string_view section, std::string_view usual, result outcome) {
        auto key = outcome ? std::string{usual} : key_at_fault(outcome.error().why(), section, usual);
        all.push_back({.what = std::move(what), .key = std::move(key), .outcome = std::move(outcome)});
    };
    add("Kafka at " + s.kafka_bootstrap, "kafka", "kafka.bootstrap", try_kafka(s, options.patience));
    add(fmt::format("Redis at {}:{}", s.redis.host, s.redis.port), "redis", "redis.address",
        try_redis(s, options.patience));
    if (s.postgres_users.empty()) {
        add("PostgreSQL", "postgres", "postgres.dsn", try_postgres(s, {}));
    }
    for (const auto& [service, role] : s.postgres_users) {
        add(fmt::format("PostgreSQL as {}", role), "postgres", "postgres.users." + service, try_postgres(s, service));
    }
    if (s.sign_on) {
        add("the provider at " + s.sign_on->issuer, "api.sign_on", "api.sign_on.issuer",
            try_one(reach_provider(*s.sign_on, options.patience), options.patience));
    }
    for (const auto& [channel, gateways] :
         {std::pair{"email", &s.email}, std::pair{"push", &s.push}, std::pair{"sms", &s.sms}}) {
        for (std::size_t i = 0; i < gateways->size(); ++i) {
            const auto& g = (*gateways)[i];
            const auto key = fmt::format("gateways.{}[{}].{}", channel, i, link_of(g));
            add(fmt::format("{} at {}", g.name, place_of(g)), key, key,
                try_one(reach(g, options.patience), options.patience));
        }
    }
    return all;
}

int exit_code_of(const std::vector<probe>& all) noexcept {
    int worst = 0;
    for (const auto& one : all) {
        if (!one.outcome && one.outcome.error().what() != kind::unreachable) {
            return 1;
        }
        worst = one.outcome ? worst : 3;
    }
    return worst;
}

} // namespace semel::cli
