#include "fenced.hpp"

#include "call.hpp"

namespace semel::simulation {

fenced::fenced(world& w, process p, broker& b, const sim_log::trouble& t, std::string transactional_id)
    : world_(w)
    , of_(p)
    , broker_(b)
    , trouble_(t)
    , transactional_id_(std::move(transactional_id)) {}

journey fenced::way() {
    journey j{.arrives = broker_.reachable_from(of_) + world_.between(1ms, 15ms), .back = world_.between(1ms, 10ms)};
    j.answered = !world_.chance(trouble_.answer_lost);
    j.patience = 10s;
    return j;
}

asio::awaitable<void> fenced::run() {
    for (;;) {
        if (co_await fence()) {
            restore();
            while (co_await live()) {
            }
        }
        co_await delay(world_, of_, world_.between(100ms, 1s));
    }
}

asio::awaitable<bool> fenced::fence() {
    const auto epoch = co_await call<std::uint64_t>(
        world_, of_, way(), [b = &broker_, id = transactional_id_] { return b->new_epoch(id); });
    if (epoch) {
        epoch_ = *epoch;
    }
    co_return epoch.has_value();
}

asio::awaitable<bool> fenced::commit(records all, topic_partition where, std::string position) {
    all.emplace_back(where, position);
    if (world_.chance(trouble_.given_up)) {
        for (const auto& [to, value] : all) {
            broker_.roll_back(to, 1);
        }
        co_return false;
    }
    broker::transaction t{.id = transactional_id_, .epoch = epoch_, .records = std::move(all), .offsets = {}, .as = {}};
    const auto became =
        co_await call<broker::end_of>(world_, of_, way(), [b = &broker_, t = std::move(t)] { return b->commit(t); });
    if (became) {
        co_return *became == broker::end_of::committed;
    }
    if (!co_await fence()) {
        co_return false;
    }
    const auto& stand = broker_.records(where);
    co_return !stand.empty() && stand.back().value == position;
}

} // namespace semel::simulation
