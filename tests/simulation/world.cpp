#include "world.hpp"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/context_as.hpp>
#include <boost/asio/query.hpp>
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
    explicit executor(context& c, bool may_block = true) noexcept
        : context_(&c)
        , may_block_(may_block) {}

    asio::execution_context& query(asio::execution::context_t) const noexcept { return *context_; }
    asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
        return may_block_ ? asio::execution::blocking_t{asio::execution::blocking.possibly}
                          : asio::execution::blocking_t{asio::execution::blocking.never};
    }
    executor require(asio::execution::blocking_t::never_t) const noexcept { return executor{*context_, false}; }
    executor require(asio::execution::blocking_t::possibly_t) const noexcept { return executor{*context_, true}; }

    template <class F>
    void execute(F&& f) const {
        if (may_block_ && context_->in.runs_inline(context_->of)) {
            std::forward<F>(f)();
            return;
        }
        context_->in.post(context_->of, std::move_only_function<void()>{std::forward<F>(f)});
    }
    friend bool operator==(const executor& a, const executor& b) noexcept {
        return a.context_ == b.context_ && a.may_block_ == b.may_block_;
    }

  private:
    context* context_;
    bool may_block_;
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
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
        if (slots_[slot].stamp != 0 && slots_[slot].of == p) {
            gone.push_back(std::move(*take({.slot = slot, .stamp = slots_[slot].stamp})));
        }
    }
}

void world::put_to_sleep(process p, instant until) {
    beings_.at(p).awake_from = until;
}
instant world::awake_from(process p) const {
    return beings_.at(p).awake_from;
}

world::ticket world::insert(instant at, entry e) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const ticket whose{.slot = free_.back(), .stamp = ++stamps_};
    free_.pop_back();
    e.stamp = whose.stamp;
    slots_[whose.slot] = std::move(e);
    queue_.push_back({.at = at, .place = ++places_, .whose = whose});
    std::push_heap(queue_.begin(), queue_.end());
    return whose;
}

std::optional<world::entry> world::take(ticket whose) {
    if (!waits(whose)) {
        return std::nullopt;
    }
    auto taken = std::exchange(slots_[whose.slot], {});
    free_.push_back(whose.slot);
    return taken;
}

world::ticket world::at(process of, instant when, work run) {
    if (!alive(of)) {
        return {};
    }
    return insert(std::max(when, now_), {.of = of, .run = std::move(run), .with = {}});
}

void world::post(process of, std::move_only_function<void()> run) {
    at(of, now_, [run = std::move(run)](boost::system::error_code) mutable { run(); });
}

void world::hasten(ticket whose, boost::system::error_code with) {
    if (auto e = take(whose)) {
        e->with = with;
        insert(now_, std::move(*e)); // under another ticket: it cannot be hastened, nor called off, a second time
    }
}

void world::call_off(ticket whose) {
    std::ignore = take(whose);
}

instant world::next_at() {
    while (!queue_.empty() && !waits(queue_.front().whose)) {
        std::pop_heap(queue_.begin(), queue_.end());
        queue_.pop_back();
    }
    return queue_.empty() ? instant::max() : queue_.front().at;
}

bool world::step() {
    if (next_at() == instant::max()) {
        return false;
    }
    const auto next = queue_.front();
    std::pop_heap(queue_.begin(), queue_.end());
    queue_.pop_back();
    now_ = next.at;
    auto e = std::move(*take(next.whose));
    if (asleep(e.of)) {
        insert(awake_from(e.of), std::move(e)); // under another ticket, as one that is hastened
        return true;
    }
    if (e.of != nobody && fate && fate(e.of)) {
        kill(e.of);
        if (mourned) {
            mourned(e.of);
        }
        return true;
    }
    witness(static_cast<std::uint64_t>(now_.time_since_epoch().count()) + e.of);
    running_ = e.of;
    try {
        e.run(e.with);
        running_ = nobody;
    } catch (...) {
        running_ = nobody;
        if (!failed) {
            throw;
        }
        failed(e.of, std::current_exception());
    }
    return true;
}

inhabitant who_runs_on(const asio::any_io_executor& ex) {
    auto& where = static_cast<context&>(asio::query(ex, asio::execution::context_as<asio::execution_context&>));
    return {.in = where.in, .of = where.of};
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
