#include "browser.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::api::browser {
namespace {

bool same_text(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

/// "https://semel.example.com:8443" -> "semel.example.com:8443"; empty for "null" and for what is not an origin. The
/// scheme is not compared: behind a proxy the page is https and we are not.
std::string_view authority_of(std::string_view origin) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (origin.starts_with(scheme)) {
            return origin.substr(scheme.size());
        }
    }
    return {};
}

bool only_reads(std::string_view method) {
    return method == "GET" || method == "HEAD";
}

std::string_view without_blanks(std::string_view text) {
    const auto from = std::min(text.find_first_not_of(' '), text.size());
    const auto to = text.find_last_not_of(' ');
    return to == text.npos ? std::string_view{} : text.substr(from, to + 1 - from);
}

} // namespace

cookie cookie_of(bool tls, std::uint16_t port) {
    return tls ? cookie{.name = "__Host-semel", .secure = true}
               : cookie{.name = fmt::format("semel-{}", port), .secure = false};
}

std::string set_cookie(const cookie& c, std::string_view secret) {
    const auto age = secret.empty() ? std::chrono::seconds{0} : session_lasts;
    return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}", c.name, secret, age.count(),
                       c.secure ? "; Secure" : "");
}

std::string_view value_in(std::string_view header, std::string_view name) {
    std::string_view found;
    bool seen = false;
    for (std::size_t from = 0; from < header.size();) {
        const auto end = std::min(header.find(';', from), header.size());
        const auto pair = without_blanks(header.substr(from, end - from));
        const auto equals = pair.find('=');
        if (equals != pair.npos && pair.substr(0, equals) == name) {
            if (seen) { // one of them is somebody else's, and nothing says which
                return {};
            }
            seen = true;
            found = pair.substr(equals + 1);
        }
        from = end + 1;
    }
    return found;
}

std::string guard_of(std::string_view secret) {
    return base::to_hex(base::as_view(crypto::sha256_of_fields({"semel console guard", secret})));
}

std::string_view distrust_of_origin(const came_from& r) {
    if (!r.fetch_site.empty() && r.fetch_site != "same-origin") {
        return "another site's page asked";
    }
    const auto authority = authority_of(r.origin);
    if (authority.empty() || !same_text(authority, r.host)) {
        return "its Origin is not this host";
    }
    return {};
}

std::string_view distrust(const came_from& r, std::string_view secret) {
    if (only_reads(r.method)) {
        // "none": the address was typed, or a list is saved as a file. Without the header it is no browser of today,
        // and SameSite alone holds.
        const bool own = r.fetch_site.empty() || r.fetch_site == "same-origin" || r.fetch_site == "none";
        return own ? std::string_view{} : "another site's page asked";
    }
    if (const auto why = distrust_of_origin(r); !why.empty()) {
        return why;
    }
    return crypto::equal_in_constant_time(r.guard, guard_of(secret)) ? std::string_view{}
                                                                     : "the session's guard is missing or wrong";
}

} // namespace semel::api::browser
