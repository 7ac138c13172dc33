#pragma once
// Apple's push gateway of semel.yaml: `connections` connections with up to `streams` streams each, one provider token
// for all. Connected from run() until close(). One strand.

#include <config/config.hpp>
#include <delivery/gateway.hpp>
#include <http2/pool.hpp>

#include <push/core/provider_token.hpp>
#include <push/edge/staged_push.hpp>

namespace semel::push {

class apns_gateway final : public delivery::gateway {
  public:
    /// Reads the key and the CA file; broken: which of them cannot be used, and why. The gateway must hold a
    /// config::apns.
    static base::result<std::unique_ptr<apns_gateway>> make(boost::asio::any_io_executor, const config::gateway&,
                                                            tuning = {});

    const std::string& name() const noexcept override { return name_; }
    bool serves(const delivery::outbound& m) const noexcept override { return m.transport == "apns"; }
    std::size_t window() const noexcept override { return pool_.window(); }
    boost::asio::awaitable<delivery::beginning> stage(const delivery::outbound&,
                                                      std::chrono::milliseconds patience) override;
    boost::asio::awaitable<void> run() override;
    boost::asio::awaitable<void> close() override;

  private:
    apns_gateway(boost::asio::any_io_executor, std::string name, const config::apns&, http2::target,
                 std::shared_ptr<boost::asio::ssl::context>, crypto::private_key, tuning);
    delivery::verdict read(const http2::response&, std::string_view id, const std::string& token);

    std::string name_;
    std::string authority_;
    std::string topic_;
    tuning tuning_;
    provider_token token_;
    http2::pool pool_;
};

} // namespace semel::push
