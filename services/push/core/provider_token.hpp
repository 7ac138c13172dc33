#pragma once
// APNs' provider token: one ES256 JSON Web Token for all connections. Apple refuses one that is older than an hour and
// renewals within 20 minutes.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <crypto/signature.hpp>

#include <chrono>
#include <string>

namespace semel::push {

class provider_token {
  public:
    static constexpr std::chrono::minutes lifetime{45};
    static constexpr std::chrono::minutes least_age{20};

    provider_token(crypto::private_key, std::string key_id, std::string team_id);

    /// The token for a request made now; signs a new one when the last is 45 minutes old, or from the future (the
    /// clock was set back). broken: the key is not a P-256 key.
    base::result<std::string> at(base::timestamp now);

    /// APNs refused `token` as outdated. True: at() gives another from now on. False: it is the present one and too
    /// young to be renewed, so the clock or the key is wrong.
    bool refused(const std::string& token, base::timestamp now);

  private:
    crypto::private_key key_;
    std::string header_;
    std::string team_id_;
    std::string token_; // empty: none yet, or refused
    base::timestamp issued_{};
};

} // namespace semel::push
