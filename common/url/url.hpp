#pragma once
// Where something is spoken to over HTTP, as a value. Parsed by Boost.URL, which follows RFC 3986. Pure; outside bytes.

#include <base/fault.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace semel::url {

/// "https://[::1]:8443/base"
struct place {
    bool tls = false;
    std::string host;       // without brackets
    std::uint16_t port = 0; // 443 or 80 where none is written
    std::string authority;  // host and port as they are written, for a Host header
    std::string path;       // as it is written; empty, or with a slash in front
};

/// http or https, with no user, query or fragment: else `broken`, in a clause that does not repeat the text, which may
/// hold a password.
base::result<place> parse(std::string_view text);

} // namespace semel::url
