#include "strict_headers.hpp"

#include <algorithm>
#include <string_view>

namespace semel::api {
namespace {

void add(http::response& r, std::string_view name, std::string_view value) {
    if (std::ranges::none_of(r.headers, [&](const auto& h) { return h.first == name; })) {
        r.headers.emplace_back(name, value);
    }
}

void add_to_all(http::response& r) {
    add(r, "Cache-Control", "no-store");
    add(r, "X-Content-Type-Options", "nosniff");
    add(r, "Referrer-Policy", "no-referrer");
    add(r, "Cross-Origin-Resource-Policy", "same-origin");
}

void add_to_page(http::response& r) {
    add_to_all(r);
    add(r, "X-Frame-Options", "DENY");
    add(r, "Cross-Origin-Opener-Policy", "same-origin");
    add(r, "Permissions-Policy", "camera=(), geolocation=(), microphone=()");
}

} // namespace

void as_data(http::response& r) {
    add_to_all(r);
    add(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

void as_page(http::response& r) {
    add_to_page(r);
    add(r, "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src "
        "'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
}

void as_public_page(http::response& r) {
    add_to_page(r);
    add(r, "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
}

void as_preview(http::response& r) {
    add_to_all(r);
    // Mail programs show what stands in the mail itself: its own style, and pictures inside it.
    add(r, "Content-Security-Policy",
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors "
        "'self'");
    add(r, "X-Frame-Options", "SAMEORIGIN");
}

} // namespace semel::api
