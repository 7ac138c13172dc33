#pragma once
// One push message between stage() and its answer, for both providers.

#include <delivery/gateway.hpp>
#include <http2/connection.hpp>

#include <push/core/answer.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace semel::push {

/// Destroyed without release(): the exchange resets its stream while the last byte is still here.
class staged_push final : public delivery::staged {
  public:
    using reader = std::function<delivery::verdict(const http2::response&)>;

    staged_push(std::unique_ptr<http2::exchange> exchange, std::chrono::milliseconds patience, reader read)
        : exchange_(std::move(exchange))
        , patience_(patience)
        , read_(std::move(read)) {}

    boost::asio::awaitable<delivery::verdict> release() override;

  private:
    std::unique_ptr<http2::exchange> exchange_;
    std::chrono::milliseconds patience_;
    reader read_;
};

/// Why no stream was given: all are busy, or no connection is up.
delivery::beginning not_begun(const base::fault&);

/// How a gateway behaves in time; the defaults are for real providers, tests are less patient.
struct tuning {
    std::chrono::milliseconds answer{30'000};   // after the last byte; then in doubt
    std::chrono::milliseconds drain{10'000};    // close() waits so long for open streams
    std::chrono::milliseconds first_pause{200}; // before connecting again; doubles up to
    std::chrono::milliseconds longest_pause{15'000};
};

} // namespace semel::push
