#include "plan.hpp"

#include <config/values.hpp>
#include <http/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <libpq-fe.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

namespace semel::cli::stack {

namespace {

using base::failed;
using kind = base::fault::kind;

std::uint16_t port_of(std::string_view host_and_port, std::uint16_t otherwise) {
    const auto colon = host_and_port.rfind(':');
    const auto text = colon == std::string_view::npos ? std::string_view{} : host_and_port.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() ? port : otherwise;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view{"/-._~"}.contains(c);
        out += plain ? std::string{c} : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string local_dsn(const folders& at, std::uint16_t port) {
    return fmt::format("postgresql://semel@127.0.0.1:{}/semel?passfile={}", port,
                       percent_encoded((at.config() / "postgres.pass").string()));
}

base::fault elsewhere(std::string_view key, std::string_view value) {
    return {kind::broken,
            fmt::format(
                "semel.yaml: {0}: {1} is not on this machine. `semel up` runs Kafka, Redis and PostgreSQL itself, on "
                "loopback; with servers elsewhere, start the services by your own means "
                "(semel-SERVICE --config semel.yaml) or write a loopback address",
                key, value)};
}

base::fault not_so(std::string_view key, std::string_view server) {
    return {
        kind::broken,
        fmt::format("semel.yaml: {0}: `semel up` runs {1} itself, on loopback and without that. Take {0} out; with a "
                    "{1} of your own, start the services by your own means (semel-SERVICE --config semel.yaml)",
                    key, server)};
}

/// The port of an https URL that is on this machine.
std::optional<std::uint16_t> local_https_port(std::string_view url) {
    auto authority = url.substr(std::string_view{"https://"}.size());
    authority = authority.substr(0, authority.find('/'));
    const auto host = authority.substr(0, authority.rfind(':'));
    if (!config::is_loopback(host) && host != "[::1]") {
        return std::nullopt;
    }
    return port_of(authority, 443);
}

} // namespace

base::result<folders> folders_at(const path& dir) {
    const folders at{.root = std::filesystem::weakly_canonical(std::filesystem::absolute(dir))};
    const auto& text = at.root.native();
    if (text.find_first_of("\n\r\t\\;'\"%") != std::string::npos) {
        return failed(
            kind::broken,
            fmt::format("{}: the supervisor cannot have a ; ' \" \\ or % in a path: choose another --dir", text));
    }
    // sockaddr_un has 108 bytes, and supervisord first binds a name with its pid at the end.
    if (at.socket().native().size() > 96) {
        return failed(
            kind::broken,
            fmt::format("{}: too long for a Unix socket inside it: choose a --dir of at most 75 characters", text));
    }
    return at;
}

ports usual_ports() {
    ports out;
    std::uint16_t next = 18081;
    for (const auto service : service_names) {
        out.admin.emplace(service, next++);
    }
    return out;
}

base::result<ports> ports_from(std::uint16_t base) {
    ports out;
    std::uint32_t next = base;
    const auto take = [&] { return static_cast<std::uint16_t>(next++); };
    for (auto* port : {&out.kafka, &out.controller, &out.redis, &out.postgres, &out.api}) {
        *port = take();
    }
    for (const auto service : service_names) {
        out.admin.emplace(service, take());
    }
    take(); // the test gateways' control port: gateway_listeners()
    for (auto* port : {&out.smtp, &out.apns, &out.fcm, &out.smpp}) {
        *port = take();
    }
    if (base < 1024 || next > 65'536) {
        return failed(
            kind::broken,
            fmt::format("--port-base {}: {} ports from there on must lie between 1024 and 65535", base, next - base));
    }
    return out;
}

std::string first_settings(const folders& at, const ports& p) {
    std::vector<std::string> admin;
    for (const auto service : service_names) {
        admin.push_back(fmt::format("{}: {}", service, p.admin.at(std::string{service})));
    }
    return fmt::format(R"(# Made by `semel up` on its first run; yours to edit. Paths are relative to this file.
kafka: {{bootstrap: "127.0.0.1:{kafka}"}}
redis: {{address: "127.0.0.1:{redis}"}}
postgres: {{dsn: "{dsn}", users: {{api: semel_api, ledger: semel_ledger, receipts: semel_receipts}}}}
api: {{address: "127.0.0.1:{api}"}}
admin_ports: {{{admin}}}
data_dir: ../data
run_dir: ../run
key_encryption_key_file: kek # or several, the first of which writes: keys: [kek-2, kek] (`semel keys --help`)
tokens_dir: tokens
partitions: 8
# The test gateways of `semel up --sim`. Put your own here.
gateways:
  email:
    - {{name: relay-a, smtp: {{host: 127.0.0.1, port: {smtp}, tls: none, connections: 64, helo: localhost, return_path_domain: bounces.example.com, verp_key_file: verp.key}}, rate: 20000/s}}
  push:
    - {{name: apns, apns: {{endpoint: "https://127.0.0.1:{apns}", ca: ca.pem, team_id: TEAM000001, key_id: KEY0000001, key_file: apns.p8, topic: com.example.shop}}}}
    - {{name: fcm, fcm: {{endpoint: "https://127.0.0.1:{fcm}", ca: ca.pem, service_account: fcm.json, token_endpoint: "https://127.0.0.1:{fcm}/token"}}}}
  sms:
    - {{name: smsc-a, smpp: {{host: 127.0.0.1, port: {smpp}, system_id: semel, password_file: smpp.password, window: 64, source_address: "15771577", exclusive: true}}}}
)",
                       fmt::arg("kafka", p.kafka), fmt::arg("redis", p.redis),
                       fmt::arg("dsn", local_dsn(at, p.postgres)), fmt::arg("api", p.api),
                       fmt::arg("admin", fmt::join(admin, ", ")), fmt::arg("smtp", p.smtp), fmt::arg("apns", p.apns),
                       fmt::arg("fcm", p.fcm), fmt::arg("smpp", p.smpp));
}

base::result<std::string> adopted_settings(std::string_view yaml, const path& origin, const folders& at) {
    // Read strictly first: what is complained about here is the user's file, with its own lines.
    if (auto settings = config::parse(yaml, origin); !settings) {
        return failed(settings.error());
    }
    auto root = YAML::Load(std::string{yaml});
    const auto absolute = [&](YAML::Node node, std::initializer_list<const char*> keys) {
        for (const auto* key : keys) {
            if (node.IsMap() && node[key].IsDefined()) {
                node[key] = (origin.parent_path() / node[key].Scalar()).lexically_normal().string();
            }
        }
    };
    absolute(root, {"data_dir", "run_dir", "key_encryption_key_file", "unsigned_records", "tokens_dir"});
    if (root["keys"].IsDefined()) {
        for (std::size_t i = 0; i < root["keys"].size(); ++i) {
            root["keys"][i] = (origin.parent_path() / root["keys"][i].Scalar()).lexically_normal().string();
        }
    }
    for (const auto* server : {"kafka", "redis", "postgres"}) {
        if (root[server].IsDefined()) {
            absolute(root[server], {"password_file", "ca", "certificate", "key_file"});
        }
    }
    if (root["api"].IsDefined()) {
        absolute(root["api"], {"console"});
        if (root["api"]["tls"].IsDefined()) {
            absolute(root["api"]["tls"], {"ca", "certificate", "key_file"});
        }
    }
    if (root["gateways"].IsDefined()) {
        for (auto channel : root["gateways"]) {
            for (auto gateway : channel.second) {
                for (const auto* link : {"smtp", "apns", "fcm", "smpp"}) {
                    if (gateway[link].IsDefined()) {
                        absolute(gateway[link],
                                 {"ca", "key_file", "service_account", "password_file", "verp_key_file"});
                        for (auto key : gateway[link]["dkim"]) {
                            absolute(key, {"key_file"});
                        }
                    }
                }
            }
        }
    }
    const auto usual = usual_ports();
    const auto add = [&](const char* key, const std::string& value) {
        if (!root[key].IsDefined()) {
            root[key] = value;
        }
    };
    add("data_dir", at.data().string());
    if (!root["keys"].IsDefined()) {
        add("key_encryption_key_file", (at.config() / "kek").string());
    }
    add("tokens_dir", (at.config() / "tokens").string());
    root["run_dir"] = at.run().string(); // where `semel ps` looks
    if (!root["postgres"].IsDefined() || !root["postgres"]["dsn"].IsDefined()) {
        root["postgres"]["dsn"] = local_dsn(at, usual.postgres);
        for (const auto* service : {"api", "ledger", "receipts"}) {
            root["postgres"]["users"][service] = fmt::format("semel_{}", service);
        }
    }
    return fmt::format("# Made by `semel up --config {}`: edit that file, not this one.\n{}\n", origin.string(),
                       YAML::Dump(root));
}

base::result<servers> local_servers(const config::settings& s) {
    servers out;
    if (s.kafka_security.encrypts() || s.kafka_security.authenticates()) {
        return failed(not_so("kafka.security_protocol", "Kafka"));
    }
    if (s.redis_security.tls || !s.redis_security.password_file.empty()) {
        return failed(not_so(s.redis_security.tls ? "redis.tls" : "redis.password_file", "Redis"));
    }
    if (!s.postgres_password_file.empty()) {
        return failed(not_so("postgres.password_file", "PostgreSQL"));
    }
    const auto kafka_host = s.kafka_bootstrap.substr(0, s.kafka_bootstrap.rfind(':'));
    out.kafka = port_of(s.kafka_bootstrap, 0);
    if (s.kafka_bootstrap.contains(',') || !config::is_loopback(kafka_host) || out.kafka == 65'535) {
        return failed(elsewhere("kafka.bootstrap", s.kafka_bootstrap));
    }
    out.controller = static_cast<std::uint16_t>(out.kafka + 1);
    if (!config::is_loopback(s.redis.host)) {
        return failed(elsewhere("redis.address", s.redis.host));
    }
    out.redis = s.redis.port;

    char* why = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(s.postgres_dsn.c_str(), &why), &PQconninfoFree};
    const std::unique_ptr<char, decltype(&PQfreemem)> reason{why, &PQfreemem};
    if (!options) {
        return failed(kind::broken, fmt::format("semel.yaml: postgres.dsn: {}",
                                                reason ? reason.get() : "is not a connection string"));
    }
    std::string host;
    std::string port = "5432";
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr && std::string_view{option->keyword} == "host") {
            host = option->val;
        } else if (option->val != nullptr && std::string_view{option->keyword} == "port") {
            port = option->val;
        }
    }
    if (!config::is_loopback(host)) {
        return failed(elsewhere("postgres.dsn", host.empty() ? "a server without a host" : host));
    }
    out.postgres = port_of(":" + port, 0);
    return out;
}

std::vector<listener> gateway_listeners(const config::settings& s) {
    std::vector<listener> out{{static_cast<std::uint16_t>(s.api.port + 10), "control", "api.address, its port + 10"}};
    const auto add = [&](std::string_view kind_of, std::optional<std::uint16_t> port, const config::gateway& g) {
        if (port) {
            out.push_back({.port = *port, .who = std::string{kind_of}, .key = fmt::format("the gateway {}", g.name)});
        }
    };
    for (const auto* channel : {&s.email, &s.push, &s.sms}) {
        for (const auto& gateway : *channel) {
            if (const auto* link = std::get_if<config::smtp>(&gateway.link);
                link != nullptr && config::is_loopback(link->host)) {
                add("smtp", link->port, gateway);
            } else if (const auto* link = std::get_if<config::apns>(&gateway.link)) {
                add("apns", local_https_port(link->endpoint), gateway);
            } else if (const auto* link = std::get_if<config::fcm>(&gateway.link)) {
                add("fcm", local_https_port(link->endpoint), gateway);
            } else if (const auto* link = std::get_if<config::smpp>(&gateway.link);
                       link != nullptr && config::is_loopback(link->host)) {
                add("smpp", link->port, gateway);
            }
        }
    }
    return out;
}

std::string gateway_settings(const folders& at, const config::settings& s) {
    json::array listen;
    for (const auto& l : gateway_listeners(s)) {
        listen.push_back(json::object{{"kind", l.who}, {"address", fmt::format("127.0.0.1:{}", l.port)}});
    }
    // A demo has some people whom nothing reaches: one in 200 addresses, and those at dead.example.
    const json::object all{
        {"latency_ms", 5}, {"jitter_ms", 5}, {"fail_share", 0.005}, {"fail_suffix", json::array{"@dead.example"}}};
    const json::object receipts{{"probability", 1},
                                {"delay_ms", 300},
                                {"jitter_ms", 100},
                                {"states", json::object{{"DELIVRD", 0.99}, {"UNDELIV", 0.01}}}};
    const auto config = at.config().string();
    return json::pretty(json::object{
        {"listen", std::move(listen)},
        {"certificate", config + "/server.pem"},
        {"key", config + "/server.key"},
        {"apns_public_key", config + "/apns.pub"},
        {"fcm_public_key", config + "/fcm.pub"},
        {"smpp_system_id", "semel"},
        {"smpp_password_file", config + "/smpp.password"},
        {"accepted", at.data().string() + "/gateways"},
        {"keep_content", 10'000},
        {"behaviour", json::object{{"all", all}, {"smpp", json::object{{"receipts", receipts}}}}},
    });
}

std::vector<listener> listeners(const config::settings& s, const servers& at, const std::vector<listener>& gateways) {
    std::vector<listener> out{{at.kafka, "kafka", "kafka.bootstrap"},
                              {at.controller, "kafka (its controller: the port after kafka's)", "kafka.bootstrap"},
                              {at.redis, "redis", "redis.address"},
                              {at.postgres, "postgres", "postgres.dsn"},
                              {s.api.port, "api", "api.address"}};
    if (s.verify) {
        out.push_back({s.verify->address.port, "api (the page that checks notices)", "verify.address"});
    }
    if (s.bounces) {
        out.push_back({s.bounces->port, "receipts (mails that come back)", "bounces.address"});
    }
    for (const auto& [service, port] : s.admin_ports) {
        out.push_back({port, service, "admin_ports." + service});
    }
    for (const auto& gateway : gateways) {
        out.push_back({gateway.port, fmt::format("the test gateway for {}", gateway.who), gateway.key});
    }
    return out;
}

base::result<process_counts> parse_counts(std::string_view yaml, const path& origin) {
    process_counts out;
    try {
        for (const auto& entry : YAML::Load(std::string{yaml})) {
            out[entry.first.as<std::string>()] = entry.second.as<unsigned>();
        }
    } catch (const YAML::Exception& error) {
        return failed(kind::broken, fmt::format("{}:{}: {}: delete the file to run one process of each service",
                                                origin.string(), error.mark.line + 1, error.msg));
    }
    return out;
}

std::string format_counts(const process_counts& counts) {
    std::string out = "# How many processes of each service: set by `semel scale SERVICE N`.\n";
    for (const auto& [service, n] : counts) {
        out += fmt::format("{}: {}\n", service, n);
    }
    return out;
}

std::vector<process> processes(const folders& at, const programs& where, const servers& ports,
                               const process_counts& counts, bool sim) {
    const auto server = (where.deploy / "local/server").string();
    const auto port = [](std::uint16_t p) { return std::to_string(p); };
    std::vector<process> out{
        {"kafka", group::backing, {server, "kafka", at.root.string(), port(ports.kafka), port(ports.controller)}},
        {"redis", group::backing, {server, "redis", at.root.string(), port(ports.redis)}},
        {"postgres", group::backing, {server, "postgres", at.root.string(), port(ports.postgres)}}};
    if (sim) {
        out.push_back({"gateways",
                       group::gateways,
                       {(where.binaries / "semel-gateways").string(), "--config", at.gateways().string()}});
    }
    for (const auto service : service_names) {
        const auto wanted = counts.find(std::string{service});
        const auto n = wanted == counts.end() ? 1U : wanted->second;
        for (unsigned i = 1; i <= n; ++i) {
            out.push_back({.name = i == 1 ? std::string{service} : fmt::format("{}-{}", service, i),
                           .group = group::services,
                           .command = {(where.binaries / fmt::format("semel-{}", service)).string(), "--config",
                                       at.settings().string(), "--instance", std::to_string(i)}});
        }
    }
    return out;
}

std::string supervisor_config(const folders& at, const programs& where, const std::vector<process>& all,
                              std::chrono::seconds drain_deadline, bool as_root) {
    auto out = fmt::format(R"(; Made by `semel up` and `semel scale`; edits are lost.
[supervisord]
logfile={log}
logfile_maxbytes=16MB
logfile_backups=1
pidfile={pid}
identifier=semel
directory={root}
umask=077
{user}
[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[program:pulse]
command='{pulse}'
stdout_logfile=NONE
stderr_logfile=NONE
)",
                           fmt::arg("log", (at.log() / "supervisord.log").string()),
                           fmt::arg("pid", (at.run() / "supervisord.pid").string()), fmt::arg("root", at.root.string()),
                           fmt::arg("user", as_root ? "user=root\n" : ""), fmt::arg("socket", at.socket().string()),
                           fmt::arg("pulse", (where.deploy / "local/pulse").string()));
    for (const auto& p : all) {
        // PostgreSQL waits for its clients on TERM; INT is its "fast" shutdown. Kafka moves its leaders first.
        const auto* signal = p.name == "postgres" ? "INT" : "TERM";
        const auto patience =
            p.group == group::services ? drain_deadline + std::chrono::seconds{5} : std::chrono::seconds{30};
        // A supervisord that is told to end stops the highest first: services drain into servers that still run.
        const int priority = p.group == group::services ? 300 : p.group == group::gateways ? 200 : 100;
        out += fmt::format("\n[program:{}]\ncommand='{}' {} '{}' '{}'\nautostart=false\nautorestart=true\nstartsecs=0\n"
                           "priority={}\nstopsignal={}\nstopwaitsecs={}\nstdout_logfile=NONE\nstderr_logfile=NONE\n",
                           p.name, (where.deploy / "local/run").string(), p.name, at.root.string(),
                           fmt::join(p.command, "' '"), priority, signal, patience.count());
    }
    return out;
}

} // namespace semel::cli::stack
