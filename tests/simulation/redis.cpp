#include "redis.hpp"

#include <delivery/redis/claims.hpp>
#include <delivery/redis/superseded.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <charconv>
#include <stdexcept>
#include <utility>

namespace semel::simulation {

using semel::redis::reply;

namespace {

/// Who listens where. Of this thread: a town is in one.
std::map<std::uint16_t, redis_server*>& listening() {
    thread_local std::map<std::uint16_t, redis_server*> all;
    return all;
}

reply number(std::int64_t n) {
    return {.type = reply::kind::integer, .integer = n, .text = {}, .array = {}};
}

reply text(const std::string* found) {
    return found == nullptr ? reply{} : reply{.type = reply::kind::text, .integer = 0, .text = *found, .array = {}};
}

/// "{d:TOPIC:PARTITION}:..."
std::optional<kafka::topic_partition> partition_in(const std::string& key) {
    const auto end = key.find('}');
    if (!key.starts_with("{d:") || end == std::string::npos) {
        return std::nullopt;
    }
    const auto colon = key.rfind(':', end);
    kafka::topic_partition at{.topic = key.substr(3, colon - 3)};
    std::from_chars(key.data() + colon + 1, key.data() + end, at.partition);
    return at;
}

const std::string* find(const std::map<std::string, std::string>& in, const std::string& field) {
    const auto found = in.find(field);
    return found == in.end() ? nullptr : &found->second;
}

} // namespace

redis_server::redis_server(world& w, const trouble_with& t)
    : world_(w)
    , trouble_(t)
    , port_(listening().empty() ? 6'379 : static_cast<std::uint16_t>(listening().rbegin()->first + 1)) {
    listening()[port_] = this;
    begin_life();
}

redis_server::~redis_server() {
    listening().erase(port_);
}

redis_server& redis_server::at(std::uint16_t port) {
    return *listening().at(port);
}

void redis_server::begin_life() {
    ++life_;
    identity_ = {.run_id = "run" + std::to_string(life_), .master_replid = "replid" + std::to_string(life_)};
}

void redis_server::crash(duration away) {
    up_ = false;
    world_.at(nobody, world_.now() + away, [this](boost::system::error_code) {
        data_ = saved_;
        begin_life();
        up_ = true;
    });
}

reply redis_server::run(const std::string& script, const words& keys, const words& args) {
    return scripts_.run(script, keys, args, [this](const words& command) { return carry_out(command); });
}

reply redis_server::carry_out(const words& command) {
    const auto& name = command.at(0);
    if (name == "HGET" || name == "HMGET" || name == "EXISTS" || name == "PING") {
        return read(command);
    }
    return write(command);
}

reply redis_server::read(const words& command) const {
    if (command[0] == "PING") {
        return {.type = reply::kind::status, .integer = 0, .text = "PONG", .array = {}};
    }
    const auto found = data_.find(command.at(1));
    if (command[0] == "EXISTS") {
        return number(found != data_.end());
    }
    static const hash nothing;
    const auto& in = found == data_.end() ? nothing : found->second;
    if (command[0] == "HGET") {
        return text(find(in, command.at(2)));
    }
    reply all{.type = reply::kind::array, .integer = 0, .text = {}, .array = {}};
    for (std::size_t i = 2; i < command.size(); ++i) {
        all.array.push_back(text(find(in, command[i])));
    }
    return all;
}

reply redis_server::write(const words& command) {
    const auto& name = command[0];
    const auto& key = command.at(1);
    if (name == "HSETNX") {
        if (!data_[key].try_emplace(command.at(2), command.at(3)).second) {
            return number(0);
        }
        look_at_claim(key);
        return number(1);
    }
    if (name == "HSET") {
        auto& in = data_[key];
        const auto before = key.ends_with(":head") ? in : hash{};
        for (std::size_t i = 2; i + 1 < command.size(); i += 2) {
            in[command[i]] = command[i + 1];
        }
        if (key.ends_with(":head")) {
            look_at_head(key, before);
        }
        return number(1);
    }
    if (name == "SET") {
        data_[key][""] = command.at(2);
        return {.type = reply::kind::status, .integer = 0, .text = "OK", .array = {}};
    }
    if (name == "UNLINK") {
        std::int64_t gone = 0;
        for (std::size_t i = 1; i < command.size(); ++i) {
            gone += static_cast<std::int64_t>(data_.erase(command[i]));
        }
        return number(gone);
    }
    // Thrown through Lua it would be lost.
    return {.type = reply::kind::error, .integer = 0, .text = "ERR the simulated Redis has no " + name, .array = {}};
}

void redis_server::look_at_head(const std::string& key, const hash& before) {
    if (const auto at = partition_in(key); at && on_head && data_.at(key) != before) {
        on_head(*at);
    }
}

void redis_server::look_at_claim(const std::string& key) {
    const auto at = partition_in(key);
    if (!at || !on_claim) {
        return;
    }
    const auto& head = data_[key.substr(0, key.find('}') + 1) + ":head"];
    const auto* owner = find(head, "owner");
    const auto* marker = find(head, "marker");
    std::uint64_t n = 0;
    if (owner != nullptr) {
        std::from_chars(owner->data(), owner->data() + owner->size(), n);
    }
    on_claim(*at, n, marker == nullptr ? std::string{} : *marker);
}

sim_store::sim_store(world& w, process p, std::uint16_t port)
    : executor_(w.executor_of(p))
    , client_(executor_, {.port = port}) {}

sim_store::~sim_store() = default;

delivery::fact& sim_store::recovery() {
    if (!watching_ && !client_.trouble().empty()) {
        watching_ = true;
        asio::co_spawn(executor_, watch(), asio::detached);
    }
    return recovered_;
}

asio::awaitable<void> sim_store::watch() {
    co_await client_.connected();
    watching_ = false;
    recovered_.changed();
}

std::unique_ptr<delivery::claim_store> sim_store::claims_of(const kafka::topic_partition& at) {
    return std::make_unique<delivery::claims>(executor_, client_, at);
}

asio::awaitable<bool> sim_store::is_superseded(std::string notification) {
    return delivery::is_superseded(client_, {}, std::move(notification));
}

} // namespace semel::simulation
