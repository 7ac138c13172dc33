#pragma once
// What a claim says, as Redis keeps it for whoever takes over. Pure.

#include <delivery/message.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace semel::delivery {

/// The name of a claim: of one attempt, not of one message.
std::string claim_field(std::string_view notification, std::uint32_t attempt);

/// What a gateway answered, as a claim keeps it for whoever takes over.
struct claim_outcome {
    verdict::kind what = verdict::kind::unknown;
    std::string gateway, code, message_id;
    std::string content_sha256;
};
std::string encode(const claim_outcome&);
std::optional<claim_outcome> decode_outcome(std::string_view) noexcept;
/// The value of a claim that has no outcome yet, and the gateway that such a claim names (empty: none).
/// `parts`: how many the message has. Whoever inherits the claim cannot know it otherwise, and a receipt for one part
/// proves nothing about the others.
std::string encode_claim(std::uint64_t owner, std::string_view gateway, std::uint32_t parts = 1);
std::string gateway_of_claim(std::string_view) noexcept;
/// 0: not known.
std::uint32_t parts_of_claim(std::string_view) noexcept;

} // namespace semel::delivery
