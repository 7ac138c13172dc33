#include "gate.hpp"

#include "condition.hpp"
#include "deadline.hpp"

#include <telemetry/log.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <list>
#include <utility>

namespace semel::runtime {

namespace asio = boost::asio;

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

} // namespace

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
    condition emptied;
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
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
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

} // namespace semel::runtime
