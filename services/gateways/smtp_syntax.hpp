#pragma once
// The grammar of RFC 5321, 3461 and 6531 as a server reads it: strict, because it judges a client. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::gateways::smtp {

struct parameter {
    std::string_view key, value;
};
struct path_argument {
    std::string_view path; // without its angle brackets
    std::vector<parameter> parameters;
};
/// "<ann@example.com> BODY=8BITMIME": what stands after "FROM:" or "TO:".
std::optional<path_argument> read_path(std::string_view);

/// Local part and domain as they may be; bytes beyond ASCII only under SMTPUTF8.
bool is_mailbox(std::string_view, bool utf8) noexcept;
/// RFC 3461 section 4.
std::optional<std::string> from_xtext(std::string_view);

struct header_facts {
    std::string_view message_id; // left of the @, without brackets
    std::string problem;         // why it is not a message of RFC 5322
};
header_facts read_headers(std::string_view message);

} // namespace semel::gateways::smtp
