#pragma once
// Errors that say something about the server and nothing about the command: it cannot serve us as it stands.

#include <optional>
#include <string>
#include <string_view>

namespace semel::redis {

/// What such an error means and what to do about it, in words; nothing for every other error.
std::optional<std::string> refusal(std::string_view error);

} // namespace semel::redis
