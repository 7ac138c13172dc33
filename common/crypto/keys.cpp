#include "keys.hpp"

#include "hash.hpp"

#include <algorithm>

namespace semel::crypto {
namespace {

template <std::size_t N>
base::byte_array<N> head(const digest& d) {
    base::byte_array<N> out{};
    std::copy_n(d.begin(), N, out.begin());
    return out;
}

} // namespace

base::recipient_ref recipient_ref_of(const campaign_key& key, const base::recipient_id& id) {
    return base::recipient_ref{head<16>(hmac_sha256(key.hashing().view(), "recipient|" + id.value()))};
}

hash128 keyed_hash(const key256& hashing_key, std::string_view domain, std::string_view canonical) {
    std::string text{domain};
    text += '|';
    text += canonical;
    return head<16>(hmac_sha256(hashing_key.view(), text));
}

hash128 keyed_hash(const campaign_key& key, std::string_view domain, std::string_view canonical) {
    return keyed_hash(key.hashing(), domain, canonical);
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
