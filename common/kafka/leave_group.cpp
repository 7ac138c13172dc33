#include "leave_group.hpp"

#include "group_answers.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <variant>

namespace semel::kafka {

namespace asio = boost::asio;
using asio::ip::tcp;
using base::failed;
using base::fault;

namespace {

// https://kafka.apache.org/protocol
constexpr std::int16_t find_coordinator = 10;
constexpr std::int16_t leave = 13;

class writer {
  public:
    template <class Int>
    writer& number(Int value) {
        for (int shift = static_cast<int>(sizeof(Int)) * 8 - 8; shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<char>(value >> shift & 0xff));
        }
        return *this;
    }
    writer& text(std::string_view s) {
        number(static_cast<std::int16_t>(s.size()));
        bytes_.append(s);
        return *this;
    }
    const std::string& bytes() const noexcept { return bytes_; }

  private:
    std::string bytes_;
};

asio::awaitable<tcp::socket> connect(std::string host, std::string port) {
    tcp::socket socket{co_await asio::this_coro::executor};
    tcp::resolver resolver{socket.get_executor()};
    const auto found = co_await resolver.async_resolve(host, port, asio::use_awaitable);
    co_await asio::async_connect(socket, found, asio::use_awaitable);
    co_return socket;
}

/// The answer's body.
asio::awaitable<std::string> ask(tcp::socket& socket, std::int16_t what, std::int16_t version, std::string body) {
    writer head;
    head.number(what).number(version).number(std::int32_t{1}).text("semel");
    writer size;
    size.number(static_cast<std::int32_t>(head.bytes().size() + body.size()));
    const auto request = size.bytes() + head.bytes() + body;
    co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
    std::string length(4, '\0');
    co_await asio::async_read(socket, asio::buffer(length), asio::use_awaitable);
    const auto n = length_of_answer(length);
    if (!n) {
        throw std::runtime_error{n.error().why()};
    }
    std::string answer(*n, '\0');
    co_await asio::async_read(socket, asio::buffer(answer), asio::use_awaitable);
    co_return answer.substr(4); // after the correlation id
}

asio::awaitable<base::result<void>> tell_coordinator(std::string bootstrap, std::string group,
                                                     std::vector<std::string> instances) {
    const auto first = bootstrap.substr(0, bootstrap.find(','));
    const auto colon = first.rfind(':');
    auto any = co_await connect(first.substr(0, colon), first.substr(colon + 1));
    writer whose;
    whose.text(group).number(std::int8_t{0});
    const auto answered = co_await ask(any, find_coordinator, 1, whose.bytes());
    const auto at = coordinator_in(answered, group);
    if (!at) {
        co_return std::unexpected(at.error());
    }

    auto coordinator = co_await connect(at->host, std::to_string(at->port));
    writer gone;
    gone.text(group).number(static_cast<std::int32_t>(instances.size()));
    for (const auto& instance : instances) {
        gone.text("").text(instance); // whoever has this instance id
    }
    const auto told = co_await ask(coordinator, leave, 3, gone.bytes());
    co_return departure_in(told, group);
}

/// Of two that race, one that throws would leave the other waiting.
asio::awaitable<base::result<void>> try_to_leave(std::string bootstrap, std::string group,
                                                 std::vector<std::string> instances) {
    const auto name = group;
    try {
        co_return co_await tell_coordinator(std::move(bootstrap), std::move(group), std::move(instances));
    } catch (const std::exception& e) {
        co_return failed(fault::kind::unreachable, fmt::format("group {}: {}", name, e.what()));
    }
}

asio::awaitable<void> pass(std::chrono::milliseconds time) {
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace

asio::awaitable<base::result<void>> leave_group(std::string bootstrap, std::string group,
                                                std::vector<std::string> instances,
                                                std::chrono::milliseconds patience) {
    using namespace asio::experimental::awaitable_operators;
    const auto name = group;
    auto done = co_await (try_to_leave(std::move(bootstrap), std::move(group), std::move(instances)) || pass(patience));
    if (auto* answered = std::get_if<0>(&done)) {
        co_return std::move(*answered);
    }
    co_return failed(fault::kind::unreachable,
                     fmt::format("group {}: Kafka did not answer within {} ms", name, patience.count()));
}

} // namespace semel::kafka
