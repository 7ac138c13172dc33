#pragma once
// The HTTP/JSON interface (docs/openapi.yaml): each route with its step and its handler.

#include <http/json.hpp>
#include <http/server.hpp>

#include <api/edge/guarded_routes.hpp>
#include <api/edge/services.hpp>
#include <api/edge/store.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace semel::api {

/// A receiver of an upload that is silent for so long is taken for dead.
inline constexpr std::chrono::seconds upload_patience{120};
/// Removes what is left of uploads that nobody receives any more: those of `receiver`, and those of processes that are
/// silent. Another process' uploads go on.
void drop_broken_off_uploads(pqxx::connection&, const std::filesystem::path& data_dir, const std::string& receiver);

/// All routes of /v1.
guarded_routes routes(services&);

// The parts, each adding its routes.
void add_campaign_routes(guarded_routes&, services&);
void add_follow_up_routes(guarded_routes&, services&);
void add_step_routes(guarded_routes&, services&);
void add_approval_routes(guarded_routes&, services&);
void add_upload_routes(guarded_routes&, services&);
void add_incident_routes(guarded_routes&, services&);
void add_record_routes(guarded_routes&, services&);
void add_trial_routes(guarded_routes&, services&);
void add_doubt_routes(guarded_routes&, services&);
void add_people_routes(guarded_routes&, services&); // lists.cpp
void add_test_address_routes(guarded_routes&, services&);
void add_user_routes(guarded_routes&, services&);
void add_session_routes(guarded_routes&, services&);
void add_session_list_routes(guarded_routes&, services&);
void add_sign_on_routes(guarded_routes&, services&);
void add_key_routes(guarded_routes&, services&);

http::response answer(const json::value&, unsigned status = 200);
http::response not_found(const std::string& campaign);
/// A step that the core refused: 409, with `"retry": true` when waiting helps.
http::response refused(const base::fault&);
/// What a user did, as an event of the campaign.
v1::Event operator_event(const v1::Campaign&, const user&, const std::string& what);
/// Text that JSON and PostgreSQL take: UTF-8, and no NUL in it.
bool is_utf8(std::string_view);
/// A parameter of the route that is a number; nothing when it is not one from 1.
std::optional<std::uint32_t> number_in(const http::request&, std::string_view parameter);
/// The body as a JSON object; malformed otherwise.
boost::asio::awaitable<base::result<json::object>> read_object(http::request&);

} // namespace semel::api
