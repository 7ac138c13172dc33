#include "superseded.hpp"

#include <base/bytes.hpp>

namespace semel::delivery {

namespace asio = boost::asio;

namespace {

// A resend waits as long as its campaign is paused or its gateway closed; later than a week it is an oddity.
constexpr auto kept_s = "604800";

std::string key_of(const std::string& prefix, std::string_view notification) {
    return prefix + "superseded:" + base::to_hex(notification);
}

} // namespace

asio::awaitable<bool> mark_superseded(redis::client& redis, std::string prefix,
                                      std::vector<base::notification_id> accepted) {
    bool all = true;
    for (const auto& id : accepted) {
        std::vector<std::string> words{"SET", key_of(prefix, base::as_view(id)), "1", "EX", kept_s};
        const auto reply = co_await redis.command(std::move(words));
        all = all && reply && !reply->is_error();
    }
    co_return all;
}

asio::awaitable<bool> is_superseded(redis::client& redis, std::string prefix, std::string notification) {
    std::vector<std::string> words{"EXISTS", key_of(prefix, notification)};
    const auto reply = co_await redis.command(std::move(words));
    co_return reply && reply->type == redis::reply::kind::integer && reply->integer == 1;
}

} // namespace semel::delivery
