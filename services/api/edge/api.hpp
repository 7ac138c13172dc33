#pragma once
// The HTTP/JSON interface (docs/openapi.yaml): who may do what, and each route's handler.

#include <http/json.hpp>
#include <http/server.hpp>

#include <api/edge/services.hpp>
#include <api/edge/store.hpp>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace semel::api {

/// Removes what an api that died left of uploads under way. Once, before this one takes any.
void drop_broken_off_uploads(pqxx::connection&, const std::filesystem::path& data_dir);

/// All routes of /v1.
http::router routes(services&);

// The parts, each adding its routes.
void add_campaign_routes(http::router&, services&);
void add_wave_routes(http::router&, services&);
void add_record_routes(http::router&, services&);
void add_trial_routes(http::router&, services&);
void add_doubt_routes(http::router&, services&);

/// Runs the handler for a user with one of these roles; 401 without a known token, 403 for another role.
using user_handler = std::function<boost::asio::awaitable<http::response>(http::request&, user)>;
http::handler for_roles(services&, std::initializer_list<role>, user_handler);

http::response answer(const json::value&, unsigned status = 200);
http::response not_found(const std::string& campaign);
/// A step that the core refused: 409, with `"retry": true` when waiting helps.
http::response refused(const base::fault&);
/// What a user did, as an event of the campaign.
v1::Event operator_event(const v1::Campaign&, const user&, const std::string& what);
/// The body as a JSON object; malformed otherwise.
boost::asio::awaitable<base::result<json::object>> read_object(http::request&);

} // namespace semel::api
