#pragma once
// The routes of the api: none is added without the step that it is.

#include <http/server.hpp>

#include <api/core/access.hpp>
#include <api/edge/services.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace semel::api {

using user_handler = std::function<boost::asio::awaitable<http::response>(http::request&, user)>;

class guarded_routes {
  public:
    explicit guarded_routes(services& s)
        : services_(s) {}

    /// Runs the handler for a user who may take the step; 401 without a known token or session, 403 for another role.
    /// Where the step depends on who made the campaign, the handler asks access::judge too.
    void add(const std::string& method, const std::string& pattern, access::step, user_handler);
    /// For who is not known yet, and asks to be: the handler itself denies.
    void add_open(const std::string& method, const std::string& pattern, http::handler);

    const http::router& router() const noexcept { return router_; }
    /// By route: "GET /v1/campaigns/{id}".
    const std::map<std::string, access::step>& steps() const noexcept { return steps_; }
    const std::set<std::string>& open() const noexcept { return open_; }

  private:
    services& services_;
    http::router router_;
    std::map<std::string, access::step> steps_;
    std::set<std::string> open_;
};

} // namespace semel::api
