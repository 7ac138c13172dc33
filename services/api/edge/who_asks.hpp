#pragma once
// Who asks: known by a bearer token, or by the cookie of a browser's session.

#include <http/server.hpp>

#include <api/core/access.hpp>
#include <api/core/browser.hpp>
#include <api/edge/services.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace semel::api {

/// The secret of the session whose cookie the request brings. Empty when it has a token: that goes first.
std::string session_of(const services&, const http::request&);
browser::cookie cookie_of(const services&);
/// Lives as long as the request.
browser::came_from came_from(const http::request&);

/// Who is kept out, and why.
struct refusal {
    std::string who = {}; // empty: nobody knows
    std::string why;
    http::response answer;
};
/// A user, or the refusal of somebody who is not known, not believed, or whose token has ended.
boost::asio::awaitable<std::variant<user, refusal>> who_asks(services&, http::request&);

/// Where a person signs on with the organisation's provider; empty where semel.yaml has none.
std::string where_to_sign_on(const services&);
/// A problem that a sign-on mends: it says where, if there is a provider.
http::response sign_on_problem(unsigned status, std::string_view error, std::string_view hint, std::string_view where);

/// A refusal goes into the log and into the record of rights, and waits when its address has had several.
boost::asio::awaitable<http::response> deny(services&, const http::request&, std::string_view step, refusal);

} // namespace semel::api
