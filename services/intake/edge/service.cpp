#include "service.hpp"

#include <runtime/race.hpp>
#include <telemetry/log.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace semel::intake {
namespace asio = boost::asio;
using namespace std::chrono_literals;

service::service(asio::any_io_executor executor, settings s, telemetry::metrics& metrics)
    : executor_(executor)
    , settings_(std::move(s))
    , counters_(metrics)
    , producer_(executor, {.bootstrap = settings_.bootstrap, .transactional_id = settings_.instance})
    , consumer_(executor, {.bootstrap = settings_.bootstrap,
                           .group = settings_.group,
                           .instance = settings_.instance,
                           .topics = {settings_.topics.work}})
    , changed_(executor) {}

asio::awaitable<void> service::run() {
    co_await producer_.init();
    std::vector<asio::awaitable<void>> both;
    both.push_back(poll());
    both.push_back(work());
    co_await runtime::first_of(std::move(both));
}

asio::awaitable<void> service::close() {
    co_await consumer_.close();
}

asio::awaitable<void> service::poll() {
    for (;;) {
        auto event = co_await consumer_.next();
        if (auto* assigned = std::get_if<kafka::assigned>(&event)) {
            co_await take(std::move(*assigned));
        } else if (auto* revoked = std::get_if<kafka::revoked>(&event)) {
            co_await give_back(std::move(*revoked));
        } else if (auto* records = std::get_if<kafka::records>(&event)) {
            for (const auto& record : records->batch) {
                assignment from{record.at(), record.offset(), membership_};
                waiting_.push_back({std::move(from), std::string{record.value()}});
                consumer_.pause(std::span{&record.at(), 1});
            }
            changed_.notify();
        } else {
            co_return;
        }
    }
}

asio::awaitable<void> service::take(kafka::assigned assigned) {
    membership_ = consumer_.current_membership();
    std::vector<kafka::start> positions;
    if (!assigned.partitions.empty()) {
        const auto committed = co_await consumer_.committed(std::move(assigned.partitions));
        if (!committed) {
            throw std::runtime_error{committed.error().why()};
        }
        for (const auto& one : *committed) {
            positions.push_back({one.at, one.next});
        }
    }
    consumer_.begin(positions);
    telemetry::log().info("partitions.taken", {{"instance", settings_.instance}, {"partitions", positions.size()}});
}

asio::awaitable<void> service::give_back(kafka::revoked revoked) {
    const auto lost = [&](const kafka::topic_partition& at) {
        return std::ranges::find(revoked.partitions, at) != revoked.partitions.end();
    };
    std::erase_if(waiting_, [&](const task& t) { return lost(t.from.at); });
    if (busy_ && lost(*busy_)) {
        stop_.request_stop();
        while (busy_) {
            co_await changed_.wait();
        }
    }
    consumer_.release(revoked);
    telemetry::log().info("partitions.given_up",
                          {{"instance", settings_.instance}, {"partitions", revoked.partitions.size()}});
}

asio::awaitable<void> service::work() {
    for (;;) {
        while (waiting_.empty()) {
            co_await changed_.wait();
        }
        const auto next = std::move(waiting_.front());
        waiting_.pop_front();
        busy_ = next.from.at;
        stop_ = std::stop_source{};
        co_await carry_out(next);
        busy_.reset();
        changed_.notify();
        const bool more = std::ranges::any_of(waiting_, [&](const task& t) { return t.from.at == next.from.at; });
        if (!more && !stop_.stop_requested()) {
            consumer_.resume(std::span{&next.from.at, 1});
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
        wave_import import{executor_, settings_, producer_, consumer_, counters_};
        const auto ended = co_await import.run(order, task.from, stop_.get_token());
        if (ended != wave_import::ending::again || stop_.stop_requested()) {
            co_return;
        }
        co_await runtime::sleep(200ms);
    }
}

} // namespace semel::intake
