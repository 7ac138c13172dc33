#include "rates.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <unordered_map>

namespace semel::delivery {
namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

namespace {

constexpr double slice_seconds = 0.1;
// A lease that is not used within this time is lost, so that tokens cannot be saved up and spent in one second.
constexpr auto lease_life = 200ms;

// A bucket holds at most one slice; one that is not there starts empty. Time is the server's, so that the clocks of
// the dispatchers do not matter. ARGV: tokens a second, slice, wanted. Answers {granted, ms until there is one}.
const redis::script lease_script{R"(
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local rate, slice, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local h = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(h[1] or '0'), tonumber(h[2] or now)
if now > at then tokens = math.min(slice, tokens + (now - at) * rate / 1000000) end
local granted = math.min(want, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], 60000)
local wait = 0
if granted == 0 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return {granted, wait}
)"};

} // namespace

std::uint64_t slice_of(double per_second, std::size_t waiting) noexcept {
    const auto most = std::max(1.0, std::floor(per_second * slice_seconds));
    return static_cast<std::uint64_t>(std::min(most, std::max(1.0, static_cast<double>(waiting))));
}

struct rates::impl : std::enable_shared_from_this<impl> {
    struct bucket {
        double per_second = 0;
        std::uint64_t tokens = 0;
        steady::time_point tokens_end;
        std::deque<std::move_only_function<void()>> waiting;
        bool pumping = false;
    };

    impl(asio::any_io_executor ex, redis::client& r)
        : executor(std::move(ex))
        , redis(r) {}

    asio::any_io_executor executor;
    redis::client& redis;
    std::unordered_map<std::string, bucket> buckets; // references to elements stay valid; buckets are few and stay

    asio::awaitable<void> pump(std::string name) {
        const auto self = shared_from_this();
        auto& b = buckets.at(name);
        asio::steady_timer timer{executor};
        while (!b.waiting.empty()) {
            std::vector<std::string> keys{"rate:{" + name + "}"};
            std::vector<std::string> args{std::to_string(b.per_second),
                                          std::to_string(std::max(1.0, b.per_second * slice_seconds)),
                                          std::to_string(slice_of(b.per_second, b.waiting.size()))};
            const auto answer = co_await redis.eval(lease_script, std::move(keys), std::move(args));
            auto wait = 100ms; // Redis away: sending pauses
            if (answer && answer->array.size() == 2) {
                b.tokens += static_cast<std::uint64_t>(answer->array[0].integer);
                b.tokens_end = steady::now() + lease_life;
                wait = milliseconds{answer->array[1].integer};
            }
            while (b.tokens > 0 && !b.waiting.empty()) {
                --b.tokens;
                auto go = std::move(b.waiting.front());
                b.waiting.pop_front();
                go();
            }
            if (!b.waiting.empty() && wait > 0ms) {
                timer.expires_after(wait);
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
        b.pumping = false;
    }
};

rates::rates(asio::any_io_executor ex, redis::client& redis)
    : impl_(std::make_shared<impl>(std::move(ex), redis)) {}
rates::~rates() = default;

asio::awaitable<std::optional<milliseconds>> rates::take(std::string name, double per_second, milliseconds patience) {
    if (per_second <= 0) {
        co_return std::nullopt;
    }
    const auto self = impl_;
    auto& b = self->buckets[name];
    b.per_second = per_second;
    if (b.tokens > 0 && steady::now() >= b.tokens_end) {
        b.tokens = 0;
    }
    if (b.tokens > 0 && b.waiting.empty()) {
        --b.tokens;
        co_return std::nullopt;
    }
    const auto predicted =
        milliseconds{static_cast<std::int64_t>(1'000.0 * static_cast<double>(b.waiting.size() + 1) / per_second)};
    if (predicted > patience) {
        co_return predicted;
    }
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void()>(
        [&](auto handler) {
            auto executor = self->executor;
            b.waiting.emplace_back([executor, h = std::move(handler)]() mutable {
                asio::post(executor, [h = std::move(h)]() mutable { std::move(h)(); });
            });
            if (!b.pumping) {
                b.pumping = true;
                asio::co_spawn(self->executor, self->pump(name), asio::detached);
            }
        },
        asio::use_awaitable);
    co_return std::nullopt;
}

} // namespace semel::delivery
