#include <config/config.hpp>
#include <config/reader.hpp>
#include <config/transport.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <system_error>

namespace semel::config {

namespace {

using namespace std::chrono_literals;
using base::failed;
using kind = base::fault::kind;

constexpr std::array<std::string_view, 9> services{"api",  "intake", "render",   "plan",  "email",
                                                   "push", "sms",    "receipts", "ledger"};
constexpr std::int64_t any_port = std::numeric_limits<std::uint16_t>::max();

/// What reading one file needs to know and remembers: where relative paths start, and names that must differ.
struct reading {
    path folder;
    std::vector<std::string>& unencrypted;
    std::set<std::string> gateway_names{};
};

std::vector<dkim> read_dkim(section& s, reading& file) {
    std::vector<dkim> keys;
    s.each("dkim", [&](section& one) {
        auto& key = keys.emplace_back();
        one.read_as<std::string>("domain", key.domain, parse_host);
        one.read_as<std::string>("selector", key.selector, parse_host);
        one.read_path("key_file", key.key_file, file.folder);
        one.need({"domain", "selector", "key_file"});
    });
    return keys;
}

smtp read_smtp(section& s, reading& file) {
    smtp link;
    s.read_as<std::string>("host", link.host, parse_host);
    s.read("port", link.port, 1, any_port);
    s.read_word("tls", link.tls,
                {{"none", smtp::tls_mode::none},
                 {"starttls", smtp::tls_mode::starttls},
                 {"implicit", smtp::tls_mode::implicit}});
    s.read_path("ca", link.ca, file.folder);
    s.read_as<std::string>("server_name", link.server_name, parse_host);
    s.read("connections", link.connections, 1, 1'000);
    s.read("user", link.user);
    s.read_path("password_file", link.password_file, file.folder);
    s.read_as<std::string>("helo", link.helo, parse_host);
    s.read_as<std::string>("return_path_domain", link.return_path_domain, parse_host);
    s.read_path("verp_key_file", link.verp_key_file, file.folder);
    link.dkim = read_dkim(s, file);
    s.need({"host"});
    come_together(s, "user", "password_file");
    hold_to_encryption(s, file.unencrypted,
                       {.encrypts = link.tls != smtp::tls_mode::none,
                        .hosts = {link.host},
                        .key = "tls",
                        .remedy = "use starttls or implicit"});
    return link;
}

apns read_apns(section& s, reading& file) {
    apns link;
    s.read_as<std::string>("endpoint", link.endpoint, parse_https_url);
    s.read_path("ca", link.ca, file.folder);
    s.read("team_id", link.team_id);
    s.read("key_id", link.key_id);
    s.read("topic", link.topic);
    s.read_path("key_file", link.key_file, file.folder);
    s.read("connections", link.connections, 1, 100);
    s.read("streams", link.streams, 1, 10'000);
    s.need({"team_id", "key_id", "key_file", "topic"});
    return link;
}

fcm read_fcm(section& s, reading& file) {
    fcm link;
    s.read_as<std::string>("endpoint", link.endpoint, parse_https_url);
    s.read_path("ca", link.ca, file.folder);
    s.read_path("service_account", link.service_account, file.folder);
    s.read_as<std::string>("token_endpoint", link.token_endpoint, parse_https_url);
    s.read("connections", link.connections, 1, 100);
    s.read("streams", link.streams, 1, 10'000);
    s.need({"service_account"});
    return link;
}

// A number of up to 20 digits, or a name of up to 11 characters that every handset shows.
bool is_sender(std::string_view text) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto shown = [&](char c) {
        return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c == '-';
    };
    const auto number = text.starts_with('+') ? text.substr(1) : text;
    return (!number.empty() && number.size() <= 20 && std::ranges::all_of(number, digit)) ||
           (text.size() <= 11 && std::ranges::all_of(text, shown));
}

smpp read_smpp(section& s, reading& file) {
    smpp link;
    s.read_as<std::string>("host", link.host, parse_host);
    s.read("port", link.port, 1, any_port);
    s.read("system_id", link.system_id);
    s.read_path("password_file", link.password_file, file.folder);
    s.read("system_type", link.system_type);
    s.read("window", link.window, 1, 10'000);
    s.read("binds", link.binds, 1, 100);
    s.read("source_address", link.source_address);
    s.read("enquire_link", link.enquire_link, 1s, 1h);
    s.read("response_timeout", link.response_timeout, 100ms, 10min);
    s.read("tls", link.tls);
    s.read_path("ca", link.ca, file.folder);
    s.read_as<std::string>("server_name", link.server_name, parse_host);
    s.read("exclusive", link.exclusive);
    s.need({"host", "system_id", "password_file", "source_address"});
    only_with(s, {"ca", "server_name"}, link.tls, "tls: true");
    hold_to_encryption(s, file.unencrypted,
                       {.encrypts = link.tls, .hosts = {link.host}, .key = "tls", .remedy = "set tls: true"});
    // SMPP 3.4: C-octet strings of 16 and 13 bytes, their NUL included.
    if (link.system_id.size() > 15) {
        s.complain("system_id", "is longer than SMPP's 15 characters");
    }
    if (link.system_type.size() > 12) {
        s.complain("system_type", "is longer than SMPP's 12 characters");
    }
    if (!link.source_address.empty() && !is_sender(link.source_address)) {
        s.complain("source_address",
                   "is neither a number of up to 20 digits nor a name of up to 11 letters and digits");
    }
    return link;
}

bool is_gateway_name(std::string_view name) {
    return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

template <class Link>
using link_reader = Link (*)(section&, reading&);

template <class Link>
unsigned read_link(section& s, std::string_view key, gateway& out, reading& file, link_reader<Link> read) {
    unsigned found = 0;
    s.inside(key, [&](section& inner) {
        out.link = read(inner, file);
        found = 1;
    });
    return found;
}

gateway read_gateway(section& s, base::channel channel, reading& file) {
    gateway out;
    s.read("name", out.name);
    s.need({"name"});
    if (!out.name.empty() && !is_gateway_name(out.name)) {
        s.complain("name", "takes up to 32 lower-case letters, digits and hyphens: it names metrics and keys");
    } else if (!out.name.empty() && !file.gateway_names.insert(out.name).second) {
        s.complain("name", fmt::format("\"{}\" names another gateway already: every name once", out.name));
    }
    s.read("rate", out.limit);
    unsigned links = 0;
    std::string_view wanted;
    switch (channel) {
    case base::channel::email:
        s.entries("domains", [&](const std::string& domain, const std::string& value) {
            const auto name = parse_host(domain);
            const auto limit = parse_rate(value);
            if (!name || std::ranges::any_of(domain, [](char c) { return c >= 'A' && c <= 'Z'; })) {
                s.complain("domains", fmt::format("\"{}\" is not a domain in lower case", domain));
            } else if (!limit) {
                s.complain("domains", fmt::format("{}: {}", domain, limit.error().why()));
            } else {
                out.domains.emplace(*name, *limit);
            }
        });
        links = read_link<smtp>(s, "smtp", out, file, read_smtp);
        wanted = "smtp";
        break;
    case base::channel::push:
        links = read_link<apns>(s, "apns", out, file, read_apns) + read_link<fcm>(s, "fcm", out, file, read_fcm);
        wanted = "apns or fcm";
        break;
    case base::channel::sms:
        links = read_link<smpp>(s, "smpp", out, file, read_smpp);
        wanted = "smpp";
        break;
    }
    if (links != 1) {
        s.complain("", fmt::format("needs exactly one of {}", wanted));
    }
    return out;
}

void read_gateways(section& s, settings& out, reading& file) {
    for (const auto channel : {base::channel::email, base::channel::push, base::channel::sms}) {
        auto& into = channel == base::channel::email ? out.email : channel == base::channel::push ? out.push : out.sms;
        s.each(base::to_string(channel), [&](section& one) { into.push_back(read_gateway(one, channel, file)); });
    }
}

/// A mail that comes back is somebody's, and its relay is nobody who shows a certificate.
void read_bounces(section& s, settings& out) {
    endpoint here;
    s.read_as<endpoint>("address", here, parse_endpoint);
    s.need({"address"});
    hold_to_encryption(s, out.unencrypted,
                       {.encrypts = false,
                        .hosts = {here.host},
                        .key = "address",
                        .remedy = "let a relay on this machine take them, and hand them over to 127.0.0.1"});
    out.bounces = std::move(here);
}

void read_ports(section& s, settings& out) {
    std::map<std::uint16_t, std::string> taken{{out.api.port, "api.address"}};
    if (out.bounces) {
        taken.emplace(out.bounces->port, "bounces.address");
    }
    if (out.verify) {
        taken.emplace(out.verify->address.port, "verify.address");
    }
    for (const auto service : services) {
        if (!s.has(service)) {
            s.read(service, out.admin_ports[""], 1, any_port); // only to make the key known
            continue;
        }
        auto& port = out.admin_ports[std::string{service}];
        s.read(service, port, 1, any_port);
        const auto [other, fresh] = taken.emplace(port, fmt::format("admin_ports.{}", service));
        if (!fresh && port != 0) {
            s.complain(service, fmt::format("port {} is also {}'s: every process needs its own", port, other->second));
        }
    }
    out.admin_ports.erase("");
}

void read_root(section& s, settings& out, reading& file) {
    s.inside("kafka", [&](section& k) { read_kafka(k, out, file.folder); });
    s.inside("redis", [&](section& r) { read_redis(r, out, file.folder); });
    s.inside("postgres", [&](section& p) { read_postgres(p, out, file.folder); });
    s.inside("api", [&](section& a) { read_api(a, out, file.folder); });
    s.inside("verify", [&](section& v) { read_verify(v, out, file.folder); });
    s.inside("bounces", [&](section& b) { read_bounces(b, out); });
    s.inside("admin_ports", [&](section& p) { read_ports(p, out); });
    s.read_path("data_dir", out.data_dir, file.folder);
    s.read_path("run_dir", out.run_dir, file.folder);
    s.read_path("key_encryption_key_file", out.key_encryption_key_file, file.folder);
    s.read_paths("keys", out.keys, file.folder);
    s.read_path("unsigned_records", out.unsigned_records, file.folder);
    if (!out.keys.empty() && !out.key_encryption_key_file.empty()) {
        s.complain("keys", "and key_encryption_key_file are both set: keep one, the first file in the list writes");
    }
    s.read_path("tokens_dir", out.tokens_dir, file.folder);
    s.inside("gateways", [&](section& g) { read_gateways(g, out, file); });
    const bool named =
        std::ranges::any_of(out.email, [](const gateway& g) { return !std::get<smtp>(g.link).verp_key_file.empty(); });
    only_with(s, {"bounces"}, named, "an email gateway with verp_key_file: return paths of ours are known by its key");
    s.inside("limits", [&](section& l) {
        l.read_as<std::uint64_t>("upload", out.limits.bytes, parse_bytes);
        l.read_as<std::uint64_t>("decoded", out.limits.decoded, parse_bytes);
        l.read("rows", out.limits.rows, 1, 10'000'000'000);
        l.read("listed_rejects", out.limits.listed_rejects, 1, 1'000'000'000);
    });
    s.inside("tests", [&](section& t) {
        t.read("addresses", out.tests.addresses);
        t.read("messages_a_day", out.tests.messages_a_day, 0, 100'000);
    });
    s.read("partitions", out.partitions, 1, 1'000);
    s.read("drain_deadline", out.drain_deadline, 1s, 10min);
    s.read("run_as", out.run_as);
    s.read_word<std::string>(
        "log_level", out.log_level,
        {{"trace", "trace"}, {"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}});
    s.finish();
}

base::result<settings> read(std::string_view text, const path& shown, const path& where) {
    complaints all{.file = shown.string(), .lines = {}};
    settings out;
    out.file = where;
    out.data_dir = (where.parent_path() / "data").lexically_normal();
    out.unsigned_records = (where.parent_path() / "unsigned-records").lexically_normal();
    if (text.contains('\0')) {
        return failed(kind::broken, fmt::format("{}: holds a NUL byte: it is not a text file", shown.string()));
    }
    if (const auto document = yaml::document_in(std::string{text}, all.shapes())) {
        reading file{.folder = where.parent_path(), .unencrypted = out.unencrypted};
        section root{*document, "", all};
        read_root(root, out, file);
    }
    if (!all.lines.empty()) {
        return failed(kind::broken, fmt::format("{}", fmt::join(all.lines, "\n")));
    }
    out.lines = std::move(all.places);
    return out;
}

/// Secrets that everybody on the machine may read are not secrets. A file that is not here is not a complaint: each
/// service reads only its own, and says so then.
std::vector<std::string> open_secrets(const settings& s) {
    std::vector<path> secrets = key_files(s);
    secrets.insert(secrets.end(),
                   {s.kafka_security.password_file, s.kafka_security.key_file, s.redis_security.password_file,
                    s.redis_security.key_file, s.postgres_password_file, s.api_tls.key_file,
                    s.verify ? s.verify->key_file : path{}, s.sign_on ? s.sign_on->client_secret_file : path{}});
    for (const auto* channel : {&s.email, &s.push, &s.sms}) {
        for (const auto& gateway : *channel) {
            if (const auto* link = std::get_if<smtp>(&gateway.link)) {
                secrets.insert(secrets.end(), {link->password_file, link->verp_key_file});
                std::ranges::transform(link->dkim, std::back_inserter(secrets), &dkim::key_file);
            } else if (const auto* link = std::get_if<apns>(&gateway.link)) {
                secrets.push_back(link->key_file);
            } else if (const auto* link = std::get_if<fcm>(&gateway.link)) {
                secrets.push_back(link->service_account);
            } else if (const auto* link = std::get_if<smpp>(&gateway.link)) {
                secrets.push_back(link->password_file);
            }
        }
    }
    std::vector<std::string> lines;
    for (const auto& secret : secrets) {
        struct stat about{};
        if (!secret.empty() && ::stat(secret.c_str(), &about) == 0 && (about.st_mode & S_IRWXO) != 0) {
            lines.push_back(
                fmt::format("{0}: everybody on this machine may read this secret: chmod 600 {0}", secret.string()));
        }
    }
    return lines;
}

} // namespace

std::string postgres_dsn_of(const settings& s, std::string_view service) {
    const auto user = s.postgres_users.find(std::string{service});
    if (user == s.postgres_users.end()) {
        return s.postgres_dsn;
    }
    // In both forms what comes later holds.
    const bool uri = s.postgres_dsn.contains("://");
    return fmt::format("{}{}user={}", s.postgres_dsn,
                       !uri                           ? " "
                       : s.postgres_dsn.contains('?') ? "&"
                                                      : "?",
                       user->second);
}

std::vector<path> key_files(const settings& s) {
    if (!s.keys.empty()) {
        return s.keys;
    }
    return s.key_encryption_key_file.empty() ? std::vector<path>{} : std::vector{s.key_encryption_key_file};
}

std::vector<path> mac_marks(const settings& s) {
    std::set<path> all;
    for (const auto& key : key_files(s)) {
        all.insert(key.parent_path() / "macs-began");
    }
    return {all.begin(), all.end()};
}

std::string settings::place_of(std::string_view key) const {
    for (auto known = key; !known.empty(); known = known.substr(0, known.rfind('.'))) {
        if (const auto line = lines.find(std::string{known}); line != lines.end()) {
            return fmt::format("{}:{}: {}", file.string(), line->second, key);
        }
        if (!known.contains('.')) {
            break;
        }
    }
    return fmt::format("{}: {}", file.string(), key);
}

base::result<settings> parse(std::string_view yaml, const path& origin) {
    return read(yaml, origin, origin);
}

base::result<settings> load(const path& file) {
    constexpr std::size_t most = 1 << 20;
    std::ifstream in{file, std::ios::binary};
    if (std::error_code ignored; !in || std::filesystem::is_directory(file, ignored)) {
        return failed(kind::broken, fmt::format("{}: cannot be read: {}", file.string(),
                                                in ? "it is a folder" : std::generic_category().message(errno)));
    }
    std::string text(most + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    if (text.size() > most) {
        return failed(kind::broken, fmt::format("{}: is larger than 1 MiB: this is not a semel.yaml", file.string()));
    }
    auto out = read(text, file, std::filesystem::absolute(file));
    if (out) {
        if (const auto lines = open_secrets(*out); !lines.empty()) {
            return failed(kind::broken, fmt::format("{}", fmt::join(lines, "\n")));
        }
    }
    return out;
}

} // namespace semel::config
