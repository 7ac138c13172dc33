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

} // namespace

void as_data(http::response& r) {
    add_to_all(r);
    add(r, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

} // namespace semel::api
