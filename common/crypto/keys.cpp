#include "keys.hpp"

#include "hash.hpp"

#include <algorithm>
#include <fstream>

namespace semel::crypto {
namespace {

template <std::size_t N>
base::byte_array<N> head(const digest& d) {
    base::byte_array<N> out{};
    std::copy_n(d.begin(), N, out.begin());
    return out;
}

} // namespace

base::result<key256> load_key_encryption_key(const std::filesystem::path& file) {
    using std::filesystem::perms;
    std::error_code ec;
    const auto status = std::filesystem::status(file, ec);
    const auto name = file.string();
    if (ec || !std::filesystem::is_regular_file(status)) {
        return base::failed(base::fault::kind::broken,
                            name + ": no such key file; `semel up` makes one, or write 64 hex characters into it");
    }
    if ((status.permissions() & (perms::group_all | perms::others_all)) != perms::none) {
        return base::failed(base::fault::kind::broken, name + ": others can read the key; run chmod 600 on it");
    }
    std::ifstream in{file};
    std::string hex;
    in >> hex;
    const auto bytes = base::from_hex(hex);
    if (!bytes || bytes->size() != 32) {
        return base::failed(base::fault::kind::broken, name + ": the key must be 64 hex characters");
    }
    return key256::from(*bytes);
}

std::string wrap(const key256& kek, const key256& campaign_key, const base::campaign_id& campaign) {
    return seal(kek, campaign_key.view(), "campaign-key|" + campaign.value());
}

base::result<key256> unwrap(const key256& kek, std::string_view wrapped, const base::campaign_id& campaign) {
    if (wrapped.empty()) {
        return base::failed(base::fault::kind::permanent, "the key of campaign " + campaign.value() + " was destroyed");
    }
    auto bytes = open(kek, wrapped, "campaign-key|" + campaign.value());
    if (!bytes) {
        return base::failed(bytes.error().within("key of campaign " + campaign.value()));
    }
    return key256::from(*bytes);
}

base::recipient_ref recipient_ref_of(const key256& campaign_key, const base::recipient_id& id) {
    return base::recipient_ref{head<16>(hmac_sha256(campaign_key.view(), "recipient|" + id.value()))};
}

hash128 keyed_hash(const key256& campaign_key, std::string_view domain, std::string_view canonical) {
    std::string text{domain};
    text += '|';
    text += canonical;
    return head<16>(hmac_sha256(campaign_key.view(), text));
}

base::campaign_id new_campaign_id() {
    constexpr std::string_view alphabet =
        "abcdefghijkmnpqrstuvwxyz23456789"; // without l, o, 0, 1: read aloud at 3 a.m.
    std::string id = "c-";
    for (const char c : random_bytes(16)) {
        id += alphabet[static_cast<unsigned char>(c) & 31];
    }
    return base::campaign_id{std::move(id)};
}

} // namespace semel::crypto
