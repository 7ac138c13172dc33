#include "redis_store.hpp"

#include "claims.hpp"

#include <delivery/redis/superseded.hpp>
#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <chrono>
#include <utility>

namespace semel::delivery {

struct redis_store::watch {
    fact recovered;
    bool under_way = false;
    bool over = false; // the client may be gone
};

redis_store::redis_store(asio::any_io_executor executor, redis::client& redis, std::string prefix)
    : executor_(std::move(executor))
    , redis_(redis)
    , prefix_(std::move(prefix))
    , watch_(std::make_shared<watch>()) {}

redis_store::~redis_store() {
    watch_->over = true;
}

fact& redis_store::recovery() {
    if (!watch_->under_way && !redis_.trouble().empty()) {
        watch_->under_way = true;
        asio::co_spawn(
            executor_,
            [](std::shared_ptr<watch> self, redis::client& redis) -> asio::awaitable<void> {
                // A connection that was just given up counts as one until its end has been heard of.
                constexpr std::chrono::milliseconds between_looks{20};
                for (;;) {
                    co_await redis.connected();
                    if (self->over || redis.trouble().empty() || !co_await runtime::sleep(between_looks) ||
                        self->over) {
                        break;
                    }
                }
                self->under_way = false;
                self->recovered.changed();
            }(watch_, redis_),
            asio::detached);
    }
    return watch_->recovered;
}

std::unique_ptr<claim_store> redis_store::claims_of(const kafka::topic_partition& at) {
    return std::make_unique<claims>(executor_, redis_, at);
}

asio::awaitable<bool> redis_store::is_superseded(std::string notification) {
    return delivery::is_superseded(redis_, prefix_, std::move(notification));
}

} // namespace semel::delivery
