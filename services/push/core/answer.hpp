#pragma once
// What both providers' answers share.

#include <base/fault.hpp>
#include <delivery/message.hpp>
#include <http2/codec.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace semel::push {

/// What to make of one exchange.
struct judgement {
    delivery::verdict verdict;
    /// The provider refused our credentials as outdated: the token's owner decides what the verdict becomes.
    bool token_refused = false;
};

/// A verdict of our own making: the code is "semel:" + code.
delivery::verdict our_verdict(delivery::verdict::kind, std::string_view code, std::string text);
/// A failure without a status: transient when the peer has certainly not processed it, else unknown.
delivery::verdict judge(const http2::failure&);
/// A message that could not be staged.
delivery::verdict judge(const base::fault&, std::string_view code);

/// The provider's name for an error, or nothing if it is not a plain word (then it is not repeated anywhere).
std::string plain_code(std::string_view);
/// Retry-After in seconds (RFC 9110, section 10.2.3), at most an hour; a date is ignored.
std::optional<std::chrono::milliseconds> retry_after(const http2::response&);

} // namespace semel::push
