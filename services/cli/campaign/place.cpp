#include "place.hpp"

#include <config/config.hpp>
#include <config/values.hpp>
#include <http/url.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace semel::cli::campaign {

namespace fs = std::filesystem;

namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::string_view usual_dir = ".semel";

std::string variable(const char* name) {
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before any thread
    return value == nullptr ? std::string{} : std::string{value};
}

result<std::string> token_in(const fs::path& file) {
    std::error_code error;
    const auto mode = fs::status(file, error).permissions();
    if (error) {
        return failed(fault::kind::permanent, fmt::format("no token in {}: {}", file.string(), error.message()));
    }
    if ((mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
        return failed(
            fault::kind::permanent,
            fmt::format("{} has mode {:04o}: others on this machine may use the token. Replace it if they may "
                        "have, then `chmod 600 {}`",
                        file.string(), static_cast<unsigned>(mode), file.string()));
    }
    std::ifstream in{file};
    std::string token;
    if (!(in >> token)) {
        return failed(fault::kind::permanent, fmt::format("{} cannot be read or holds no token", file.string()));
    }
    return token;
}

/// Where the api is; no token yet.
result<account> local_api(const fs::path& dir) {
    const auto file = dir / "config" / "semel.yaml";
    std::error_code error;
    if (!fs::exists(file, error)) {
        return failed(
            fault::kind::unreachable,
            fmt::format("there is no local stack in {}: `semel up` starts one there, --dir names another; for "
                        "an api elsewhere set SEMEL_API and SEMEL_TOKEN",
                        dir.string()));
    }
    const auto settings = config::load(file);
    if (!settings) {
        return failed(settings.error());
    }
    const auto& how = settings->api_tls;
    const bool secured = !how.certificate.empty();
    // Who listens everywhere is found here.
    auto host = settings->api.host == "0.0.0.0" ? "127.0.0.1" : settings->api.host == "::" ? "::1" : settings->api.host;
    if (secured && !how.server_name.empty()) {
        host = how.server_name;
    }
    if (host.contains(':')) {
        host = fmt::format("[{}]", host);
    }
    return account{.base = fmt::format("{}://{}:{}", secured ? "https" : "http", host, settings->api.port),
                   .token = {},
                   .ca = how.ca};
}

result<account> remote_api(const std::string& address) {
    const auto url = http::parse_url(address);
    if (!url) {
        return failed(url.error().within("SEMEL_API"));
    }
    if (!url->tls && !config::is_loopback(url->host)) {
        return failed(
            fault::kind::malformed,
            "SEMEL_API is http:// to another machine, which would show the token to the network; use https://");
    }
    return account{.base = address, .token = {}, .ca = {}};
}

} // namespace

environment environment::of_process() {
    return {.api = variable("SEMEL_API"),
            .token = variable("SEMEL_TOKEN"),
            .token_file = variable("SEMEL_TOKEN_FILE"),
            .ca = variable("SEMEL_CA")};
}

result<account> find_account(const place& at, const environment& env) {
    const bool local = at.dir || env.api.empty();
    const auto dir = at.dir.value_or(usual_dir);
    auto where = local ? local_api(dir) : remote_api(env.api);
    if (!where) {
        return where;
    }
    auto found = *std::move(where);
    if (!env.ca.empty()) {
        found.ca = env.ca;
    }
    if (!at.as && !env.token.empty()) {
        found.token = env.token;
        return found;
    }
    if (!at.as && env.token_file.empty() && !local) {
        return failed(fault::kind::malformed, "SEMEL_API is set and no token: set SEMEL_TOKEN or SEMEL_TOKEN_FILE too");
    }
    const auto file = !at.as && !env.token_file.empty() ? fs::path{env.token_file}
                                                        : dir / "config" / "tokens" / at.as.value_or("operator");
    auto token = token_in(file);
    if (!token) {
        return failed(token.error());
    }
    found.token = std::move(*token);
    return found;
}

} // namespace semel::cli::campaign
