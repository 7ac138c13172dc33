#include "pool.hpp"

#include <runtime/race.hpp>
#include <runtime/retry.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <ranges>

namespace semel::http2 {
namespace {

namespace asio = boost::asio;
using base::failed;
using base::fault;
using boost::system::error_code;
using clock = std::chrono::steady_clock;

} // namespace

// Stands in a queue of the pool for as long as it lives.
class pool::waiter {
  public:
    waiter(std::list<waiter*>& queue, const asio::any_io_executor& on)
        : queue_(queue)
        , place_(queue.insert(queue.end(), this))
        , timer_(on) {}
    ~waiter() { queue_.erase(place_); }
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    /// Until woken or `deadline`. False when the whole coroutine was cancelled.
    asio::awaitable<bool> wait_until(clock::time_point deadline) {
        woken_ = false;
        timer_.expires_at(deadline);
        error_code error;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        co_return woken_ || !error;
    }
    void wake() {
        woken_ = true;
        timer_.cancel();
    }

  private:
    std::list<waiter*>& queue_;
    std::list<waiter*>::iterator place_;
    asio::steady_timer timer_;
    bool woken_ = false;
};

pool::pool(asio::any_io_executor executor, target peer, std::shared_ptr<asio::ssl::context> tls, pool_settings settings)
    : executor_(std::move(executor))
    , peer_(std::move(peer))
    , tls_(std::move(tls))
    , settings_(settings)
    , slots_(settings.connections)
    , last_trouble_(fault::kind::unreachable, "no connection has been tried yet") {}

pool::~pool() {
    for (auto* list : {&slots_, &departing_}) {
        for (const auto& c : *list) {
            if (c) {
                c->on_change({});
                c->end("the gateway was closed");
            }
        }
    }
}

void pool::on_trouble(std::function<void(const fault&)> f) {
    trouble_ = std::move(f);
}

std::size_t pool::connected() const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(slots_, [](const auto& c) { return c && c->usable(); }));
}

std::size_t pool::open_streams() const noexcept {
    std::size_t n = 0;
    for (const auto* list : {&slots_, &departing_}) {
        for (const auto& c : *list) {
            n += c ? c->open_streams() : 0;
        }
    }
    return n;
}

connection* pool::best() noexcept {
    connection* most = nullptr;
    for (const auto& c : slots_) {
        if (c && c->free_streams() > (most == nullptr ? 0 : most->free_streams())) {
            most = c.get();
        }
    }
    return most;
}

void pool::changed() {
    std::erase_if(departing_, [](const auto& c) { return c->ended(); });
    for (auto* w : watchers_) {
        w->wake();
    }
    std::size_t free = 0;
    for (const auto& c : slots_) {
        free += c ? c->free_streams() : 0;
    }
    for (auto* w : waiters_ | std::views::take(free)) {
        w->wake();
    }
}

asio::awaitable<void> pool::run() {
    std::vector<asio::awaitable<void>> keepers;
    keepers.reserve(slots_.size());
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
        keepers.push_back(keep(slot));
    }
    co_await runtime::first_of(std::move(keepers));
}

asio::awaitable<void> pool::keep(std::size_t slot) {
    waiter change{watchers_, executor_};
    runtime::retry again{{.first = settings_.first_pause, .longest = settings_.longest_pause}};
    while (!closing_) {
        auto opened = co_await connection::open(peer_, tls_, settings_.streams, settings_.when);
        const auto since = clock::now();
        if (opened) {
            auto& c = slots_[slot] = *opened;
            c->on_change([this] { changed(); });
            changed();
            bool go_on = true;
            while (go_on && c->usable()) {
                go_on = co_await change.wait_until(clock::time_point::max());
            }
            if (!c->ended()) {
                departing_.push_back(c);
            } else if (!closing_) {
                last_trouble_ = fault{fault::kind::unreachable, c->reason()};
                if (trouble_) {
                    trouble_(last_trouble_);
                }
            }
            c.reset();
            if (!go_on) {
                break;
            }
            // A peer that hangs up at once must not be dialled in a tight loop.
            if (clock::now() - since > settings_.longest_pause) {
                again.reset();
            }
        } else {
            last_trouble_ = opened.error();
            if (trouble_) {
                trouble_(last_trouble_);
            }
        }
        if (!closing_ && !co_await runtime::sleep(again.next())) {
            break;
        }
    }
}

asio::awaitable<base::result<std::unique_ptr<exchange>>> pool::submit(request& r, bool hold,
                                                                      std::chrono::milliseconds patience) {
    const auto deadline = clock::now() + patience;
    if (waiters_.empty()) { // nobody to overtake
        if (auto* c = best()) {
            co_return c->submit(std::move(r), hold);
        }
    }
    waiter me{waiters_, executor_};
    for (bool go_on = true; go_on && !closing_ && clock::now() < deadline;) {
        go_on = co_await me.wait_until(deadline);
        if (auto* c = go_on ? best() : nullptr) {
            co_return c->submit(std::move(r), hold);
        }
    }
    if (closing_) {
        co_return failed(fault::kind::stopping, "the gateway is closing");
    }
    if (connected() == 0) {
        co_return failed(fault::kind::unreachable, last_trouble_.why());
    }
    co_return failed(fault::kind::throttled, "every stream to the gateway stayed busy");
}

asio::awaitable<void> pool::close(std::chrono::milliseconds deadline) {
    closing_ = true;
    const auto until = clock::now() + deadline;
    auto leaving = departing_; // a copy: goodbye() and end() call changed(), which edits the list
    std::ranges::copy_if(slots_, std::back_inserter(leaving), [](const auto& c) { return c != nullptr; });
    for (const auto& c : leaving) {
        c->goodbye();
    }
    for (auto* w : waiters_) {
        w->wake();
    }
    waiter change{watchers_, executor_};
    const auto all_ended = [&] { return std::ranges::all_of(leaving, [](const auto& c) { return c->ended(); }); };
    for (bool go_on = true; go_on && !all_ended() && clock::now() < until;) {
        go_on = co_await change.wait_until(until);
    }
    for (const auto& c : leaving) {
        c->end("the gateway was closed");
    }
}

} // namespace semel::http2
