#include "memory.hpp"

#include <runtime/race.hpp>

#include <address_register/head.hpp>

#include <charconv>
#include <map>
#include <memory>
#include <string_view>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds patience{300};

using answer = base::result<redis_memory>;

std::uint64_t info_number(std::string_view info, std::string_view label) {
    std::uint64_t n = 0;
    if (const auto at = info.find(label); at != std::string_view::npos) {
        std::from_chars(info.data() + at + label.size(), info.data() + info.size(), n);
    }
    return n;
}

asio::awaitable<answer> ask(redis::client& redis, base::campaign_id campaign) {
    std::vector<std::string> info{"INFO", "memory"};
    const auto memory = co_await redis.command(std::move(info));
    std::vector<std::string> all{"HGETALL", address_register::head_key(campaign)};
    const auto head = co_await redis.command(std::move(all));
    for (const auto* a : {&memory, &head}) {
        if (!*a) {
            co_return base::failed(a->error());
        }
        if ((*a)->is_error()) {
            co_return base::failed(base::fault::kind::broken, (*a)->text);
        }
    }
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i + 1 < head->array.size(); i += 2) {
        fields.emplace(head->array[i].text, head->array[i + 1].text);
    }
    co_return redis_memory{.limit = info_number(memory->text, "\nmaxmemory:"),
                           .used = info_number(memory->text, "\nused_memory:"),
                           .register_head = address_register::head::from_fields(fields)};
}

asio::awaitable<void> ask_into(redis::client& redis, base::campaign_id campaign,
                               std::shared_ptr<std::optional<answer>> out) {
    *out = co_await ask(redis, std::move(campaign));
}

asio::awaitable<void> until(std::chrono::milliseconds deadline) {
    co_await runtime::sleep(deadline);
}

} // namespace

asio::awaitable<redis_memory> look_at_memory(services& s, base::campaign_id campaign) {
    redis_memory out{.unknown = s.redis.trouble()};
    if (!out.unknown.empty()) {
        co_return out;
    }
    const auto answered = std::make_shared<std::optional<answer>>();
    co_await runtime::race(ask_into(s.redis, std::move(campaign), answered), until(patience));
    if (*answered && **answered) {
        co_return std::move(***answered);
    }
    out.unknown = *answered ? (*answered)->error().why() : "Redis did not answer in time";
    co_return out;
}

json::object to_json(const address_register::memory& need, const redis_memory& redis) {
    const auto room = room_of(redis);
    return {{"entries", need.entries},
            {"bytes", need.bytes},
            {"to_come_bytes", need.to_come},
            {"room_bytes", room ? json::value(*room) : json::value(nullptr)},
            {"unknown", redis.unknown.empty() ? json::value(nullptr) : json::value(json::string(redis.unknown))}};
}

} // namespace semel::api
