#pragma once
// Google's push gateway of semel.yaml: `connections` connections with up to `streams` streams each, one access token
// for all, exchanged over HTTP/2 and renewed by run(). Connected from run() until close(). One strand.

#include <config/config.hpp>
#include <delivery/gateway.hpp>
#include <http2/pool.hpp>
#include <runtime/condition.hpp>

#include <push/core/oauth.hpp>
#include <push/edge/staged_push.hpp>

#include <optional>

namespace semel::push {

class fcm_gateway final : public delivery::gateway {
  public:
    /// Reads the service account and the CA file; broken: which of them cannot be used, and why. The gateway must hold
    /// a config::fcm.
    static base::result<std::unique_ptr<fcm_gateway>> make(boost::asio::any_io_executor, const config::gateway&,
                                                           tuning = {});

    const std::string& name() const noexcept override { return name_; }
    bool serves(const delivery::outbound& m) const noexcept override { return m.transport == "fcm"; }
    std::size_t window() const noexcept override { return pool_.window(); }
    boost::asio::awaitable<delivery::beginning> stage(const delivery::outbound&,
                                                      std::chrono::milliseconds patience) override;
    boost::asio::awaitable<void> run() override;
    boost::asio::awaitable<void> close() override;

  private:
    /// Where access tokens come from.
    struct token_endpoint {
        http2::target peer;
        std::string path;
    };
    fcm_gateway(const boost::asio::any_io_executor&, std::string name, const config::fcm&, http2::target,
                std::shared_ptr<boost::asio::ssl::context>, service_account, token_endpoint, tuning);
    boost::asio::awaitable<void> renew();
    boost::asio::awaitable<base::result<access_token>> exchange_token();
    delivery::verdict read(const http2::response&, const std::string& token);

    std::string name_;
    std::string authority_;
    service_account account_;
    token_endpoint tokens_;
    std::shared_ptr<boost::asio::ssl::context> tls_;
    tuning tuning_;
    access access_;
    std::optional<base::fault> trouble_; // of the last exchange, until one succeeds
    runtime::condition token_came_;
    runtime::condition token_refused_;
    http2::pool pool_;
};

} // namespace semel::push
