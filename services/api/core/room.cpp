#include "room.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::api {

std::string megabytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

address_register::memory need_of(const v1::Campaign& sealed, const redis_memory& redis) {
    return address_register::memory_of(sealed, redis.register_head);
}

std::optional<std::uint64_t> room_of(const redis_memory& redis) {
    if (!redis.unknown.empty() || redis.limit == 0) {
        return std::nullopt;
    }
    return redis.limit - std::min(redis.limit, redis.used + kept_for_sending);
}

base::result<void> has_room(const v1::Campaign& sealed, const address_register::memory& need,
                            const redis_memory& redis) {
    const auto room = room_of(redis);
    if (!room || need.to_come <= *room) {
        return {};
    }
    const auto enough = (redis.used + kept_for_sending + need.to_come) / 1'000'000 + 1;
    return base::failed(
        base::fault::kind::permanent,
        fmt::format("Redis cannot hold campaign {}: for {} ids and addresses it needs {} more, and {} are left "
                    "(maxmemory {}, used {}, kept for sending {}). Raise maxmemory to {} MB or more (redis.conf, and "
                    "`redis-cli CONFIG SET maxmemory {}mb` while it runs) where the machine has them, or seal again "
                    "when other campaigns are over and have given theirs back",
                    sealed.id(), need.entries, megabytes(need.to_come), megabytes(*room), megabytes(redis.limit),
                    megabytes(redis.used), megabytes(kept_for_sending), enough, enough));
}

} // namespace semel::api
