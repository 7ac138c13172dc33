#pragma once
// A small HTTP/1.1 client: one connection, kept alive, one request at a time. For the command line and for token
// endpoints; gateways at volume speak HTTP/2 (common/http2).

#include <base/fault.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct client_options {
    std::string base = {};                            // "http://127.0.0.1:18080", "https://oauth2.example.com"
    std::filesystem::path ca = {};                    // PEM; empty: the system's. The host name is always verified
    std::chrono::milliseconds connect_timeout{5'000}; // name, TCP and TLS together
    std::chrono::milliseconds timeout{30'000};        // for each step that makes progress, and until the answer begins
    std::size_t whole_body = std::size_t{64} * 1024 * 1024;
};

struct client_request {
    std::string method = "GET";
    std::string target = {}; // "/v1/campaigns?state=running", after the base; percent-encoded by the caller
    header_list headers = {};
    std::string body = {};
    /// Instead of `body`: fills the span, returns how much, 0 at the end. May block; throws to give up. Sent chunked
    /// unless `length` is known.
    std::function<std::size_t(std::span<char>)> source = nullptr;
    std::optional<std::uint64_t> length = {};
    /// Instead of client_response::body, for answers with status 200: gets the pieces as they come; throws to give up.
    std::function<void(std::string_view)> sink = nullptr;
};

struct client_response {
    unsigned status = 0;
    header_list headers;
    std::string body;
    /// Case-insensitive; empty when absent.
    std::string_view header(std::string_view name) const;
};

class client {
  public:
    client(boost::asio::any_io_executor, client_options);
    ~client();
    client(const client&) = delete;
    client& operator=(const client&) = delete;

    /// Any status is an answer. `unreachable`: no connection, no TLS, no answer in time; after a POST whose answer is
    /// missing nobody knows whether it was done. `malformed`: no HTTP, or larger than `whole_body`. `broken`: the base,
    /// the CA file, or a certificate that it does not prove. What `source` and `sink` throw comes through.
    boost::asio::awaitable<base::result<client_response>> send(client_request);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::http
