#include "board.hpp"

#include <runtime/race.hpp>

#include <memory>
#include <optional>

namespace semel::trouble {

namespace asio = boost::asio;

namespace {

/// The names of those that ever told something. A key each expires by itself; to find them among millions of others
/// there must be a list.
std::string list_of(const std::string& prefix) {
    return prefix + "semel:trouble";
}
std::string key_of(const std::string& prefix, const std::string& instance) {
    return list_of(prefix) + ":" + instance;
}

using answer = base::result<std::vector<report>>;

asio::awaitable<answer> read_all(redis::client& redis, std::string prefix) {
    std::vector<std::string> members{"SMEMBERS", list_of(prefix)};
    const auto listed = co_await redis.command(std::move(members));
    if (!listed) {
        co_return base::failed(listed.error());
    }
    std::vector<std::string> get{"MGET"};
    for (const auto& name : listed->array) {
        get.push_back(key_of(prefix, name.text));
    }
    std::vector<report> out;
    if (get.size() == 1) {
        co_return out;
    }
    const auto values = co_await redis.command(std::move(get));
    if (!values) {
        co_return base::failed(values.error());
    }
    for (const auto& value : values->array) {
        if (auto told = value.type == redis::reply::kind::text ? decode(value.text) : std::nullopt) {
            out.push_back(std::move(*told));
        }
    }
    co_return out;
}

asio::awaitable<void> read_into(redis::client& redis, std::string prefix, std::shared_ptr<std::optional<answer>> out) {
    *out = co_await read_all(redis, std::move(prefix));
}

asio::awaitable<void> until(std::chrono::milliseconds patience) {
    co_await runtime::sleep(patience);
}

} // namespace

asio::awaitable<void> teller::tell(std::vector<entry> now) {
    const bool had = !said_.entries.empty();
    said_.entries = carry(said_.entries, std::move(now), base::now());
    if (!redis_.trouble().empty() || (!had && said_.entries.empty())) {
        co_return;
    }
    const auto key = key_of(prefix_, said_.instance);
    if (said_.entries.empty()) {
        std::vector<std::string> gone{"DEL", key};
        co_await redis_.command(std::move(gone));
        co_return;
    }
    std::vector<std::string> list{"SADD", list_of(prefix_), said_.instance};
    co_await redis_.command(std::move(list));
    std::vector<std::string> set{"SET", key, encode(said_), "EX", std::to_string(kept.count())};
    co_await redis_.command(std::move(set));
}

asio::awaitable<base::result<std::vector<report>>> read(redis::client& redis, std::chrono::milliseconds patience,
                                                        std::string prefix) {
    if (!redis.trouble().empty()) {
        co_return base::failed(base::fault::kind::unreachable, redis.trouble());
    }
    const auto out = std::make_shared<std::optional<answer>>();
    co_await runtime::race(read_into(redis, std::move(prefix), out), until(patience));
    if (!*out) {
        co_return base::failed(base::fault::kind::unreachable, "Redis did not answer in time");
    }
    co_return std::move(**out);
}

} // namespace semel::trouble
