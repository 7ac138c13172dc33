#include <config/values.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace semel::config {

namespace {

using base::failed;
using kind = base::fault::kind;
using options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// libpq's own reading: what it would take for a host, we must not take for something else.
options parsed(const std::string& text, std::string& why) {
    char* said = nullptr;
    options out{PQconninfoParse(text.c_str(), &said), &PQconninfoFree};
    const std::unique_ptr<char, decltype(&PQfreemem)> words{said, &PQfreemem};
    why = words ? words.get() : "";
    return out;
}

std::string value(const options& all, std::string_view keyword) {
    for (const auto* one = all.get(); one != nullptr && one->keyword != nullptr; ++one) {
        if (keyword == one->keyword) {
            return one->val == nullptr ? "" : one->val;
        }
    }
    return {};
}

} // namespace

base::result<std::string> parse_dsn(std::string_view given) {
    const std::string text{given};
    const bool uri = text.starts_with("postgresql://") || text.starts_with("postgres://");
    if (!uri && (text.contains("://") || !text.contains('='))) {
        return failed(kind::broken, "not a PostgreSQL connection string: write postgresql://USER@HOST:PORT/DATABASE "
                                    "or host=... dbname=...");
    }
    std::string why;
    const auto all = parsed(text, why);
    // With a password in it the text itself is a secret: nothing of it is repeated, libpq's words neither.
    if (!value(all, "password").empty() || !value(all, "sslpassword").empty() || text.contains("password=")) {
        return failed(kind::broken, "has a password in it: secrets live in files, so name one beside it with "
                                    "password_file, or write passfile=PATH (a libpq passfile)");
    }
    if (!all) {
        return failed(kind::broken, fmt::format("not a PostgreSQL connection string: {}",
                                                why.substr(0, why.find_last_not_of(" \n") + 1)));
    }
    if (!value(all, "service").empty()) {
        return failed(kind::broken, "names a service of a pg_service.conf, which may be different on each machine: "
                                    "write its host and database here");
    }
    return text;
}

dsn read_dsn(const std::string& text) {
    std::string why;
    const auto all = parsed(text, why);
    dsn out{.hosts = {}, .sslmode = value(all, "sslmode")};
    // hostaddr is where libpq connects to; host is then only the name that the certificate must have.
    const auto addresses = value(all, "hostaddr");
    const auto hosts = addresses.empty() ? value(all, "host") : addresses;
    for (std::size_t from = 0; from < hosts.size();) {
        const auto comma = std::min(hosts.find(',', from), hosts.size());
        out.hosts.push_back(hosts.substr(from, comma - from));
        from = comma + 1;
    }
    return out;
}

} // namespace semel::config
