#include "station.hpp"

namespace semel::gateways {

namespace asio = boost::asio;

namespace {

constexpr std::string_view help = R"(The test gateways of Semel. services/gateways/README.md has the fields.

GET  /            this list
GET  /counts      what each listener accepted, refused and reset
GET  /behaviour   what is in force, per listener
POST /behaviour   {"seed": 7, "all": {"latency_ms": 20}, "smtp": {"errors": {"451 4.7.1": 0.05}}, "smpp-2775": {"hang": true}}
POST /reset       counts to zero; {"behaviour": true}: and the file's behaviour; {"tries": true}: and forget tries
POST /disconnect  {"kind": "smtp"} or {"listener": "smtp-2525"}: resets its open connections
)";

http::response said(const json::value& v) {
    return {.body = json::pretty(v) + "\n"};
}

asio::awaitable<base::result<json::object>> object_of(http::request& r) {
    auto body = co_await r.body();
    if (!body) {
        co_return base::failed(body.error());
    }
    if (body->empty()) {
        co_return json::object{};
    }
    auto value = json::read(*body);
    if (!value) {
        co_return base::failed(value.error());
    }
    if (!value->is_object()) {
        co_return base::failed(base::fault::kind::malformed, "the body must be a JSON object");
    }
    co_return std::move(value->get_object());
}

asio::awaitable<http::response> change(station& s, http::request& r) {
    const auto wanted = co_await object_of(r);
    if (!wanted) {
        co_return http::problem(wanted.error());
    }
    if (const auto ok = s.change(*wanted); !ok) {
        co_return http::problem(ok.error());
    }
    co_return said(s.behaviours());
}

asio::awaitable<http::response> reset(station& s, http::request& r) {
    const auto wanted = co_await object_of(r);
    if (!wanted) {
        co_return http::problem(wanted.error());
    }
    const auto is_true = [&](std::string_view key) {
        const auto* v = wanted->if_contains(key);
        return v != nullptr && v->is_bool() && v->get_bool();
    };
    s.reset(is_true("behaviour"), is_true("tries"));
    co_return said(s.counts());
}

asio::awaitable<http::response> disconnect(station& s, http::request& r) {
    const auto wanted = co_await object_of(r);
    if (!wanted) {
        co_return http::problem(wanted.error());
    }
    const auto* name = json::find_text(*wanted, "kind");
    if (name == nullptr) {
        name = json::find_text(*wanted, "listener");
    }
    if (name == nullptr || s.disconnect({name->data(), name->size()}) == 0) {
        co_return http::problem(404, "no such listener", "give {\"kind\": \"smtp\"} or {\"listener\": \"smtp-2525\"}");
    }
    co_return said(s.counts());
}

} // namespace

http::router control_routes(station& s) {
    http::router out;
    out.add("GET", "/", [](http::request&) -> asio::awaitable<http::response> {
        co_return http::response{.body = std::string{help}, .content_type = "text/plain; charset=utf-8"};
    });
    // The function objects live as long as the server, and the station outlives it.
    out.add("GET", "/counts", [&s](http::request&) {
        return [](station& t) -> asio::awaitable<http::response> { co_return said(t.counts()); }(s);
    });
    out.add("GET", "/behaviour", [&s](http::request&) {
        return [](station& t) -> asio::awaitable<http::response> { co_return said(t.behaviours()); }(s);
    });
    out.add("POST", "/behaviour", [&s](http::request& r) { return change(s, r); });
    out.add("POST", "/reset", [&s](http::request& r) { return reset(s, r); });
    out.add("POST", "/disconnect", [&s](http::request& r) { return disconnect(s, r); });
    return out;
}

} // namespace semel::gateways
