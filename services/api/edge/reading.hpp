#pragma once
// Handlers that only read: one campaign, one transaction, one answer.

#include <crypto/campaign_key.hpp>

#include <api/core/coverage.hpp>
#include <api/edge/api.hpp>

#include <cstdint>
#include <functional>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

/// Empty for NULL.
std::string text(const pqxx::field&);
std::string blob(const pqxx::field&);
/// Empty as null.
json::value text_or_null(const std::string&);
/// Microseconds as a time with its zone, to the second.
std::string in_seconds(std::int64_t us);
std::string time_of(const pqxx::field& us);

json::object to_json(const coverage&);
/// A campaign that has finished is running again while a doubt that was decided is sent once more.
std::string state_of(const v1::Campaign&, const coverage&);

using maker = std::function<http::response(pqxx::work&, const v1::Campaign&)>;
/// Looks the campaign up, then lets `make` fill the answer.
boost::asio::awaitable<http::response> read(services&, std::string id, maker make);

/// Reading personal data needs the campaign's key.
maker with_key(services&,
               std::function<http::response(pqxx::work&, const v1::Campaign&, const crypto::campaign_key&)> make);

} // namespace semel::api
