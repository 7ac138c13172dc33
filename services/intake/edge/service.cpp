#include "service.hpp"

#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <algorithm>
#include <utility>

namespace semel::intake {
namespace asio = boost::asio;

service::service(asio::any_io_executor executor, settings s, telemetry::metrics& metrics)
    : executor_(executor)
    , settings_(std::move(s))
    , counters_(metrics)
    , transactor_(executor, {.bootstrap = settings_.bootstrap,
                             .group = settings_.group,
                             .instance = settings_.instance,
                             .transactional_id = settings_.instance,
                             .topics = {settings_.topics.work}})
    , changed_(executor) {}

asio::awaitable<void> service::run(asio::awaitable<void> stop) {
    std::vector<asio::awaitable<void>> both;
    both.push_back(transactor_.run(*this, std::move(stop)));
    both.push_back(work());
    co_await runtime::first_of(std::move(both));
}

asio::awaitable<std::vector<kafka::start>> service::take(kafka::tenure_ptr of) {
    co_return of->starts();
}

asio::awaitable<void> service::read(kafka::tenure_ptr of, kafka::records fetched) {
    for (const auto& record : fetched.batch) {
        waiting_.push_back({{record.at(), record.offset(), of}, std::string{record.value()}});
        transactor_.pause(of, record.at());
    }
    changed_.notify();
    co_return;
}

asio::awaitable<void> service::leave(kafka::tenure_ptr) {
    waiting_.clear();
    stop_.request_stop();
    while (busy_) {
        co_await changed_.wait();
    }
}

asio::awaitable<void> service::work() {
    for (;;) {
        while (waiting_.empty()) {
            co_await changed_.wait();
        }
        const auto next = std::move(waiting_.front());
        waiting_.pop_front();
        busy_ = true;
        stop_ = std::stop_source{};
        co_await carry_out(next);
        busy_ = false;
        changed_.notify();
        if (std::ranges::none_of(waiting_, [&](const task& t) { return t.from.at == next.from.at; })) {
            transactor_.resume(next.from.of, next.from.at);
        }
    }
}

asio::awaitable<void> service::carry_out(const task& task) {
    v1::ImportOrder order;
    if (!order.ParseFromString(task.value)) {
        order.Clear();
        // What it left in `order` names no campaign, so its offset is committed and nothing else. The upload stays.
        telemetry::log().error("record.unusable", {{"partition", task.from.at.partition},
                                                   {"offset", task.from.offset},
                                                   {"why", "it does not parse as an import order"}});
    }
    for (;;) {
        wave_import import{executor_, settings_, transactor_, counters_};
        const auto ended = co_await import.run(order, task.from, stop_.get_token());
        if (ended != wave_import::ending::again || stop_.stop_requested()) {
            co_return;
        }
    }
}

} // namespace semel::intake
