#pragma once
// Google's OAuth 2.0 for service accounts (RFC 7523): a signed assertion is exchanged for an access token.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <crypto/signature.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace semel::push {

struct service_account {
    std::string project_id;
    std::string client_email;
    std::string token_uri;
    std::string key_id;
    crypto::private_key key;
};

/// The JSON file that Google's console hands out. broken: a field is missing or the key is not one.
base::result<service_account> parse_service_account(std::string_view text);

/// The form to post to the token endpoint; the assertion is valid for an hour.
base::result<std::string> token_request(const service_account&, base::timestamp now);

struct access_token {
    std::string value;
    base::timestamp expires{};
};
/// broken: Google refuses the account (invalid_grant, ...); transient: anything else that is not a token.
base::result<access_token> parse_token_answer(int status, std::string_view body, base::timestamp now);

/// The access token in use. Renewing is one coroutine's job, so that there is never more than one exchange in flight.
class access {
  public:
    /// Renewed so long before its end.
    static constexpr std::chrono::minutes margin{5};

    bool wants_renewal(base::timestamp now) const noexcept;
    /// nullptr: none that is valid.
    const std::string* at(base::timestamp now) const noexcept;
    void renewed(access_token, base::timestamp now);

    /// FCM refused `token`. True: it is being replaced. False: it is the present one and was made within the last
    /// minute, so another will not help.
    bool refused(std::string_view token, base::timestamp now);
    /// When wants_renewal() becomes true.
    base::timestamp renewal_at() const noexcept;

  private:
    access_token token_;
    base::timestamp made_{};
};

} // namespace semel::push
