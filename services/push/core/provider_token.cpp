#include "provider_token.hpp"

#include <http/json.hpp>

namespace semel::push {

provider_token::provider_token(crypto::private_key key, std::string key_id, std::string team_id)
    : key_(std::move(key))
    , header_(json::serialize(json::object{{"alg", "ES256"}, {"kid", key_id}, {"typ", "JWT"}}))
    , team_id_(std::move(team_id)) {}

base::result<std::string> provider_token::at(base::timestamp now) {
    constexpr std::chrono::minutes tolerance{1};
    if (!token_.empty() && now < issued_ + lifetime && now > issued_ - tolerance) {
        return token_;
    }
    const auto iat = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    auto made = crypto::jwt_es256(key_, header_, json::serialize(json::object{{"iss", team_id_}, {"iat", iat}}));
    if (made) {
        token_ = *made;
        issued_ = now;
    }
    return made;
}

bool provider_token::refused(const std::string& token, base::timestamp now) {
    if (token != token_) {
        return true; // renewed in the meantime
    }
    if (now < issued_ + least_age) {
        return false;
    }
    token_.clear();
    return true;
}

} // namespace semel::push
