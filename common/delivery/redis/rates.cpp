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

// A second may see its limit and one slice of a tenth of it. A bucket saves up half of that. The other half allows for
// tokens leased just before, which become void with age (token_life).
constexpr double bucket_seconds = 0.05;
// What is left over of a lease when those who waited for it went elsewhere: handed out later, it would be void before
// its message is claimed.
constexpr auto lease_life = rates::token_life / 2;
constexpr auto count_every = 100ms;
// The wait after a lease that gave less than was asked for. A round trip for each token would cost more than it brings,
// and a bucket holds five times as much.
constexpr auto least_pause = 10ms;

// A bucket that is not there starts empty. Time is the server's, so that the clocks of the dispatchers do not matter.
// ARGV: tokens a second, the most that it saves up, wanted. Answers {granted, ms until there is one}.
const redis::script lease_script{R"(
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local rate, most, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local h = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(h[1] or '0'), tonumber(h[2] or now)
if now > at then tokens = math.min(most, tokens + (now - at) * rate / 1000000) end
local granted = math.min(want, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.max(60000, math.ceil(2000 / rate)))
local wait = 0
if granted == 0 then wait = math.ceil((1 - tokens) * 1000 / rate) end
return {granted, wait}
)"};

/// Tokens that this process was granted and has not handed out.
class purse {
  public:
    void put(std::uint64_t tokens, steady::time_point granted) {
        if (tokens > 0) {
            grants_.push_back({tokens, granted});
            size_ += tokens;
        }
    }
    void drop_void(steady::time_point now) {
        while (!grants_.empty() && now - grants_.front().at >= lease_life) {
            size_ -= grants_.front().tokens;
            grants_.pop_front();
        }
    }
    std::uint64_t size() const noexcept { return size_; }
    /// The oldest one; when it was granted.
    base::instant take() {
        auto& oldest = grants_.front();
        const auto at = oldest.at;
        --size_;
        if (--oldest.tokens == 0) {
            grants_.pop_front();
        }
        return std::chrono::time_point_cast<base::duration>(at);
    }

  private:
    struct grant {
        std::uint64_t tokens;
        steady::time_point at;
    };
    std::deque<grant> grants_; // oldest first
    std::uint64_t size_ = 0;
};

} // namespace

std::uint64_t lease_of(double per_second, std::size_t waiting) noexcept {
    const auto most = std::max(1.0, std::floor(per_second * bucket_seconds));
    return static_cast<std::uint64_t>(std::min(most, std::max(1.0, static_cast<double>(waiting))));
}

struct rates::impl : std::enable_shared_from_this<impl> {
    struct waiter {
        std::move_only_function<void(taken)> go;
        steady::time_point until;
        std::function<bool()> wanted;
    };
    struct bucket {
        double per_second = 0;
        purse tokens;
        std::deque<waiter> waiting;
        bool pumping = false;
        // How many a lease's life uses, while the limit is far: as many are asked for ahead, or every message would
        // wait for a round trip of its own. Near the limit nothing is: it would be spent in a burst, or lost to others.
        std::uint64_t ahead = 0;
        std::uint64_t used = 0;
        double pace = 0; // a second, of late
        steady::time_point near_until;
        steady::time_point counted_from;

        base::instant use_one() {
            ++used;
            return tokens.take();
        }
        void count_use(steady::time_point now) {
            if (const auto since = now - counted_from; since >= count_every) {
                const auto share = lease_life / std::chrono::duration<double, std::milli>(since);
                ahead = now < near_until ? 0 : static_cast<std::uint64_t>(static_cast<double>(used) * share);
                pace += (static_cast<double>(used) / std::chrono::duration<double>(since).count() - pace) / 4;
                used = 0;
                counted_from = now;
            }
        }
    };

    impl(asio::any_io_executor ex, redis::client& r)
        : executor(std::move(ex))
        , redis(r) {}

    asio::any_io_executor executor;
    redis::client& redis;
    std::unordered_map<std::string, bucket> buckets; // references to elements stay valid; buckets are few and stay

    static void answer_first(bucket& b, taken with) {
        auto go = std::move(b.waiting.front().go);
        b.waiting.pop_front();
        go(with);
    }

    /// Whoever asked to be first may wait longer than those behind.
    static void answer_overdue(bucket& b) {
        const auto now = steady::now();
        const auto later = predicted(b);
        for (auto it = b.waiting.begin(); it != b.waiting.end();) {
            if (it->until > now) {
                ++it;
                continue;
            }
            auto go = std::move(it->go);
            it = b.waiting.erase(it);
            go(std::unexpected{later});
        }
    }

    asio::awaitable<void> pump(std::string name) {
        const auto self = shared_from_this();
        auto& b = buckets.at(name);
        asio::steady_timer timer{executor};
        do {
            b.count_use(steady::now());
            // Never more than half a bucket ahead: what is not used is lost to the others.
            const auto half = static_cast<std::uint64_t>(b.per_second * bucket_seconds / 2);
            const auto wanted = lease_of(b.per_second, b.waiting.size() + std::min(b.ahead, half));
            std::vector<std::string> keys{"rate:{" + name + "}"};
            std::vector<std::string> args{std::to_string(b.per_second),
                                          std::to_string(std::max(1.0, b.per_second * bucket_seconds)),
                                          std::to_string(wanted)};
            const auto asked = steady::now();
            const auto answer = co_await redis.eval(lease_script, std::move(keys), std::move(args));
            if (!answer && answer.error().what() == base::fault::kind::stopping) {
                break;
            }
            auto pause = 100ms; // Redis away: sending pauses
            if (answer && answer->array.size() == 2) {
                const auto granted = static_cast<std::uint64_t>(answer->array[0].integer);
                const auto now = steady::now();
                // Redis counted it somewhere between; but a Redis far away must not make every token void.
                const auto counted = std::max(asked, now - lease_life / 2);
                b.tokens.drop_void(now);
                b.tokens.put(granted, counted);
                if (granted < wanted) {
                    b.ahead = 0;
                    b.near_until = now + 2s;
                }
                pause = granted >= wanted ? 0ms
                                          : std::max<milliseconds>(least_pause, milliseconds{answer->array[1].integer});
                while (b.tokens.size() > 0 && !b.waiting.empty()) {
                    if (const auto& wanted = b.waiting.front().wanted; wanted && !wanted()) {
                        answer_first(b, std::unexpected{0ms});
                        continue;
                    }
                    answer_first(b, b.use_one());
                }
            }
            // Other processes share the bucket: what the limit promised may not be what came. And while Redis is away,
            // nothing does: a session that is held for a token would lose its peer's patience.
            answer_overdue(b);
            if (!b.waiting.empty() && pause > 0ms) {
                timer.expires_after(pause);
                co_await timer.async_wait(asio::use_awaitable);
            }
        } while (!b.waiting.empty());
        b.pumping = false;
    }

    static milliseconds predicted(const bucket& b) {
        return milliseconds{
            static_cast<std::int64_t>(1'000.0 * static_cast<double>(b.waiting.size() + 1) / b.per_second)};
    }
};

rates::rates(asio::any_io_executor ex, redis::client& redis)
    : impl_(std::make_shared<impl>(std::move(ex), redis)) {}
rates::~rates() {
    abandon();
}

void rates::abandon() {
    for (auto& [name, b] : impl_->buckets) {
        while (!b.waiting.empty()) {
            impl::answer_first(b, std::unexpected{0ms});
        }
    }
}

std::optional<double> rates::share(const std::string& name) const {
    const auto found = impl_->buckets.find(name);
    return found == impl_->buckets.end() || steady::now() >= found->second.near_until
               ? std::nullopt
               : std::optional{found->second.pace};
}

asio::awaitable<rates::taken> rates::take(std::string name, double per_second, milliseconds patience,
                                          token_wish asked) {
    if (per_second <= 0) {
        co_return base::instant_now();
    }
    const auto self = impl_;
    auto& b = self->buckets[name];
    b.per_second = per_second;
    b.tokens.drop_void(steady::now());
    const auto start_pump = [&] {
        if (!b.pumping) {
            b.pumping = true;
            asio::co_spawn(self->executor, self->pump(name), asio::detached);
        }
    };
    if (b.tokens.size() > 0 && b.waiting.empty()) {
        const auto granted = b.use_one();
        if (b.tokens.size() < b.ahead / 2) {
            start_pump();
        }
        co_return granted;
    }
    // Already too many wait. Whoever is alone waits in any case: a limit below one in `patience` still lets one
    // through.
    if (const auto later = impl::predicted(b); later > patience && !b.waiting.empty() && !asked.first) {
        co_return std::unexpected{later};
    }
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(taken)>(
        [&](auto handler) {
            auto executor = self->executor;
            b.waiting.insert(asked.first ? b.waiting.begin() : b.waiting.end(),
                             {[executor, h = std::move(handler)](taken with) mutable {
                                  asio::post(executor, [h = std::move(h), with]() mutable { std::move(h)(with); });
                              },
                              steady::now() + patience, std::move(asked.wanted)});
            start_pump();
        },
        asio::use_awaitable);
}

} // namespace semel::delivery
