#pragma once
// The small languages inside semel.yaml: durations, endpoints, URLs, host names. Pure; every refusal says what would
// do.

#include <config/config.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::config {

/// "500ms", "30s", "10m", "2h".
base::result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// "4096", "500MB", "32GiB"; at least 1.
base::result<std::uint64_t> parse_bytes(std::string_view text);
/// "host:port", "[::1]:port".
base::result<endpoint> parse_endpoint(std::string_view text);
/// A host name or IP address, no port, no user, no path.
base::result<std::string> parse_host(std::string_view text);
/// https://host[:port][/path] and nothing else: no other scheme, no user, query or fragment, no link-local address.
base::result<std::string> parse_https_url(std::string_view text);
/// host:port[,host:port...]
base::result<std::string> parse_bootstrap(std::string_view text);
/// A PostgreSQL role whose name needs no quotes anywhere.
base::result<std::string> parse_role(std::string_view text);
/// A libpq connection string without a password in it.
base::result<std::string> parse_dsn(std::string_view text);
/// Kafka's security.protocol and sasl.mechanism, in any case.
base::result<kafka_security::protocol> parse_security_protocol(std::string_view text);
base::result<kafka_security::mechanism> parse_mechanism(std::string_view text);

/// What stays on this machine: localhost, 127.0.0.0/8, ::1. A name that only begins like one does not.
bool is_loopback(std::string_view host);

/// What a connection string says, as libpq reads it. A host that begins with / is a Unix socket's folder.
struct dsn {
    std::vector<std::string> hosts; // empty: libpq's own choice, a Unix socket unless its environment says otherwise
    std::string sslmode;            // empty: libpq's default, which falls back to plain text
};
dsn read_dsn(const std::string& parsed);

/// The known word that `word` was probably meant to be.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

} // namespace semel::config
