#include "oidc_token.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace semel::api::oidc {
namespace {

using base::failed;
using base::fault;
using base::result;
using base::timestamp;

constexpr std::size_t most_audiences = 20;
constexpr double last_second = 253'402'300'799; // of the year 9999

struct parts {
    std::string_view signed_part; // header and payload, as they came
    std::string header, payload, signature;
};

std::unexpected<fault> bad(std::string_view why) {
    return failed(fault::kind::malformed, fmt::format("the ID token {}", why));
}

result<parts> parts_of(std::string_view token) {
    if (token.size() > longest_token) {
        return bad(fmt::format("has more than {} bytes", longest_token));
    }
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == token.npos || first == last || token.find('.', first + 1) != last) {
        return bad("is not three parts: it may be encrypted, which is not read here");
    }
    auto head = base::from_base64url(token.substr(0, first));
    auto payload = base::from_base64url(token.substr(first + 1, last - first - 1));
    auto signature = base::from_base64url(token.substr(last + 1));
    if (!head || !payload || !signature) {
        return bad("is not base64url");
    }
    return parts{.signed_part = token.substr(0, last),
                 .header = *std::move(head),
                 .payload = *std::move(payload),
                 .signature = *std::move(signature)};
}

result<json::object> object_in(std::string_view text, std::string_view what) {
    auto read = json::read_unique(text);
    if (!read || !read->is_object()) {
        return bad(fmt::format("has a {} that is no JSON object: {}", what,
                               read ? "it is something else" : read.error().why()));
    }
    return std::move(read->get_object());
}

bool is_jwt(std::string_view type) {
    constexpr std::string_view jwt = "jwt";
    return std::ranges::equal(type, jwt, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
}

result<header> header_in(std::string_view text) {
    const auto o = object_in(text, "header");
    if (!o) {
        return failed(o.error());
    }
    for (const std::string_view strange : {"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "cty"}) {
        if (o->contains(strange)) {
            return bad(fmt::format("has {} in its header, which is never taken", strange));
        }
    }
    const auto* alg = json::find_text(*o, "alg");
    const auto scheme = alg == nullptr ? std::nullopt : scheme_from(*alg);
    if (!scheme) {
        return bad("is not signed by RS256, PS256, ES256 or EdDSA");
    }
    const auto* type = json::find_text(*o, "typ");
    if (o->contains("typ") && (type == nullptr || !is_jwt(*type))) {
        return bad("is another kind of token, by its typ");
    }
    const auto* kid = json::find_text(*o, "kid");
    if (o->contains("kid") && (kid == nullptr || kid->empty() || kid->size() > longest_kid)) {
        return bad("has a kid that none is");
    }
    return header{.scheme = *scheme, .kid = kid == nullptr ? std::string{} : std::string{*kid}};
}

/// NumericDate (RFC 7519): seconds, perhaps with a fraction.
std::optional<timestamp> time_in(const json::object& o, std::string_view member) {
    const auto* found = o.if_contains(member);
    const double seconds = found == nullptr     ? -1
                           : found->is_int64()  ? static_cast<double>(found->get_int64())
                           : found->is_uint64() ? static_cast<double>(found->get_uint64())
                           : found->is_double() ? found->get_double()
                                                : -1;
    if (!(seconds >= 0 && seconds <= last_second)) { // nor for what is no number
        return std::nullopt;
    }
    return timestamp{std::chrono::seconds{static_cast<std::int64_t>(std::floor(seconds))}};
}

/// aud is one name or several; azp says which of several it was made for.
bool is_for(const json::object& o, std::string_view client) {
    const auto* aud = o.if_contains("aud");
    const auto is_ours = [&](const json::value& v) { return v.is_string() && v.get_string() == client; };
    bool several = false;
    if (aud == nullptr) {
        return false;
    }
    if (const auto* list = aud->if_array()) {
        const bool texts = std::ranges::all_of(*list, [](const json::value& v) { return v.is_string(); });
        if (!texts || list->size() > most_audiences || std::ranges::none_of(*list, is_ours)) {
            return false;
        }
        several = list->size() > 1;
    } else if (!is_ours(*aud)) {
        return false;
    }
    const auto* azp = o.if_contains("azp");
    return azp == nullptr ? !several : is_ours(*azp);
}

result<void> check_times(const json::object& o, timestamp now) {
    const auto exp = time_in(o, "exp"), iat = time_in(o, "iat"), nbf = time_in(o, "nbf");
    if (!exp || !iat || (o.contains("nbf") && !nbf)) {
        return bad("does not say from when to when it holds (exp, iat, nbf)");
    }
    if (now >= *exp + skew) {
        return bad("has expired: is the clock of this host right?");
    }
    if (*iat > now + skew || (nbf && *nbf > now + skew)) {
        return bad("is of the future: is the clock of this host right?");
    }
    if (*iat + at_most + skew < now) {
        return bad("was issued too long ago");
    }
    return {};
}

result<std::optional<timestamp>> authenticated_in(const json::object& o, const expectations& expected) {
    const auto at = time_in(o, "auth_time");
    if (o.contains("auth_time") && (!at || *at > expected.now + skew)) {
        return bad("has an auth_time that none is");
    }
    if (expected.fresh_since && !at) {
        return bad("does not say when the person signed in (auth_time), which was asked for with max_age=0");
    }
    if (expected.fresh_since && *at + skew < *expected.fresh_since) {
        return bad("is of an earlier sign-in, though max_age=0 asked for another");
    }
    return at;
}

bool is_subject(const json::string* text) {
    return text != nullptr && !text->empty() && text->size() <= longest_subject &&
           std::ranges::all_of(*text, [](char c) { return c >= ' ' && c <= '~'; });
}

result<claims> check(json::object o, const expectations& expected) {
    const auto* issuer = json::find_text(o, "iss");
    if (issuer == nullptr || *issuer != expected.issuer) {
        return bad("is of another issuer");
    }
    if (!is_for(o, expected.client_id)) {
        return bad("is for another client (aud, azp)");
    }
    if (const auto good = check_times(o, expected.now); !good) {
        return failed(good.error());
    }
    const auto* nonce = json::find_text(o, "nonce");
    if (nonce == nullptr || expected.nonce.empty() || !crypto::equal_in_constant_time(*nonce, expected.nonce)) {
        return bad("is not of this sign-in (nonce)");
    }
    const auto* subject = json::find_text(o, "sub");
    if (!is_subject(subject)) {
        return bad("does not say who it is (sub)");
    }
    const auto at = authenticated_in(o, expected);
    if (!at) {
        return failed(at.error());
    }
    return claims{.subject = std::string{*subject}, .authenticated = *at, .all = std::move(o)};
}

/// An OAuth error code: for people who search, not for decisions.
std::string code_in(const json::object* o) {
    const auto* error = o == nullptr ? nullptr : json::find_text(*o, "error");
    constexpr std::size_t longest = 64;
    return error == nullptr ? std::string{} : base::to_printable(std::string_view{*error}.substr(0, longest));
}

} // namespace

result<std::string> read_token_answer(unsigned status, std::string_view body) {
    const auto read = body.size() > 2 * longest_token ? result<json::value>{bad("comes in an answer that is too long")}
                                                      : json::read_unique(body);
    const auto* o = read ? read->if_object() : nullptr;
    const auto error = code_in(o);
    if (error == "invalid_grant") {
        return failed(fault::kind::permanent, "the provider does not take the code: invalid_grant");
    }
    if (status == 401 || error == "invalid_client" || error == "unauthorized_client") {
        return failed(fault::kind::broken, fmt::format("the provider answered {} {}: check client_id and "
                                                       "client_secret_file",
                                                       status, error));
    }
    const auto* token = o == nullptr ? nullptr : json::find_text(*o, "id_token");
    if (status != 200 || token == nullptr) {
        return failed(fault::kind::transient, status == 200
                                                  ? "the provider's answer has no ID token"
                                                  : fmt::format("the provider answered {} {}", status, error));
    }
    return std::string{*token};
}

result<header> read_header(std::string_view token) {
    const auto p = parts_of(token);
    return p ? header_in(p->header) : failed(p.error());
}

result<claims> verify(std::string_view token, const key_set& keys, const expectations& expected) {
    const auto p = parts_of(token);
    if (!p) {
        return failed(p.error());
    }
    const auto head = header_in(p->header);
    if (!head) {
        return failed(head.error());
    }
    const auto* key = keys.find(*head);
    if (key == nullptr) {
        return bad("is signed with a key that the provider does not publish, or does not tell from others (kid)");
    }
    if (!key->verifies(head->scheme, p->signed_part, p->signature)) {
        return bad("has a signature that is not the provider's");
    }
    auto o = object_in(p->payload, "payload");
    return o ? check(*std::move(o), expected) : failed(o.error());
}

} // namespace semel::api::oidc
