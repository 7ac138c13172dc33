#include "sign_on.hpp"

#include "accounts.hpp"

#include <base/bytes.hpp>
#include <crypto/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace semel::api::sign_on {
namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view fresh_mark = "fresh", usual_mark = "usual";

std::string derived(std::string_view purpose, std::string_view cookie) {
    return base::to_base64url(base::as_view(crypto::sha256_of_fields({purpose, cookie})));
}

/// "SECRET.SECONDS.fresh.BEFORE": what lies between the points.
std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> out;
    for (std::size_t from = 0; from <= text.size();) {
        const auto end = std::min(text.find('.', from), text.size());
        out.push_back(text.substr(from, end - from));
        from = end + 1;
    }
    return out;
}

std::optional<base::timestamp> seconds_in(std::string_view text) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    constexpr std::int64_t last = 253'402'300'799; // of the year 9999
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0 || seconds > last) {
        return std::nullopt;
    }
    return base::timestamp{std::chrono::seconds{seconds}};
}

bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-' || c == '@';
}

/// A claim that is one text, or a list of texts.
std::vector<std::string_view> texts_of(const json::value& claim) {
    std::vector<std::string_view> out;
    if (const auto* one = claim.if_string()) {
        out.emplace_back(*one);
    } else if (const auto* list = claim.if_array()) {
        for (const auto& each : *list) {
            if (const auto* text = each.if_string()) {
                out.emplace_back(*text);
            }
        }
    }
    return out;
}

/// A provider that says that it has not looked whether the mailbox is the person's lets anybody be called anything.
bool is_unproved_mailbox(const json::object& claims, std::string_view claim) {
    const auto* verified = claims.if_contains("email_verified");
    return claim == "email" && verified != nullptr && !(verified->is_bool() && verified->get_bool());
}

} // namespace

std::string to_text(const attempt& a) {
    return fmt::format("{}.{}.{}.{}", base::to_base64url(a.secret),
                       std::chrono::floor<std::chrono::seconds>(a.started).time_since_epoch().count(),
                       a.fresh ? fresh_mark : usual_mark, base::to_base64url(a.before));
}

std::optional<attempt> attempt_in(std::string_view cookie, base::timestamp now) {
    const auto parts = split(cookie);
    if (parts.size() != 4) {
        return std::nullopt;
    }
    auto secret = base::from_base64url(parts[0]);
    const auto started = seconds_in(parts[1]);
    auto before = base::from_base64url(parts[3]);
    if (!secret || secret->size() != secret_bytes || !started || (parts[2] != fresh_mark && parts[2] != usual_mark) ||
        !before || (!before->empty() && before->size() != sizeof(crypto::digest))) {
        return std::nullopt;
    }
    if (now >= *started + attempt_lasts || *started > now + attempt_lasts) { // another process' clock may be ahead
        return std::nullopt;
    }
    return attempt{.secret = *std::move(secret),
                   .started = *started,
                   .fresh = parts[2] == fresh_mark,
                   .before = *std::move(before)};
}

browser::cookie cookie_of(const browser::cookie& of_session) {
    return {.name = of_session.name + "-sign-on", .secure = of_session.secure};
}

std::string set_cookie(const browser::cookie& c, std::string_view text) {
    const auto age = text.empty() ? std::chrono::seconds{0} : attempt_lasts;
    return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{}", c.name, text, age.count(),
                       c.secure ? "; Secure" : "");
}

std::string state_of(std::string_view cookie) {
    return derived("semel sign-on state", cookie);
}
std::string nonce_of(std::string_view cookie) {
    return derived("semel sign-on nonce", cookie);
}
std::string verifier_of(std::string_view cookie) {
    return derived("semel sign-on verifier", cookie);
}
std::string challenge_of(std::string_view verifier) {
    return base::to_base64url(base::as_view(crypto::sha256(verifier)));
}

parameters question(std::string_view client_id, std::string_view back, std::string_view cookie, bool fresh) {
    parameters out{{"response_type", "code"},
                   {"client_id", std::string{client_id}},
                   {"redirect_uri", std::string{back}},
                   {"scope", "openid profile email"},
                   {"state", state_of(cookie)},
                   {"nonce", nonce_of(cookie)},
                   {"code_challenge", challenge_of(verifier_of(cookie))},
                   {"code_challenge_method", "S256"}};
    if (fresh) {
        out.emplace_back("max_age", "0"); // and with it auth_time
        out.emplace_back("prompt", "login");
    }
    return out;
}

parameters exchange(std::string_view client_id, std::string_view back, std::string_view cookie, std::string_view code) {
    return {{"grant_type", "authorization_code"},
            {"client_id", std::string{client_id}},
            {"redirect_uri", std::string{back}},
            {"code", std::string{code}},
            {"code_verifier", verifier_of(cookie)}};
}

std::string_view to_string(failure f) noexcept {
    switch (f) {
    case failure::elsewhere:
        return "elsewhere";
    case failure::cancelled:
        return "cancelled";
    case failure::provider:
        return "provider";
    case failure::token:
        return "token";
    case failure::name:
        return "name";
    case failure::no_role:
        return "no-role";
    case failure::revoked:
        return "revoked";
    }
    return "provider";
}

std::optional<failure> trouble_with(const came_back& b, std::string_view cookie, std::string_view issuer,
                                    bool names_itself) {
    if (cookie.empty() || !crypto::equal_in_constant_time(b.state, state_of(cookie))) {
        return failure::elsewhere; // before anything else is looked at
    }
    if (b.issuer.empty() ? names_itself : b.issuer != issuer) {
        return failure::token; // RFC 9207: the answer is another provider's
    }
    if (!b.error.empty()) {
        return b.error == "access_denied" ? failure::cancelled : failure::provider;
    }
    constexpr std::size_t longest_code = 4'096;
    return b.code.empty() || b.code.size() > longest_code ? std::optional{failure::provider} : std::nullopt;
}

result<std::string> name_in(const json::object& claims, const std::string& claim) {
    const auto* text = json::find_text(claims, claim);
    if (text == nullptr) {
        return failed(fault::kind::malformed, fmt::format("the ID token has no text as {}", claim));
    }
    if (is_unproved_mailbox(claims, claim)) {
        return failed(fault::kind::malformed, "the provider says that the mailbox is not verified (email_verified)");
    }
    std::string name;
    for (const char c : *text) {
        const char small = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if (small <= ' ' || small > '~') { // also what is not ASCII, byte by byte
            return failed(fault::kind::malformed, fmt::format("{} is not of letters, digits and signs alone", claim));
        }
        name += is_plain(small) ? small : '-';
    }
    if (const auto good = check_user_name(name); !good) {
        return failed(good.error().within(claim));
    }
    return name;
}

std::vector<role> roles_in(const json::object& claims, const std::string& claim, const role_table& table) {
    std::vector<role> given, out;
    if (const auto* found = claims.if_contains(claim)) {
        for (const auto group : texts_of(*found)) {
            if (const auto row = table.find(group); row != table.end()) {
                given.insert(given.end(), row->second.begin(), row->second.end());
            }
        }
    }
    std::ranges::copy_if(all_roles, std::back_inserter(out),
                         [&](role r) { return std::ranges::find(given, r) != given.end(); });
    return out;
}

} // namespace semel::api::sign_on
