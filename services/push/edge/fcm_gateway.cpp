#include "fcm_gateway.hpp"

#include <base/codes.hpp>
#include <runtime/race.hpp>
#include <runtime/retry.hpp>
#include <telemetry/log.hpp>

#include <fmt/format.h>
#include <push/core/fcm.hpp>
#include <url/url.hpp>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace semel::push {

namespace asio = boost::asio;
using base::failed;
using base::fault;
using delivery::refused;
using delivery::verdict;
using kind = verdict::kind;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

base::result<std::unique_ptr<fcm_gateway>> fcm_gateway::make(asio::any_io_executor on, const config::gateway& gateway,
                                                             tuning t) {
    const auto& c = std::get<config::fcm>(gateway.link);
    auto peer = http2::parse_target(c.endpoint);
    if (!peer) {
        return failed(peer.error().within(gateway.name));
    }
    auto tls = http2::client_tls(c.ca);
    if (!tls) {
        return failed(tls.error().within(gateway.name));
    }
    std::ifstream file{c.service_account};
    if (!file) {
        return failed(fault::kind::broken,
                      fmt::format("{}: {} cannot be read; check service_account and its permissions", gateway.name,
                                  c.service_account.string()));
    }
    std::ostringstream text;
    text << file.rdbuf();
    auto account = parse_service_account(text.str());
    if (!account) {
        return failed(account.error().within(fmt::format("{}: {}", gateway.name, c.service_account.string())));
    }
    const auto place = url::parse(c.token_endpoint.empty() ? account->token_uri : c.token_endpoint);
    if (!place) {
        return failed(place.error().within(gateway.name + ": token_endpoint"));
    }
    auto token_peer = http2::parse_target((place->tls ? "https://" : "http://") + place->authority);
    if (!token_peer) {
        return failed(token_peer.error().within(gateway.name + ": token_endpoint"));
    }
    token_endpoint tokens{.peer = std::move(*token_peer), .path = place->path.empty() ? "/" : place->path};
    return std::unique_ptr<fcm_gateway>{new fcm_gateway{on, gateway.name, c, std::move(*peer), std::move(*tls),
                                                        std::move(*account), std::move(tokens), t}};
}

fcm_gateway::fcm_gateway(const asio::any_io_executor& on, std::string name, const config::fcm& c, http2::target peer,
                         std::shared_ptr<asio::ssl::context> tls, service_account account, token_endpoint tokens,
                         tuning t)
    : name_(std::move(name))
    , authority_(peer.authority)
    , account_(std::move(account))
    , tokens_(std::move(tokens))
    , tls_(std::move(tls))
    , tuning_(t)
    , token_came_(on)
    , token_refused_(on)
    , pool_(on, std::move(peer), tls_,
            {.connections = c.connections,
             .streams = c.streams,
             .when = {},
             .first_pause = t.first_pause,
             .longest_pause = t.longest_pause}) {
    pool_.on_trouble(
        [this](const fault& f) { telemetry::log().warn("connection.lost", {{"gateway", name_}, {"why", f.why()}}); });
}

asio::awaitable<delivery::beginning> fcm_gateway::stage(const delivery::outbound& message, milliseconds patience) {
    const auto until = clock::now() + patience;
    const std::string* token = nullptr;
    while ((token = access_.at(base::now())) == nullptr) {
        const auto left = std::chrono::ceil<milliseconds>(until - clock::now());
        if (trouble_ && trouble_->what() == fault::kind::broken) {
            co_return refused{judge(*trouble_, codes::access_token)};
        }
        if (left <= milliseconds::zero() || !co_await token_came_.wait_for(left)) {
            co_return refused{our_verdict(kind::transient, codes::access_token,
                                          trouble_ ? trouble_->why() : "the access token has not come yet")};
        }
    }
    auto request = fcm::request_for(message, authority_, account_.project_id, *token);
    if (!request) {
        co_return refused{judge(request.error(), codes::request)};
    }
    auto read_answer = [this, used = *token](const http2::response& r) { return read(r, used); };
    const auto left = std::max(std::chrono::ceil<milliseconds>(until - clock::now()), milliseconds::zero());
    auto exchange = co_await pool_.submit(*request, true, left);
    if (!exchange) {
        co_return not_begun(exchange.error());
    }
    co_return std::make_unique<staged_push>(std::move(*exchange), tuning_.answer, std::move(read_answer));
}

verdict fcm_gateway::read(const http2::response& r, const std::string& token) {
    auto judged = fcm::judge(r);
    if (judged.token_refused) {
        if (access_.refused(token, base::now())) {
            token_refused_.notify();
        } else {
            judged.verdict.what = kind::lane_stop;
            judged.verdict.text = "FCM refuses a fresh access token; check service_account and its project";
        }
    }
    return std::move(judged.verdict);
}

asio::awaitable<base::result<access_token>> fcm_gateway::exchange_token() {
    auto form = token_request(account_, base::now());
    if (!form) {
        co_return failed(form.error());
    }
    auto opened = co_await http2::connection::open(tokens_.peer, tls_, 1);
    if (!opened) {
        co_return failed(opened.error());
    }
    const auto connection = std::move(*opened);
    http2::request r;
    r.authority = tokens_.peer.authority;
    r.path = tokens_.path;
    r.headers = {{"content-type", "application/x-www-form-urlencoded"}};
    r.body = std::move(*form);
    const auto exchange = connection->submit(std::move(r), false);
    if (!exchange) {
        co_return failed(fault::kind::unreachable, connection->reason());
    }
    const auto end = co_await exchange->answer(tuning_.answer);
    connection->goodbye();
    if (!end) {
        co_return failed(fault::kind::unreachable, end.error().why);
    }
    co_return parse_token_answer(end->status, end->body, base::now());
}

asio::awaitable<void> fcm_gateway::renew() {
    runtime::retry again{{.first = tuning_.first_pause, .longest = tuning_.longest_pause}};
    for (;;) {
        if (access_.wants_renewal(base::now())) {
            auto token = co_await exchange_token();
            if (token) {
                access_.renewed(std::move(*token), base::now());
                trouble_.reset();
                again.reset();
            } else {
                trouble_ = token.error().within("no access token");
                telemetry::log().warn("gateway_token.refused", {{"gateway", name_}, {"why", trouble_->why()}});
            }
            token_came_.notify(); // or the reason why it did not
            if (trouble_) {
                co_await token_refused_.wait_for(again.next());
            }
            continue;
        }
        // Not longer than a minute: the clock may be set.
        const auto left = std::chrono::ceil<milliseconds>(access_.renewal_at() - base::now());
        co_await token_refused_.wait_for(std::clamp<milliseconds>(left, milliseconds{1}, std::chrono::minutes{1}));
    }
}

asio::awaitable<void> fcm_gateway::run() {
    co_await runtime::race(pool_.run(), renew());
}
asio::awaitable<void> fcm_gateway::close() {
    co_await pool_.close(tuning_.drain);
}

} // namespace semel::push
