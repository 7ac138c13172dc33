// redis::client, linked here instead of the one that speaks to a server: the same promises, kept over a simulated wire.

#include "call.hpp"
#include "redis.hpp"
#include "world.hpp"

#include <redis/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace semel::redis {

using namespace std::chrono_literals;
using namespace simulation;

std::string_view reply::error_code() const noexcept {
    return is_error() ? std::string_view{text}.substr(0, text.find(' ')) : std::string_view{};
}

struct client::impl {
    impl(asio::any_io_executor ex, std::uint16_t port)
        : executor(std::move(ex))
        , home(who_runs_on(executor))
        , server(redis_server::at(port)) {}

    using task = std::move_only_function<reply(redis_server&)>;
    asio::awaitable<base::result<reply>> carry_out(task);
    asio::awaitable<void> connect();
    journey way();
    void drop(std::uint64_t connection);

    asio::any_io_executor executor;
    inhabitant home;
    redis_server& server;
    std::string trouble = "not connected yet";
    server_identity identity;
    std::uint64_t generation = 0;
    std::uint64_t life = 0;
    instant last_arrival{}; // commands of a connection arrive in order
    instant last_answer{};
    bool connecting = false;
};

journey client::impl::way() {
    auto& w = home.in;
    const auto& faults = server.trouble();
    journey j{.arrives = std::max(last_arrival, w.now() + w.between(50us, 2ms)), .back = w.between(50us, 2ms)};
    if (w.chance(faults.stalled)) {
        j.arrives += w.between(1s, 9s);
    }
    last_arrival = j.arrives;
    last_answer = std::max(last_answer, j.arrives + j.back); // in the order of the commands
    j.back = last_answer - j.arrives;
    j.answered = !w.chance(faults.answer_lost);
    j.patience = 5s;
    return j;
}

void client::impl::drop(std::uint64_t connection) {
    if (connection != generation || connecting) {
        return; // that one is known to be gone
    }
    trouble = "the connection was lost";
    connecting = true;
    asio::co_spawn(executor, connect(), asio::detached);
}

asio::awaitable<void> client::impl::connect() {
    auto& w = home.in;
    do {
        co_await delay(w, home.of, w.between(20ms, 300ms));
    } while (!server.up());
    last_arrival = {};
    last_answer = {};
    life = server.life();
    identity = server.identity();
    ++generation;
    connecting = false;
    trouble.clear();
}

asio::awaitable<base::result<reply>> client::impl::carry_out(task what) {
    if (!trouble.empty()) {
        co_await delay(home.in, home.of, 0us);
        co_return base::failed(base::fault::kind::unreachable, "Redis is away");
    }
    const auto on = generation;
    auto answer = co_await call<std::optional<reply>>(
        home.in, home.of, way(), [s = &server, life = life, run = std::move(what)]() mutable -> std::optional<reply> {
            return s->up() && s->life() == life ? std::optional{run(*s)} : std::nullopt;
        });
    if (!answer || !*answer) {
        drop(on);
        co_return base::failed(base::fault::kind::unreachable, "the connection to Redis was lost");
    }
    co_return std::move(**answer);
}

client::client(asio::any_io_executor ex, client_options o)
    : impl_(std::make_shared<impl>(std::move(ex), o.port)) {
    impl_->drop(0);
}
client::~client() = default;

asio::awaitable<void> client::connected() {
    const auto self = impl_;
    auto& w = self->home.in;
    while (!self->trouble.empty()) {
        co_await delay(w, self->home.of, w.between(5ms, 50ms));
    }
}

std::uint64_t client::generation() const noexcept {
    return impl_->generation;
}
const server_identity& client::identity() const noexcept {
    return impl_->identity;
}
bool client::holds_all_of(const server_identity&) const noexcept {
    return false; // none ends in order here
}
const std::string& client::trouble() const noexcept {
    return impl_->trouble;
}

asio::awaitable<bool> client::unchanged() {
    const auto self = impl_;
    const auto on = self->generation;
    const auto answer = co_await self->carry_out([](redis_server& s) { return s.carry_out({"PING"}); });
    co_return answer.has_value() && on == self->generation;
}

asio::awaitable<base::result<reply>> client::command(std::vector<std::string> args) {
    const auto self = impl_;
    co_return co_await self->carry_out([args = std::move(args)](redis_server& s) { return s.carry_out(args); });
}

asio::awaitable<base::result<reply>> client::eval(const script& what, std::vector<std::string> keys,
                                                  std::vector<std::string> args) {
    const auto self = impl_;
    co_return co_await self->carry_out([&what, keys = std::move(keys), args = std::move(args)](redis_server& s) {
        return s.run(what.source(), keys, args);
    });
}

} // namespace semel::redis
