#pragma once
// Talking to the api, blocking: one request after the other.

#include <base/fault.hpp>
#include <http/client.hpp>
#include <http/json.hpp>

#include <boost/asio/io_context.hpp>
#include <cli/campaign/place.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace semel::cli::campaign {

/// Faults of a session: `unreachable` (no answer, or 5xx), `transient` (the api says that waiting helps), `permanent`
/// (any other refusal). The text holds the api's hint.
class session {
  public:
    explicit session(account);

    base::result<json::value> get(std::string target, std::vector<std::pair<std::string, std::string>> headers = {});
    /// Without a body unless one is given.
    base::result<json::value> post(std::string target, const json::object* body = nullptr);
    base::result<json::value> remove(std::string target);
    /// The raw answer of a request of the caller's making; any status that is not a success is a fault.
    base::result<http::client_response> send(http::client_request);
    /// "http://127.0.0.1:18080"
    const std::string& address() const noexcept { return account_.base; }

  private:
    account account_;
    boost::asio::io_context io_;
    http::client client_;
};

/// "/v1/campaigns/ID" and what follows.
std::string campaign_target(std::string_view id, std::string_view rest = {});

/// The contract's exit code for a fault: 3 when a service is not reachable, otherwise 1.
int exit_code_of(const base::fault&) noexcept;

} // namespace semel::cli::campaign
