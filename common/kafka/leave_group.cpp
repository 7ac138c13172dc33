#include "leave_group.hpp"

#include "fields.hpp"
#include "group_answers.hpp"
#include "raw_connection.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <exception>
#include <variant>

namespace semel::kafka {

namespace asio = boost::asio;
using base::failed;
using base::fault;

namespace {

// https://kafka.apache.org/protocol
constexpr std::int16_t find_coordinator = 10;
constexpr std::int16_t leave = 13;

asio::awaitable<base::result<void>> tell_coordinator(cluster at, std::string group,
                                                     std::vector<std::string> instances) {
    const auto executor = co_await asio::this_coro::executor;
    const auto whose_place = fmt::format("group {}", group);
    const auto first = at.servers.substr(0, at.servers.find(','));
    const auto colon = first.rfind(':');
    auto host = first.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    raw_connection any{executor};
    if (auto opened =
            co_await any.open(at, std::move(host), static_cast<std::uint16_t>(std::stoul(first.substr(colon + 1))));
        !opened) {
        co_return failed(opened.error().within(whose_place));
    }
    field_writer whose;
    whose.text(group).number(std::int8_t{0});
    const auto answered = co_await any.ask(find_coordinator, 1, whose.written());
    if (!answered) {
        co_return failed(answered.error().within(whose_place));
    }
    const auto coordinator = coordinator_in(*answered, group);
    if (!coordinator) {
        co_return failed(coordinator.error());
    }

    raw_connection told{executor};
    if (auto opened = co_await told.open(at, coordinator->host, static_cast<std::uint16_t>(coordinator->port));
        !opened) {
        co_return failed(opened.error().within(whose_place));
    }
    field_writer gone;
    gone.text(group).number(static_cast<std::int32_t>(instances.size()));
    for (const auto& instance : instances) {
        gone.text("").text(instance); // whoever has this instance id
    }
    const auto departed = co_await told.ask(leave, 3, gone.written());
    co_return departed ? departure_in(*departed, group) : failed(departed.error().within(whose_place));
}

/// Of two that race, one that throws would leave the other waiting.
asio::awaitable<base::result<void>> try_to_leave(cluster at, std::string group, std::vector<std::string> instances) {
    const auto name = group;
    try {
        co_return co_await tell_coordinator(std::move(at), std::move(group), std::move(instances));
    } catch (const std::exception& e) {
        co_return failed(fault::kind::unreachable, fmt::format("group {}: {}", name, e.what()));
    }
}

asio::awaitable<void> pass(std::chrono::milliseconds time) {
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

asio::awaitable<base::result<void>> leave_group(cluster at, std::string group, std::vector<std::string> instances,
                                                std::chrono::milliseconds patience) {
    using namespace asio::experimental::awaitable_operators;
    const auto name = group;
    auto done = co_await (try_to_leave(std::move(at), std::move(group), std::move(instances)) || pass(patience));
    if (auto* answered = std::get_if<0>(&done)) {
        co_return std::move(*answered);
    }
    co_return failed(fault::kind::unreachable,
                     fmt::format("group {}: Kafka did not answer within {} ms", name, patience.count()));
}

} // namespace semel::kafka
