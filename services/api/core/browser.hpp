#pragma once
// A browser that asks: its cookie, and when a request that brings the cookie is believed. A browser sends a cookie
// whoever made it ask, so a change needs two things that another site's page cannot give: the Origin that browsers
// write themselves, and the session's guard, which only the console's own page was told. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace semel::api::browser {

using namespace std::chrono_literals;

inline constexpr std::chrono::seconds code_lasts{5min};
inline constexpr std::chrono::seconds idle_at_most{30min}; // without a person at the keyboard
inline constexpr std::chrono::seconds session_lasts{12h};

struct cookie {
    std::string name;
    bool secure = false;
};
/// Under TLS a `__Host-` one, which no other host and no plain connection can set. In the clear one named by its port:
/// cookies do not tell ports apart, and a machine may run two stacks.
cookie cookie_of(bool tls, std::uint16_t port);
/// The value of Set-Cookie: for as long as the browser runs, not longer than a session lasts. An empty secret takes the
/// cookie away.
std::string set_cookie(const cookie&, std::string_view secret);
/// The cookie's value in a Cookie header; empty when it is not there, or there twice.
std::string_view value_in(std::string_view header, std::string_view name);

/// What a page must send back (Semel-Guard) with each change: follows from the cookie's secret, and tells nothing of
/// it.
std::string guard_of(std::string_view secret);

/// What a request says of where it comes from; empty where it says nothing.
struct came_from {
    std::string_view method, host, origin, fetch_site, guard;
};
/// Why a request is not believed to come from the console's own page; empty: it does.
std::string_view distrust_of_origin(const came_from&);
/// The same for one that brings the cookie of this secret: what only reads needs less.
std::string_view distrust(const came_from&, std::string_view secret);

} // namespace semel::api::browser
