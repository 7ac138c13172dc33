#pragma once
// Talks with the organisation's provider (OpenID Connect): its description and its keys, which are kept for a while,
// and the exchange of a code. What it says is judged in core/oidc_*.hpp.

#include <base/fault.hpp>
#include <base/instant.hpp>
#include <config/config.hpp>
#include <http/client.hpp>
#include <runtime/condition.hpp>

#include <api/core/oidc_discovery.hpp>
#include <api/core/oidc_keys.hpp>
#include <api/core/sign_on.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace semel::api {

/// On one strand. Its settings live longer.
class sign_on_provider {
  public:
    sign_on_provider(boost::asio::any_io_executor, const config::sign_on&, const sign_on::patience&);

    boost::asio::awaitable<base::result<std::shared_ptr<const oidc::provider>>> described();
    /// The ID token that the code is worth, not verified.
    boost::asio::awaitable<base::result<std::string>> token_for(sign_on::parameters exchange);
    /// Keys among which the one is that this token names, if the provider publishes it: after a change of keys they are
    /// read again.
    boost::asio::awaitable<base::result<std::shared_ptr<const oidc::key_set>>> keys_for(oidc::header);

  private:
    /// What was read last, and what came of the last try.
    template <class T>
    struct memory {
        std::shared_ptr<const T> last = nullptr; // stays when a try fails
        base::instant read{};
        std::optional<base::instant> failed = {}; // the last try did
        base::fault trouble = {};
        bool asking = false;
    };
    template <class T>
    using reader = std::function<boost::asio::awaitable<base::result<T>>()>;
    /// One asks, and the others wait for what comes of it.
    template <class T>
    boost::asio::awaitable<base::result<std::shared_ptr<const T>>> ask_once(memory<T>&, reader<T>);

    boost::asio::awaitable<base::result<oidc::provider>> read_description();
    boost::asio::awaitable<base::result<oidc::key_set>> read_keys(oidc::place);
    boost::asio::awaitable<base::result<http::client_response>> send(oidc::place, http::client_request,
                                                                     std::size_t longest);

    boost::asio::any_io_executor ex_;
    const config::sign_on& config_;
    const sign_on::patience& patience_;
    runtime::condition asked_;
    memory<oidc::provider> provider_;
    memory<oidc::key_set> keys_;
};

/// "a=b&c=d", percent-encoded.
std::string form_of(const sign_on::parameters&);

} // namespace semel::api
