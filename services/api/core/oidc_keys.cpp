#include "oidc_keys.hpp"

#include <base/bytes.hpp>
#include <http/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace semel::api::oidc {
namespace {

using base::failed;
using base::fault;
using base::result;
using crypto::signature_scheme;

constexpr std::array<std::pair<std::string_view, signature_scheme>, 5> schemes{
    {{"RS256", signature_scheme::rs256},
     {"PS256", signature_scheme::ps256},
     {"ES256", signature_scheme::es256},
     {"EdDSA", signature_scheme::ed25519},
     {"Ed25519", signature_scheme::ed25519}}};

std::string_view text_of(const json::object& o, std::string_view member) {
    const auto* text = json::find_text(o, member);
    return text == nullptr ? std::string_view{} : std::string_view{*text};
}

std::string bytes_of(const json::object& o, std::string_view member) {
    return base::from_base64url(text_of(o, member)).value_or("");
}

/// Not one for encrypting: `use` and `key_ops` say so where they are there.
bool is_for_signatures(const json::object& o) {
    if (o.contains("use") && text_of(o, "use") != "sig") {
        return false;
    }
    const auto* ops = o.if_contains("key_ops");
    return ops == nullptr || (ops->is_array() && std::ranges::any_of(ops->get_array(), [](const json::value& v) {
                                  return v.is_string() && v.get_string() == "verify";
                              }));
}

/// RFC 7518, section 6; RFC 8037, section 2.
result<crypto::public_key> key_of(const json::object& o) {
    const auto kind = text_of(o, "kty");
    const auto curve = text_of(o, "crv");
    if (kind == "RSA") {
        return crypto::public_key::rsa(bytes_of(o, "n"), bytes_of(o, "e"));
    }
    if (kind == "EC" && curve == "P-256") {
        return crypto::public_key::p256(bytes_of(o, "x"), bytes_of(o, "y"));
    }
    if (kind == "OKP" && curve == "Ed25519") {
        return crypto::public_key::ed25519(bytes_of(o, "x"));
    }
    return failed(fault::kind::malformed, "a kind of key that is not used here");
}

std::optional<signing_key> signing_key_of(const json::object& o) {
    const auto kid = text_of(o, "kid");
    if ((o.contains("kid") && kid.empty()) || kid.size() > longest_kid || !is_for_signatures(o)) {
        return std::nullopt;
    }
    const auto only_for = scheme_from(text_of(o, "alg"));
    auto key = key_of(o);
    if (!key || (o.contains("alg") && (!only_for || !key->fits(*only_for)))) {
        return std::nullopt;
    }
    return signing_key{.kid = std::string{kid}, .only_for = only_for, .key = *std::move(key)};
}

} // namespace

std::optional<signature_scheme> scheme_from(std::string_view alg) noexcept {
    const auto* found = std::ranges::find(schemes, alg, &std::pair<std::string_view, signature_scheme>::first);
    return found == schemes.end() ? std::nullopt : std::optional{found->second};
}

const crypto::public_key* key_set::find(const header& h) const noexcept {
    const crypto::public_key* found = nullptr;
    for (const auto& one : keys) {
        const bool fits = one.key.fits(h.scheme) && (!one.only_for || *one.only_for == h.scheme);
        if (!fits || (!h.kid.empty() && one.kid != h.kid)) {
            continue;
        }
        if (found != nullptr) {
            return nullptr;
        }
        found = &one.key;
    }
    return found;
}

result<key_set> read_key_set(std::string_view text) {
    if (text.size() > longest_key_set) {
        return failed(fault::kind::malformed, fmt::format("the key set has more than {} bytes", longest_key_set));
    }
    const auto read = json::read_unique(text);
    if (!read || !read->is_object()) {
        return failed(fault::kind::malformed, read ? "the key set is not a JSON object" : read.error().why());
    }
    const auto* list = read->get_object().if_contains("keys");
    if (list == nullptr || !list->is_array() || list->get_array().size() > most_keys) {
        return failed(fault::kind::malformed, fmt::format("the key set has no list of at most {} keys", most_keys));
    }
    key_set out;
    for (const auto& one : list->get_array()) {
        if (!one.is_object()) {
            return failed(fault::kind::malformed, "a key in the key set is not a JSON object");
        }
        if (auto key = signing_key_of(one.get_object())) {
            out.keys.push_back(*std::move(key));
        }
    }
    if (out.keys.empty()) {
        return failed(fault::kind::malformed, "no key in the key set is for RS256, PS256, ES256 or EdDSA");
    }
    return out;
}

} // namespace semel::api::oidc
