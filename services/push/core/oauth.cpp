#include "oauth.hpp"

#include "answer.hpp"

#include <http/json.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::push {
namespace {

using base::failed;
using base::fault;

constexpr std::string_view scope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::string_view grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
constexpr std::chrono::seconds assertion_lifetime{3600};

std::string text_of(const json::object& o, std::string_view key) {
    const auto* text = json::find_text(o, key);
    return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

} // namespace

base::result<service_account> parse_service_account(std::string_view text) {
    const auto root = json::read(text);
    const auto* object = root ? root->if_object() : nullptr;
    if (object == nullptr) {
        return failed(fault::kind::broken,
                      "not a JSON object; give the service account's file as Google's console made it");
    }
    for (const auto* key : {"project_id", "client_email", "private_key", "token_uri"}) {
        if (text_of(*object, key).empty()) {
            return failed(fault::kind::broken, fmt::format("\"{}\" is missing; give the service account's file as "
                                                           "Google's console made it",
                                                           key));
        }
    }
    auto key = crypto::private_key::from_pem(text_of(*object, "private_key"));
    if (!key) {
        return failed(key.error().within("private_key"));
    }
    auto project = text_of(*object, "project_id");
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.';
    };
    if (!std::ranges::all_of(project, plain)) { // it becomes part of a path
        return failed(fault::kind::broken, "project_id has a character that no project has");
    }
    return service_account{.project_id = std::move(project),
                           .client_email = text_of(*object, "client_email"),
                           .token_uri = text_of(*object, "token_uri"),
                           .key_id = text_of(*object, "private_key_id"),
                           .key = std::move(*key)};
}

base::result<std::string> token_request(const service_account& account, base::timestamp now) {
    const auto issued = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
    json::object header{{"alg", "RS256"}, {"typ", "JWT"}};
    if (!account.key_id.empty()) {
        header["kid"] = account.key_id;
    }
    const json::object claims{{"iss", account.client_email},
                              {"scope", json::string_view{scope.data(), scope.size()}},
                              {"aud", account.token_uri},
                              {"iat", issued.count()},
                              {"exp", (issued + assertion_lifetime).count()}};
    const auto assertion = crypto::jwt_rs256(account.key, json::serialize(header), json::serialize(claims));
    if (!assertion) {
        return assertion;
    }
    return fmt::format("grant_type={}&assertion={}", grant, *assertion); // a JWT needs no escaping
}

base::result<access_token> parse_token_answer(int status, std::string_view body, base::timestamp now) {
    const auto root = json::read(body);
    const auto* object = root ? root->if_object() : nullptr;
    if (status != 200) {
        const auto error = object == nullptr ? std::string{} : plain_code(text_of(*object, "error"));
        const bool ours = status >= 400 && status < 500 && status != 408 && status != 429;
        return failed(ours ? fault::kind::broken : fault::kind::transient,
                      fmt::format("the token endpoint answered {} {}{}", status, error,
                                  ours ? "; check service_account and the clock" : ""));
    }
    const auto value = object == nullptr ? std::string{} : text_of(*object, "access_token");
    const auto* lifetime = object == nullptr ? nullptr : object->if_contains("expires_in");
    const auto visible = [](char c) { return c > ' ' && c < '\x7f'; };
    if (value.empty() || !std::ranges::all_of(value, visible) || lifetime == nullptr || !lifetime->is_int64() ||
        lifetime->get_int64() <= 0) {
        return failed(fault::kind::transient, "the token endpoint's answer has no access_token with expires_in");
    }
    const std::chrono::seconds seconds{std::min<std::int64_t>(lifetime->get_int64(), 86'400)};
    return access_token{.value = value, .expires = now + seconds};
}

base::timestamp access::renewal_at() const noexcept {
    // A token that lives for less than twice the margin is renewed half-way.
    return token_.value.empty() ? base::timestamp{}
                                : std::max(token_.expires - margin, made_ + (token_.expires - made_) / 2);
}

bool access::wants_renewal(base::timestamp now) const noexcept {
    return token_.value.empty() || now >= renewal_at() || now < made_; // made in the future: the clock was set back
}

const std::string* access::at(base::timestamp now) const noexcept {
    return token_.value.empty() || now >= token_.expires ? nullptr : &token_.value;
}

void access::renewed(access_token token, base::timestamp now) {
    token_ = std::move(token);
    made_ = now;
}

bool access::refused(std::string_view token, base::timestamp now) {
    if (token != token_.value) {
        return true;
    }
    if (now >= made_ && now < made_ + std::chrono::minutes{1}) {
        return false;
    }
    token_ = {};
    return true;
}

} // namespace semel::push
