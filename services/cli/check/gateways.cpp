#include "gateways.hpp"

#include <config/secret.hpp>
#include <http/url.hpp>
#include <socket/stream.hpp>

#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/this_coro.hpp>
#include <email/core/dialogue.hpp>
#include <fmt/format.h>
#include <sms/core/session.hpp>

#include <array>

namespace semel::cli {

namespace asio = boost::asio;
using base::failed;
using kind = base::fault::kind;
using result = base::result<void>;
using std::chrono::milliseconds;

namespace {

result refused(const std::optional<delivery::verdict>& why) {
    if (!why) {
        return failed(kind::unreachable, "the connection was closed");
    }
    const bool ours = why->what == delivery::verdict::kind::lane_stop;
    return failed(ours ? kind::broken : kind::unreachable, fmt::format("{} {}", why->code, why->text));
}

struct tls_wish {
    bool from_the_start = false;
    config::path ca;
    std::string server_name;
};

asio::awaitable<result> connect(socket::stream& wire, std::string host, std::uint16_t port, tls_wish tls) {
    if (auto connected = co_await wire.connect(host, port); !connected || !tls.from_the_start) {
        co_return connected;
    }
    auto context = socket::client_context(tls.ca);
    if (!context) {
        co_return failed(context.error());
    }
    co_return co_await wire.secure(*std::move(context), tls.server_name.empty() ? host : tls.server_name);
}

/// Up to where a message could begin: greeting, STARTTLS, AUTH.
asio::awaitable<result> reach_relay(config::smtp relay, milliseconds patience) {
    socket::stream wire{co_await asio::this_coro::executor};
    wire.expires_after(patience);
    using mode = config::smtp::tls_mode;
    const auto name = relay.server_name.empty() ? relay.host : relay.server_name;
    if (auto connected = co_await connect(wire, relay.host, relay.port, {relay.tls == mode::implicit, relay.ca, name});
        !connected) {
        co_return connected;
    }
    boost::system::error_code ignored;
    email::session_settings wanted{.helo = relay.helo.empty() ? asio::ip::host_name(ignored) : relay.helo,
                                   .starttls = relay.tls == mode::starttls,
                                   .user = relay.user,
                                   .password = {}};
    if (auto password = config::secret_in(relay.password_file)) {
        wanted.password = *std::move(password);
    } else {
        co_return failed(password.error());
    }
    email::dialogue talk{std::move(wanted)};
    std::array<char, 4096> buffer{};
    for (;;) {
        if (!talk.output().empty()) {
            const auto [lost, sent] = co_await wire.write(talk.output());
            talk.written();
            if (lost) {
                co_return failed(kind::unreachable, fmt::format("the connection was lost: {}", lost.message()));
            }
        }
        switch (talk.next()) {
        case email::dialogue::action::read: {
            const auto [lost, n] = co_await wire.read_some(buffer);
            if (lost) {
                talk.lost(wire.timed_out() ? "no answer in time" : lost.message());
            } else {
                talk.feed({buffer.data(), n});
            }
            break;
        }
        case email::dialogue::action::secure: {
            auto context = socket::client_context(relay.ca);
            auto secured = context ? co_await wire.secure(*std::move(context), name) : failed(context.error());
            if (!secured) {
                co_return secured;
            }
            talk.secured();
            break;
        }
        case email::dialogue::action::ready:
            co_return result{};
        default:
            co_return refused(talk.failure());
        }
    }
}

/// Binds and unbinds.
asio::awaitable<result> reach_centre(config::smpp centre, milliseconds patience) {
    using clock = std::chrono::steady_clock;
    socket::stream wire{co_await asio::this_coro::executor};
    wire.expires_after(patience);
    if (auto connected = co_await connect(wire, centre.host, centre.port, {centre.tls, centre.ca, centre.server_name});
        !connected) {
        co_return connected;
    }
    auto password = config::secret_in(centre.password_file);
    if (!password) {
        co_return failed(password.error());
    }
    sms::session talk{{.system_id = centre.system_id,
                       .password = *std::move(password),
                       .system_type = centre.system_type,
                       .response_timeout = patience},
                      clock::now()};
    std::array<char, 4096> buffer{};
    while (talk.where() == sms::session::phase::binding) {
        if (talk.has_output()) {
            const auto bytes = talk.take_output();
            if (const auto [lost, sent] = co_await wire.write(bytes); lost) {
                co_return failed(kind::unreachable, fmt::format("the connection was lost: {}", lost.message()));
            }
            continue;
        }
        const auto [lost, n] = co_await wire.read_some(buffer);
        if (lost) {
            co_return failed(kind::unreachable, fmt::format("no answer to the bind: {}",
                                                            wire.timed_out() ? "not in time" : lost.message()));
        }
        talk.feed({buffer.data(), n}, clock::now());
    }
    if (talk.where() != sms::session::phase::bound) {
        co_return refused(talk.failure());
    }
    talk.unbind(clock::now());
    const auto goodbye = talk.take_output();
    co_await wire.write(goodbye);
    co_return result{};
}

asio::awaitable<result> reach_push(std::string endpoint, config::path ca, milliseconds patience) {
    const auto at = http::parse_url(endpoint);
    if (!at) {
        co_return failed(at.error());
    }
    socket::stream wire{co_await asio::this_coro::executor};
    wire.expires_after(patience);
    co_return co_await connect(wire, at->host, at->port, {true, std::move(ca), at->host});
}

} // namespace

asio::awaitable<result> reach(const config::gateway& g, milliseconds patience) {
    if (const auto* relay = std::get_if<config::smtp>(&g.link)) {
        co_return co_await reach_relay(*relay, patience);
    }
    if (const auto* centre = std::get_if<config::smpp>(&g.link)) {
        co_return co_await reach_centre(*centre, patience);
    }
    if (const auto* apns = std::get_if<config::apns>(&g.link)) {
        co_return co_await reach_push(apns->endpoint, apns->ca, patience);
    }
    const auto& fcm = std::get<config::fcm>(g.link);
    co_return co_await reach_push(fcm.endpoint, fcm.ca, patience);
}

} // namespace semel::cli
