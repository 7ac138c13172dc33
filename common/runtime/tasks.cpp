#include "tasks.hpp"

#include <telemetry/log.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <list>

namespace semel::runtime {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

namespace {

bool is_cancellation(const std::exception_ptr& e) {
    try {
        std::rethrow_exception(e);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

/// steady_clock::time_point cannot hold now() + milliseconds::max().
clock::time_point deadline_in(std::chrono::milliseconds wait) {
    const auto now = clock::now();
    return wait < clock::time_point::max() - now ? now + wait : clock::time_point::max();
}

} // namespace

asio::awaitable<void> first_of(std::vector<asio::awaitable<void>> tasks) {
    if (tasks.empty()) {
        co_return;
    }
    const auto ex = co_await asio::this_coro::executor;
    const auto start = [&](asio::awaitable<void>& task) { return asio::co_spawn(ex, std::move(task), asio::deferred); };
    std::vector<decltype(start(tasks.front()))> started;
    started.reserve(tasks.size());
    for (auto& task : tasks) {
        started.push_back(start(task));
    }
    auto group = asio::experimental::make_parallel_group(std::move(started));
    auto [order, failures] =
        co_await group.async_wait(asio::experimental::wait_for_one{}, asio::as_tuple(asio::use_awaitable));
    // What the others throw while they are being cancelled is the cancellation, or a consequence of it.
    if (const auto& failure = failures[order[0]]) {
        std::rethrow_exception(failure);
    }
}

asio::awaitable<void> race(asio::awaitable<void> work, asio::awaitable<void> stop) {
    std::vector<asio::awaitable<void>> both;
    both.push_back(std::move(work));
    both.push_back(std::move(stop));
    co_await first_of(std::move(both));
}

asio::awaitable<bool> sleep(std::chrono::milliseconds wait) {
    asio::steady_timer timer{co_await asio::this_coro::executor, deadline_in(wait)};
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !error;
}

struct gate::impl {
    explicit impl(asio::any_io_executor e)
        : ex(std::move(e))
        , emptied(ex) {}

    struct holder {
        std::uint64_t id = 0;
        std::string label;
        asio::cancellation_signal cancel;
        bool cancelled = false;
    };

    asio::any_io_executor ex;
    signal emptied;
    std::list<holder> holders;
    std::uint64_t entered = 0;
    bool closed = false;
};

gate::gate(asio::any_io_executor ex)
    : impl_(std::make_shared<impl>(std::move(ex))) {}

gate::~gate() {
    impl_->closed = true;
    cancel_all();
}

bool gate::spawn(std::string label, asio::awaitable<void> task) {
    if (impl_->closed) {
        return false;
    }
    auto& state = *impl_;
    const auto place = state.holders.emplace(state.holders.end());
    place->id = ++state.entered;
    place->label = std::move(label);
    auto left = [self = impl_, place](std::exception_ptr failure) {
        const bool cancelled = place->cancelled;
        self->holders.erase(place);
        if (self->holders.empty()) {
            self->emptied.notify();
        }
        if (failure && !(cancelled && is_cancellation(failure))) {
            // From a handler of its own it leaves io_context::run(), where serve() ends the process.
            asio::post(self->ex, [failure] { std::rethrow_exception(failure); });
        }
    };
    asio::co_spawn(state.ex, std::move(task), asio::bind_cancellation_slot(place->cancel.slot(), std::move(left)));
    return true;
}

std::size_t gate::inside() const noexcept {
    return impl_->holders.size();
}

asio::awaitable<bool> gate::close(std::chrono::milliseconds deadline) {
    auto self = impl_;
    self->closed = true;
    const auto until = deadline_in(deadline);
    while (!self->holders.empty()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
        if (left.count() <= 0) {
            break;
        }
        co_await self->emptied.wait_for(left);
    }
    for (const auto& h : self->holders) {
        telemetry::log().warn("gate.occupied", {{"task", h.label}, {"waited_ms", deadline.count()}});
    }
    co_return self->holders.empty();
}

void gate::cancel_all() {
    // Posted one by one: a task that is cancelled inline ends, leaves the list and may spawn or destroy while we walk.
    for (auto& h : impl_->holders) {
        h.cancelled = true;
        asio::post(impl_->ex, [self = impl_, id = h.id] {
            const auto it = std::ranges::find(self->holders, id, &impl::holder::id);
            if (it != self->holders.end()) {
                it->cancel.emit(asio::cancellation_type::all);
            }
        });
    }
}

struct signal::impl {
    explicit impl(asio::any_io_executor e)
        : ex(std::move(e)) {}

    struct waiter {
        explicit waiter(const asio::any_io_executor& ex, clock::time_point until)
            : timer(ex, until) {}
        asio::steady_timer timer;
    };

    /// False on timeout; throws when the waiting coroutine was cancelled.
    static asio::awaitable<bool> wait(std::shared_ptr<impl> self, std::uint64_t seen, clock::time_point until) {
        if (self->notified != seen) {
            co_return true;
        }
        struct enlisted {
            std::list<waiter>& all;
            std::list<waiter>::iterator mine;
            ~enlisted() { all.erase(mine); }
        };
        auto& all = self->waiters;
        const enlisted here{all, all.emplace(all.end(), self->ex, until)};
        auto [error] = co_await here.mine->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (self->notified != seen) {
            co_return true;
        }
        if (error) {
            throw boost::system::system_error{error};
        }
        co_return false;
    }

    asio::any_io_executor ex;
    std::uint64_t notified = 0;
    std::list<waiter> waiters;
};

signal::signal(asio::any_io_executor ex)
    : impl_(std::make_shared<impl>(std::move(ex))) {}
signal::~signal() = default;

void signal::notify() {
    ++impl_->notified;
    for (auto& w : impl_->waiters) {
        w.timer.cancel();
    }
}

// Not coroutines themselves: the count is read when wait() is called, so a notify() between the call and the first
// step of the awaitable (in a race, say) is not lost.
asio::awaitable<void> signal::wait() {
    return [](std::shared_ptr<impl> self, std::uint64_t seen) -> asio::awaitable<void> {
        co_await impl::wait(std::move(self), seen, clock::time_point::max());
    }(impl_, impl_->notified);
}

asio::awaitable<bool> signal::wait_for(std::chrono::milliseconds wait) {
    return impl::wait(impl_, impl_->notified, deadline_in(wait));
}

} // namespace semel::runtime
