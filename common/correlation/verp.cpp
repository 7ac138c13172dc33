#include "verp.hpp"

#include <crypto/hash.hpp>

#include <algorithm>
#include <cctype>

namespace semel::correlation {

namespace {

constexpr std::string_view prefix = "bounce+";
constexpr std::size_t mac_size = 8; // 64 bits against forging one bounce by guessing over SMTP

std::string mac(const std::string& key, std::string_view id) {
    const auto digest = crypto::hmac_sha256(key, std::string{"semel-verp-1"} + std::string{id});
    return std::string{base::as_view(digest).substr(0, mac_size)};
}

} // namespace

std::string verp::return_path(const base::notification_id& id, std::string_view domain) const {
    const auto short_id = base::as_view(id).substr(0, std::tuple_size_v<notification_prefix>);
    std::string out{prefix};
    out += base::to_hex(short_id); // hexadecimal survives relays that fold the case
    out += base::to_hex(mac(key_, short_id));
    out += '@';
    out += domain;
    return out;
}

std::optional<notification_prefix> verp::decode(std::string_view return_path) const {
    auto local = std::string{return_path.substr(0, return_path.find('@'))};
    std::ranges::transform(local, local.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!local.starts_with(prefix)) {
        return std::nullopt;
    }
    const auto token = base::from_hex(std::string_view{local}.substr(prefix.size()));
    constexpr auto id_size = std::tuple_size_v<notification_prefix>;
    if (!token || token->size() != id_size + mac_size) {
        return std::nullopt;
    }
    const auto id = std::string_view{*token}.substr(0, id_size);
    if (!crypto::equal_in_constant_time(std::string_view{*token}.substr(id_size), mac(key_, id))) {
        return std::nullopt;
    }
    return base::as_array<id_size>(id);
}

} // namespace semel::correlation
