#include <config/transport.hpp>
#include <config/values.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <url/url.hpp>

#include <algorithm>
#include <utility>

namespace semel::config {

namespace {

/// Of "b-1.example.com:9096,b-2.example.com:9096", which parse_bootstrap() has seen.
std::vector<std::string> hosts_of(std::string_view bootstrap) {
    std::vector<std::string> out;
    for (std::size_t from = 0; from <= bootstrap.size();) {
        const auto comma = std::min(bootstrap.find(',', from), bootstrap.size());
        if (auto at = parse_endpoint(bootstrap.substr(from, comma - from))) {
            out.push_back(std::move(at->host));
        }
        from = comma + 1;
    }
    return out;
}

/// Empty for what is no address.
std::string host_of(std::string_view address) {
    const auto at = url::parse(address);
    return at ? at->host : std::string{};
}

bool is_elsewhere(const std::string& host) {
    const bool is_socket = host.empty() || host.starts_with('/') || host.starts_with('@'); // as libpq reads it
    return !is_socket && !is_loopback(host);
}

} // namespace

void hold_to_encryption(section& s, std::vector<std::string>& unencrypted, const transport& t) {
    bool insecure = false;
    s.read("insecure", insecure);
    if (t.encrypts) {
        return;
    }
    const auto elsewhere = std::ranges::find_if(t.hosts, is_elsewhere);
    if (elsewhere == t.hosts.end()) {
        return;
    }
    if (insecure) {
        unencrypted.push_back(fmt::format("{}: what passes between this machine and {} is not encrypted, as insecure: "
                                          "true in semel.yaml allows",
                                          s.key(), fmt::join(t.hosts, ", ")));
    } else {
        s.complain(t.key, fmt::format("{} is not on this machine, and everything would cross the network in the clear: "
                                      "{}, or write `insecure: true` beside it if nobody can listen on that way",
                                      *elsewhere, t.remedy));
    }
}

void come_together(section& s, std::string_view one, std::string_view other) {
    if (s.has(one) != s.has(other)) {
        s.complain(s.has(one) ? other : one, fmt::format("is missing: {} and {} come together", one, other));
    }
}

void only_with(section& s, std::initializer_list<std::string_view> keys, bool condition, std::string_view what) {
    for (const auto key : keys) {
        if (s.has(key) && !condition) {
            s.complain(key, fmt::format("means nothing without {}", what));
        }
    }
}

void read_kafka(section& s, settings& out, const path& folder) {
    auto& how = out.kafka_security;
    s.read_as<std::string>("bootstrap", out.kafka_bootstrap, parse_bootstrap);
    s.read_as<kafka_security::protocol>("security_protocol", how.over, parse_security_protocol);
    s.read_as<kafka_security::mechanism>("sasl_mechanism", how.sasl, parse_mechanism);
    s.read("user", how.user);
    s.read_path("password_file", how.password_file, folder);
    s.read_path("ca", how.ca, folder);
    s.read_path("certificate", how.certificate, folder);
    s.read_path("key_file", how.key_file, folder);
    come_together(s, "certificate", "key_file");
    if (how.authenticates()) {
        s.need({"user", "password_file"});
    }
    only_with(s, {"sasl_mechanism", "user", "password_file"}, how.authenticates(),
              "security_protocol: sasl_ssl (or sasl_plaintext)");
    only_with(s, {"ca", "certificate", "key_file"}, how.encrypts(), "security_protocol: ssl or sasl_ssl");
    hold_to_encryption(s, out.unencrypted,
                       {.encrypts = how.encrypts(),
                        .hosts = hosts_of(out.kafka_bootstrap),
                        .key = "security_protocol",
                        .remedy = "set security_protocol to sasl_ssl or ssl"});
}

void read_redis(section& s, settings& out, const path& folder) {
    auto& how = out.redis_security;
    s.read_as<endpoint>("address", out.redis, parse_endpoint);
    s.read("tls", how.tls);
    s.read_path("ca", how.ca, folder);
    s.read_as<std::string>("server_name", how.server_name, parse_host);
    s.read_path("certificate", how.certificate, folder);
    s.read_path("key_file", how.key_file, folder);
    s.read("user", how.user);
    s.read_path("password_file", how.password_file, folder);
    s.read_word("durability", how.durability,
                {{"checked", redis_security::durability_proof::checked},
                 {"managed", redis_security::durability_proof::managed}});
    come_together(s, "certificate", "key_file");
    if (s.has("user") && !s.has("password_file")) {
        s.complain("password_file", "is missing: a user has a password");
    }
    only_with(s, {"ca", "server_name", "certificate", "key_file"}, how.tls, "tls: true");
    hold_to_encryption(s, out.unencrypted,
                       {.encrypts = how.tls, .hosts = {out.redis.host}, .key = "tls", .remedy = "set tls: true"});
}

void read_postgres(section& s, settings& out, const path& folder) {
    s.read_as<std::string>("dsn", out.postgres_dsn, parse_dsn);
    s.read_path("password_file", out.postgres_password_file, folder);
    s.inside("users", [&](section& users) {
        for (const auto service : {"api", "ledger", "receipts"}) {
            if (users.has(service)) {
                users.read_as<std::string>(service, out.postgres_users[service], parse_role);
            }
        }
    });
    const auto said = read_dsn(out.postgres_dsn);
    hold_to_encryption(s, out.unencrypted,
                       {.encrypts = said.sslmode == "verify-full",
                        .hosts = said.hosts,
                        .key = "dsn",
                        .remedy = "add sslmode=verify-full and sslrootcert=FILE, the only sslmode that says who "
                                  "answers"});
}

namespace {

/// Its tokens say who somebody is, so nobody in between may write them; what runs on this machine is a test's.
base::result<std::string> parse_provider(std::string_view text) {
    constexpr std::string_view plain = "http://";
    if (text.starts_with(plain) && is_loopback(host_of(text))) {
        return std::string{text};
    }
    return parse_https_url(text);
}

/// Without a path: browsers are sent back to one that is the api's.
base::result<std::string> parse_own_address(std::string_view text) {
    auto address = parse_provider(text);
    const auto at = url::parse(text);
    if (address && (!at || !at->path.empty())) {
        return base::failed(
            base::fault::kind::broken,
            fmt::format("\"{}\" is more than scheme, host and port, such as https://semel.example.com", text));
    }
    return address;
}

void read_sign_on(section& s, settings& out, const path& folder) {
    sign_on how;
    s.read_as<std::string>("issuer", how.issuer, parse_provider);
    s.read_path("ca", how.ca, folder);
    s.read("client_id", how.client_id);
    s.read_path("client_secret_file", how.client_secret_file, folder);
    s.read_as<std::string>("own_address", how.own_address, parse_own_address);
    s.read("claim", how.claim);
    s.read("name_claim", how.name_claim);
    s.lists("roles", [&](const std::string& group, std::vector<std::string> roles) {
        how.roles.emplace(group, std::move(roles));
    });
    s.need({"issuer", "client_id", "own_address", "roles"});
    out.sign_on = std::move(how);
}

} // namespace

void read_api(section& s, settings& out, const path& folder) {
    s.read_as<endpoint>("address", out.api, parse_endpoint);
    s.read_path("console", out.console_dir, folder);
    auto& how = out.api_tls;
    s.inside("tls", [&](section& tls) {
        tls.read_path("certificate", how.certificate, folder);
        tls.read_path("key_file", how.key_file, folder);
        tls.read_path("ca", how.ca, folder);
        tls.read_as<std::string>("server_name", how.server_name, parse_host);
        tls.need({"certificate", "key_file"});
    });
    s.inside("sign_on", [&](section& provider) { read_sign_on(provider, out, folder); });
    hold_to_encryption(s, out.unencrypted,
                       {.encrypts = !how.certificate.empty(),
                        .hosts = {out.api.host},
                        .key = "tls",
                        .remedy = "give it a certificate (tls: {certificate: FILE, key_file: FILE}), or let it listen "
                                  "on 127.0.0.1 behind a proxy that has one"});
}

/// Whoever can change the page on its way can call a forged notice genuine.
void read_verify(section& s, settings& out, const path& folder) {
    verify_page page;
    s.read_as<endpoint>("address", page.address, parse_endpoint);
    s.read("organisation", page.organisation);
    s.read("contact", page.contact);
    s.read_path("certificate", page.certificate, folder);
    s.read_path("key_file", page.key_file, folder);
    s.need({"address", "organisation", "contact"});
    come_together(s, "certificate", "key_file");
    hold_to_encryption(s, out.unencrypted,
                       {.encrypts = !page.certificate.empty(),
                        .hosts = {page.address.host},
                        .key = "certificate",
                        .remedy = "give it a certificate and key_file, or let it listen on 127.0.0.1 behind a proxy "
                                  "that has one"});
    out.verify = std::move(page);
}

} // namespace semel::config
