#include "claim_value.hpp"

#include <fmt/format.h>

#include <charconv>

namespace semel::delivery {
namespace {

void put(std::string& out, std::string_view field) {
    out += fmt::format("{}:", field.size());
    out += field;
}

std::optional<std::string> get(std::string_view& in) {
    std::size_t size = 0;
    const auto [end, ec] = std::from_chars(in.data(), in.data() + in.size(), size);
    const auto used = static_cast<std::size_t>(end - in.data());
    if (ec != std::errc{} || used >= in.size() || in[used] != ':' || in.size() - used - 1 < size) {
        return std::nullopt;
    }
    std::string field{in.substr(used + 1, size)};
    in.remove_prefix(used + 1 + size);
    return field;
}

} // namespace

std::string claim_field(std::string_view notification, std::uint32_t attempt) {
    std::string field{notification};
    field += static_cast<char>(attempt >> 8 & 0xff);
    field += static_cast<char>(attempt & 0xff);
    return field;
}

std::string encode(const claim_outcome& o) {
    std::string out{'o', static_cast<char>('0' + static_cast<int>(o.what))};
    put(out, o.gateway);
    put(out, o.code);
    put(out, o.message_id);
    put(out, o.content_sha256);
    return out;
}

std::optional<claim_outcome> decode_outcome(std::string_view text) noexcept {
    if (text.size() < 2 || text[0] != 'o' || text[1] < '0' ||
        text[1] > static_cast<char>('0' + static_cast<int>(verdict::kind::unknown))) {
        return std::nullopt;
    }
    claim_outcome o;
    o.what = static_cast<verdict::kind>(text[1] - '0');
    text.remove_prefix(2);
    for (auto* field : {&o.gateway, &o.code, &o.message_id, &o.content_sha256}) {
        auto value = get(text);
        if (!value) {
            return std::nullopt;
        }
        *field = std::move(*value);
    }
    return o;
}

std::string encode_claim(std::uint64_t owner, std::string_view gateway, std::uint32_t parts) {
    return fmt::format("c{}:{}:{}", owner, parts, gateway);
}

std::string gateway_of_claim(std::string_view claim) noexcept {
    const auto owner_end = claim.find(':');
    const auto parts_end = owner_end == std::string_view::npos ? owner_end : claim.find(':', owner_end + 1);
    return claim.starts_with('c') && parts_end != std::string_view::npos ? std::string{claim.substr(parts_end + 1)}
                                                                         : std::string{};
}

std::uint32_t parts_of_claim(std::string_view claim) noexcept {
    const auto owner_end = claim.find(':');
    if (!claim.starts_with('c') || owner_end == std::string_view::npos) {
        return 0;
    }
    claim.remove_prefix(owner_end + 1);
    std::uint32_t parts = 0;
    const auto [end, ec] = std::from_chars(claim.data(), claim.data() + claim.size(), parts);
    return ec == std::errc{} && end != claim.data() + claim.size() && *end == ':' ? parts : 0;
}

} // namespace semel::delivery
