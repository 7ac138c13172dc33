#include "info.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>

namespace semel::redis {

using base::failed;
using base::fault;

namespace {

std::optional<std::int64_t> number(std::string_view info, std::string_view key) {
    const auto text = info_value(info, key);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

} // namespace

std::string info_value(std::string_view info, std::string_view key) {
    while (!info.empty()) {
        const auto end = info.find("\r\n");
        const auto line = info.substr(0, end);
        if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':') {
            return std::string{line.substr(key.size() + 1)};
        }
        info.remove_prefix(end == std::string_view::npos ? info.size() : end + 2);
    }
    return {};
}

base::result<server_identity> identity_in(std::string_view info) {
    server_identity out{.run_id = info_value(info, "run_id"), .master_replid = info_value(info, "master_replid")};
    if (out.master_replid.empty()) {
        return failed(fault::kind::broken, "INFO has no master_replid: is this Redis, and does this user's ACL allow "
                                           "INFO?");
    }
    if (out.run_id.empty()) {
        // Both come from the one clock that Redis reads once for each turn of its loop: the difference is the start, to
        // the second, whenever one asks.
        constexpr std::int64_t second = 1'000'000;
        const auto now = number(info, "server_time_usec");
        const auto up = number(info, "uptime_in_seconds");
        if (!now || !up) {
            return failed(fault::kind::broken,
                          "INFO has neither run_id nor server_time_usec and uptime_in_seconds: nothing would tell this "
                          "server from its successor, and Semel must know when claims may be lost. Redis 6.2 or newer "
                          "tells one of them");
        }
        out.run_id = fmt::format("started-{}", *now / second - *up);
    }
    return out;
}

base::result<void> keeps_what_it_has(std::string_view info, bool managed) {
    const auto aof = info_value(info, "aof_enabled");
    if (!managed && aof != "1") {
        return failed(
            fault::kind::broken,
            fmt::format("Redis has appendonly {}: without its append-only file it forgets claims and leaders at every "
                        "restart. Set `appendonly yes` in redis.conf; where a provider keeps the data in a way of its "
                        "own, say so with redis.durability: managed in semel.yaml",
                        aof == "0" ? "no" : "unknown (INFO does not tell)"));
    }
    const auto policy = info_value(info, "maxmemory_policy");
    if (policy != "noeviction" && !(managed && policy.empty())) {
        return failed(fault::kind::broken,
                      fmt::format("Redis has maxmemory-policy {}: with eviction it forgets claims silently when memory "
                                  "is short. Set `maxmemory-policy noeviction` in redis.conf, or in the parameters of "
                                  "the managed server",
                                  policy.empty() ? "unknown (INFO does not tell)" : policy));
    }
    return {};
}

} // namespace semel::redis
