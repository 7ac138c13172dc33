#include "mutex.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <list>

namespace semel::runtime {

namespace asio = boost::asio;

struct mutex::impl {
    explicit impl(asio::any_io_executor e)
        : ex(std::move(e)) {}

    struct waiter {
        explicit waiter(const asio::any_io_executor& ex)
            : timer(ex, asio::steady_timer::time_point::max()) {}
        asio::steady_timer timer;
        bool given = false;
    };

    void unlock() {
        // Handed on, not set free: somebody who comes just now would go first.
        for (auto& w : waiters) {
            if (!w.given) {
                w.given = true;
                w.timer.cancel();
                return;
            }
        }
        locked = false;
    }

    static asio::awaitable<hold> lock(std::shared_ptr<impl> self) {
        if (!self->locked) {
            self->locked = true;
            co_return hold{std::move(self)};
        }
        struct place {
            impl& of;
            std::list<waiter>::iterator mine;
            bool taken = false;
            ~place() {
                // Given to somebody who was destroyed before it could take it.
                const bool pass_on = mine->given && !taken;
                of.waiters.erase(mine);
                if (pass_on) {
                    of.unlock();
                }
            }
        };
        place here{*self, self->waiters.emplace(self->waiters.end(), self->ex)};
        auto [error] = co_await here.mine->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (!here.mine->given) {
            throw boost::system::system_error{error};
        }
        here.taken = true;
        co_return hold{self};
    }

    asio::any_io_executor ex;
    bool locked = false;
    std::list<waiter> waiters;
};

mutex::mutex(asio::any_io_executor ex)
    : impl_(std::make_shared<impl>(std::move(ex))) {}
mutex::~mutex() = default;

mutex::hold::~hold() {
    if (of_) {
        of_->unlock();
    }
}

asio::awaitable<mutex::hold> mutex::lock() {
    return impl::lock(impl_);
}

bool mutex::locked() const noexcept {
    return impl_->locked;
}

} // namespace semel::runtime
