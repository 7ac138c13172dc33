#pragma once
// URLs and their parts, as values.

#include <base/fault.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace semel::http {

/// "https://host:8443/base": no user, query or fragment.
struct url {
    bool tls = false;
    std::string host; // without brackets
    std::uint16_t port = 0;
    std::string base; // "" or "/base", without a slash at its end
};

base::result<url> parse_url(std::string_view text);

/// RFC 3986: all but unreserved characters. For one path segment or one query value.
std::string percent_encode(std::string_view text);
/// Nothing for a broken escape. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);
/// "a=1&b=%20x+y": '+' is a space here. Nothing for a broken escape; of equal keys the last one stays.
std::optional<std::map<std::string, std::string, std::less<>>> parse_query(std::string_view text);

} // namespace semel::http
