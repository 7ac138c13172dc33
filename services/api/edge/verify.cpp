#include "verify.hpp"

#include <http/url.hpp>
#include <postgres/configured.hpp>
#include <postgres/outage.hpp>
#include <telemetry/log.hpp>

#include <api/core/verify_page.hpp>
#include <api/edge/strict_headers.hpp>
#include <api/edge/verifiable.hpp>
#include <correlation/verification_code.hpp>

#include <optional>
#include <string>
#include <utility>

namespace semel::api {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// What the routes share; on the server's strand.
struct verify_service::desk {
    verify_page::house house;
    postgres::pool db;
    denials turned_away;
    telemetry::counter known, unknown;
};

namespace {

using desk = verify_service::desk;

verify_page::language language_for(const http::request& r) {
    return verify_page::language_of(r.query_value("lang"), r.header("accept-language"));
}

http::response page(std::string html, unsigned status = 200) {
    http::response out{.status = status, .body = std::move(html), .content_type = "text/html; charset=utf-8"};
    out.headers.emplace_back("Vary", "Accept-Language");
    as_public_page(out);
    return out;
}

/// Of what a browser sends for the form. Anything else has no code.
std::optional<correlation::verification_code> code_in(const base::result<std::string>& body) {
    const auto form = body ? http::parse_query(*body) : std::nullopt;
    if (!form) {
        return std::nullopt;
    }
    const auto code = form->find("code");
    return code == form->end() ? std::nullopt : correlation::verification_code::read(code->second);
}

asio::awaitable<std::optional<verify_page::sent_notice>> look_up(desk& d, correlation::verification_code code) {
    co_return co_await d.db.run([code = std::move(code)](pqxx::connection& c) {
        pqxx::work tx{c};
        return find_verifiable(tx, code);
    });
}

/// The same for a code that cannot be one and for one that nobody was sent, and as slow.
http::response not_known(desk& d, const http::request& r) {
    d.unknown.add();
    auto out = page(verify_page::unknown(language_for(r), d.house), 404);
    out.held_back = d.turned_away.denied(r.peer, std::chrono::steady_clock::now());
    return out;
}

asio::awaitable<http::response> check(desk& d, http::request& r) {
    const auto code = code_in(co_await r.body());
    if (!code) {
        co_return not_known(d, r);
    }
    std::optional<verify_page::sent_notice> found;
    try {
        found = co_await look_up(d, *code);
    } catch (const std::exception& e) {
        const auto outage = postgres::outage_in(e);
        if (!outage) {
            throw;
        }
        telemetry::log().warn("request.turned_away", {{"why", outage->words}});
        co_return page(verify_page::out_of_order(language_for(r), d.house), 503);
    }
    if (!found) {
        co_return not_known(d, r);
    }
    d.known.add();
    co_return page(verify_page::known(language_for(r), d.house, *found));
}

http::router routes_of(const std::shared_ptr<desk>& d) {
    http::router all;
    all.add("GET", "/verify", [d](http::request& r) -> asio::awaitable<http::response> {
        co_return page(verify_page::to_ask(language_for(r), d->house));
    });
    all.add("POST", "/verify",
            [d](http::request& r) -> asio::awaitable<http::response> { co_return co_await check(*d, r); });
    all.add("GET", "/verify.css", [](http::request&) -> asio::awaitable<http::response> {
        http::response out{.body = std::string{verify_page::style_sheet()}, .content_type = "text/css; charset=utf-8"};
        out.headers.emplace_back("Cache-Control", "public, max-age=3600");
        as_public_page(out);
        co_return out;
    });
    return all;
}

/// A form is a few bytes long, and whoever reads the page has nothing to wait for.
http::server_options where(const config::verify_page& settings) {
    http::server_options out;
    out.host = settings.address.host;
    out.port = settings.address.port;
    out.certificate = settings.certificate;
    out.key = settings.key_file;
    out.kept = 0; // nobody signs in
    out.share_port = true;
    out.header_bytes = std::size_t{8} * 1024;
    out.whole_body = std::size_t{4} * 1024;
    out.header_timeout = 5s;
    out.idle_timeout = 15s;
    out.body_timeout = 5s;
    return out;
}

telemetry::counter answers(telemetry::metrics& metrics, std::string what) {
    return metrics.make_counter("semel_api_verifications_total", "Answers of the page that checks notices",
                                {{"answer", std::move(what)}});
}

} // namespace

verify_service::verify_service(asio::any_io_executor executor, config::verify_page settings, postgres::server database,
                               telemetry::metrics& metrics, denials::limits limits)
    : desk_(new desk{.house = {.organisation = settings.organisation, .contact = settings.contact},
                     .db = {std::move(database), 2, {.statement = 5s}},
                     .turned_away = denials{limits},
                     .known = answers(metrics, "known"),
                     .unknown = answers(metrics, "unknown")})
    , server_(std::move(executor), where(settings), routes_of(desk_)) {}

std::unique_ptr<verify_service> open_verify_page(asio::any_io_executor executor, const config::settings& config,
                                                 telemetry::metrics& metrics) {
    return config.verify ? std::make_unique<verify_service>(std::move(executor), *config.verify,
                                                            postgres::configured(config, "api"), metrics)
                         : nullptr;
}

} // namespace semel::api
