// Whatever a provider of OpenID Connect hands over: its description, its keys, a token of any form, and any claims
// under a good signature. Nothing that is not signed is believed, and of what is signed only what is for us.

#include <base/bytes.hpp>
#include <crypto/signature.hpp>

#include <api/core/accounts.hpp>
#include <api/core/oidc_discovery.hpp>
#include <api/core/oidc_token.hpp>
#include <api/core/sign_on.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace semel;
using namespace semel::api;

// RFC 8410, section 10.3
constexpr const char* known_key = "-----BEGIN PRIVATE KEY-----\n"
                                  "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                                  "-----END PRIVATE KEY-----\n";

const crypto::private_key& signer() {
    static const auto key = crypto::private_key::from_pem(known_key).value();
    return key;
}

const oidc::key_set& keys() {
    static const auto set = oidc::read_key_set(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":")" +
                                               base::to_base64url(signer().public_bytes().value()) + "\"}]}")
                                .value();
    return set;
}

std::string signed_token(std::string_view claims) {
    const auto text = base::to_base64url(R"({"alg":"EdDSA"})") + "." + base::to_base64url(claims);
    return text + "." + base::to_base64url(signer().sign_ed25519(text).value());
}

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void look_at_person(const json::object& claims) {
    const auto name = sign_on::name_in(claims, "preferred_username");
    require(!name || (check_user_name(*name) && !role_from(*name)));
    const auto roles = sign_on::roles_in(claims, "groups", {{"ops", {role::operator_}}, {"", {role::auditor}}});
    require(roles.size() <= 2);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const oidc::expectations expected{.issuer = "https://login.example.com",
                                      .client_id = "semel",
                                      .nonce = "n",
                                      .now = base::timestamp{std::chrono::seconds{1'790'000'000}}};
    if (const auto p = oidc::read_provider(text, expected.issuer)) {
        require(p->authorization.starts_with("https://") && p->token.base.starts_with("https://") &&
                p->keys.base.starts_with("https://") && p->authorization.find_first_of("\r\n #") == std::string::npos);
    }
    if (const auto set = oidc::read_key_set(text)) {
        require(!set->keys.empty() && set->keys.size() <= oidc::most_keys);
    }
    static_cast<void>(oidc::read_token_answer(200, text));
    static_cast<void>(sign_on::attempt_in(text, expected.now));
    require(!oidc::verify(text, keys(), expected)); // nobody else has the key
    if (const auto got = oidc::verify(signed_token(text), keys(), expected)) {
        require(got->all.at("iss").as_string() == expected.issuer && got->all.at("nonce").as_string() == "n" &&
                !got->subject.empty() && got->subject.size() <= oidc::longest_subject);
        look_at_person(got->all);
    }
    return 0;
}
