#include "test_addresses.hpp"

#include <base/bytes.hpp>
#include <crypto/keys.hpp>

#include <algorithm>

namespace semel::api {

base::result<address::address> read_test_address(std::string_view written) {
    if (written.starts_with("apns:") || written.starts_with("fcm:")) {
        return address::push_token(written);
    }
    if (written.contains('@')) {
        return address::email(written);
    }
    if (!written.starts_with('+')) {
        return base::failed(base::fault::kind::malformed,
                            "this is neither a mailbox (kim@example.com), nor a phone number with its country code "
                            "(+82 10 1234 5678), nor a token (apns:... or fcm:...)");
    }
    return address::phone(written, "");
}

std::string mark_of(const crypto::key_ring::named_key& with, base::channel channel, std::string_view canonical) {
    const auto whom = std::string{base::to_string(channel)} + '|' + std::string{canonical};
    return with.id + std::string{base::as_view(crypto::keyed_hash(with.key, "test-address", whom))};
}

std::string masked(std::string_view canonical) {
    if (const auto at = canonical.rfind('@'); at != std::string_view::npos) {
        return std::string{canonical.substr(0, 1)} + "..." + std::string{canonical.substr(at)};
    }
    if (canonical.starts_with('+')) {
        const auto shown = std::min<std::size_t>(5, canonical.size() / 2);
        return std::string{canonical.substr(0, shown)} + "..." + std::string{canonical.substr(canonical.size() - 2)};
    }
    const auto token = canonical.find(':') + 1; // 0 without a prefix
    return std::string{canonical.substr(0, token + std::min<std::size_t>(4, (canonical.size() - token) / 2))} + "...";
}

} // namespace semel::api
