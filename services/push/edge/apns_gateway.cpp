#include "apns_gateway.hpp"

#include <base/codes.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>
#include <push/core/apns.hpp>

namespace semel::push {

namespace asio = boost::asio;
using base::failed;
using delivery::refused;
using delivery::verdict;
using kind = verdict::kind;

base::result<std::unique_ptr<apns_gateway>> apns_gateway::make(asio::any_io_executor on, const config::gateway& gateway,
                                                               tuning t) {
    const auto& c = std::get<config::apns>(gateway.link);
    auto peer = http2::parse_target(c.endpoint);
    if (!peer) {
        return failed(peer.error().within(gateway.name));
    }
    auto tls = http2::client_tls(c.ca);
    if (!tls) {
        return failed(tls.error().within(gateway.name));
    }
    auto key = crypto::private_key::from_file(c.key_file);
    if (!key) {
        return failed(key.error().within(gateway.name));
    }
    std::unique_ptr<apns_gateway> made{
        new apns_gateway{std::move(on), gateway.name, c, std::move(*peer), std::move(*tls), std::move(*key), t}};
    if (const auto signs = made->token_.at(base::now()); !signs) { // a key of another kind is found now, not at night
        return failed(signs.error().within(gateway.name));
    }
    return made;
}

apns_gateway::apns_gateway(asio::any_io_executor on, std::string name, const config::apns& c, http2::target peer,
                           std::shared_ptr<asio::ssl::context> tls, crypto::private_key key, tuning t)
    : name_(std::move(name))
    , authority_(peer.authority)
    , topic_(c.topic)
    , tuning_(t)
    , token_(std::move(key), c.key_id, c.team_id)
    , pool_(std::move(on), std::move(peer), std::move(tls),
            {.connections = c.connections,
             .streams = c.streams,
             .when = {},
             .first_pause = t.first_pause,
             .longest_pause = t.longest_pause}) {
    pool_.on_trouble([this](const base::fault& f) {
        telemetry::log().warn("connection.lost", {{"gateway", name_}, {"why", f.why()}});
    });
}

asio::awaitable<delivery::beginning> apns_gateway::stage(const delivery::outbound& message,
                                                         std::chrono::milliseconds patience) {
    const auto token = token_.at(base::now());
    if (!token) {
        co_return refused{judge(token.error(), codes::provider_token)};
    }
    auto request = apns::request_for(message, authority_, topic_, *token);
    if (!request) {
        co_return refused{judge(request.error(), codes::request)};
    }
    auto exchange = co_await pool_.submit(*request, true, patience);
    if (!exchange) {
        co_return not_begun(exchange.error());
    }
    auto read_answer = [this, id = apns::apns_id(message.notification), used = *token](const http2::response& r) {
        return read(r, id, used);
    };
    co_return std::make_unique<staged_push>(std::move(*exchange), tuning_.answer, std::move(read_answer));
}

verdict apns_gateway::read(const http2::response& r, std::string_view id, const std::string& token) {
    auto judged = apns::judge(r, id);
    if (judged.token_refused && !token_.refused(token, base::now())) {
        judged.verdict.what = kind::lane_stop;
        judged.verdict.text =
            "APNs calls a fresh provider token expired; check the clock, key_id, team_id and key_file";
    }
    return std::move(judged.verdict);
}

asio::awaitable<void> apns_gateway::run() {
    co_await pool_.run();
}
asio::awaitable<void> apns_gateway::close() {
    co_await pool_.close(tuning_.drain);
}

} // namespace semel::push
