#include "condition.hpp"

#include "deadline.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <cstdint>
#include <list>
#include <utility>

namespace semel::runtime {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

struct condition::impl {
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
        struct place {
            std::list<waiter>& all;
            std::list<waiter>::iterator mine;
            ~place() { all.erase(mine); }
        };
        auto& all = self->waiters;
        const place here{all, all.emplace(all.end(), self->ex, until)};
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

condition::condition(asio::any_io_executor ex)
    : impl_(std::make_shared<impl>(std::move(ex))) {}
condition::~condition() = default;

void condition::notify() {
    ++impl_->notified;
    for (auto& w : impl_->waiters) {
        w.timer.cancel();
    }
}

// Not coroutines themselves: the count is read when wait() is called, so a notify() between the call and the first
// step of the awaitable (in a race, say) is not lost.
asio::awaitable<void> condition::wait() {
    return [](std::shared_ptr<impl> self, std::uint64_t seen) -> asio::awaitable<void> {
        co_await impl::wait(std::move(self), seen, clock::time_point::max());
    }(impl_, impl_->notified);
}

asio::awaitable<bool> condition::wait_for(std::chrono::milliseconds wait) {
    return impl::wait(impl_, impl_->notified, deadline_in(wait));
}

} // namespace semel::runtime
