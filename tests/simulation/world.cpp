#include "world.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace semel::simulation {

namespace {

class context final : public asio::execution_context {
  public:
    context(world& w, process p)
        : in(w)
        , of(p) {}
    ~context() {
        shutdown();
        destroy();
    }
    world& in;
    process of;
};

class executor {
  public:
    explicit executor(context& c) noexcept
        : context_(&c) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *context_; }
    static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
        return asio::execution::blocking.never;
    }
    executor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }

    template <class F>
    void execute(F&& f) const {
        context_->in.post(context_->of, std::move_only_function<void()>{std::forward<F>(f)});
    }
    friend bool operator==(const executor& a, const executor& b) noexcept { return a.context_ == b.context_; }

  private:
    context* context_;
};

} // namespace

world::world(std::uint64_t seed)
    : random_(seed) {
    begin_process(); // nobody
}

world::~world() {
    for (process p = 0; p < beings_.size(); ++p) {
        kill(p);
    }
}

bool world::chance(double p) {
    return static_cast<double>(random_() >> 11) * 0x1.0p-53 < p;
}
duration world::between(duration least, duration most) {
    return least + duration{static_cast<duration::rep>(below(static_cast<std::size_t>((most - least).count()) + 1))};
}
std::size_t world::below(std::size_t n) {
    return static_cast<std::size_t>(random_() % n);
}

process world::begin_process() {
    const auto p = static_cast<process>(beings_.size());
    beings_.push_back({.context = std::make_shared<context>(*this, p)});
    return p;
}

asio::any_io_executor world::executor_of(process p) {
    return executor{static_cast<context&>(*beings_.at(p).context)};
}

bool world::alive(process p) const {
    return beings_.at(p).alive;
}

void world::kill(process p) {
    beings_.at(p).alive = false;
    // What is destroyed may call other events off, and post: nothing of that finds its way back.
    std::vector<entry> gone;
    for (auto it = queue_.begin(); it != queue_.end();) {
        if (it->second.of == p) {
            waiting_.erase(it->second.number);
            gone.push_back(std::move(it->second));
            it = queue_.erase(it);
        } else {
            ++it;
        }
    }
}

void world::put_to_sleep(process p, instant until) {
    beings_.at(p).asleep_until = until;
}
bool world::asleep(process p) const {
    return beings_.at(p).asleep_until > now_;
}

void world::insert(instant at, entry e) {
    const place where{at, ++places_};
    waiting_[e.number] = where;
    queue_.emplace(where, std::move(e));
}

std::optional<world::entry> world::take(ticket number) {
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) {
        return std::nullopt;
    }
    auto node = queue_.extract(found->second);
    waiting_.erase(found);
    return std::move(node.mapped());
}

world::ticket world::at(process of, instant when, work run) {
    const auto number = ++tickets_;
    if (alive(of)) {
        insert(std::max(when, now_), {.of = of, .run = std::move(run), .with = {}, .number = number});
    }
    return number;
}

void world::post(process of, std::move_only_function<void()> run) {
    at(of, now_, [run = std::move(run)](boost::system::error_code) mutable { run(); });
}

void world::hasten(ticket number, boost::system::error_code with) {
    if (auto e = take(number)) {
        e->with = with;
        e->number = ++tickets_; // it cannot be hastened, nor called off, a second time
        insert(now_, std::move(*e));
    }
}

void world::call_off(ticket number) {
    std::ignore = take(number);
}

bool world::step() {
    if (queue_.empty()) {
        return false;
    }
    auto node = queue_.extract(queue_.begin());
    waiting_.erase(node.mapped().number);
    now_ = node.key().first;
    auto e = std::move(node.mapped());
    if (asleep(e.of)) {
        insert(beings_[e.of].asleep_until, std::move(e));
        return true;
    }
    if (e.of != nobody && fate && fate(e.of)) {
        kill(e.of);
        if (mourned) {
            mourned(e.of);
        }
        return true;
    }
    fingerprint_ =
        (fingerprint_ ^ (static_cast<std::uint64_t>(now_.time_since_epoch().count()) + e.of)) * 0x100000001b3;
    try {
        e.run(e.with);
    } catch (...) {
        if (!failed) {
            throw;
        }
        failed(e.of, std::current_exception());
    }
    return true;
}

asio::awaitable<void> wait(world& in, process of, instant until, std::function<void(world::ticket)> tell) {
    co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(boost::system::error_code)>(
        [](auto handler, world* w, process p, instant when, std::function<void(world::ticket)> told) {
            const auto slot = asio::get_associated_cancellation_slot(handler);
            const auto number =
                w->at(p, when, [h = std::move(handler)](boost::system::error_code ec) mutable { std::move(h)(ec); });
            if (slot.is_connected()) {
                auto s = slot;
                s.assign([w, number](asio::cancellation_type) { w->hasten(number, asio::error::operation_aborted); });
            }
            if (told) {
                told(number);
            }
        },
        asio::use_awaitable, &in, of, until, std::move(tell));
}

asio::awaitable<void> delay(world& in, process of, duration how_long) {
    co_await wait(in, of, in.now() + how_long);
}

} // namespace semel::simulation
