#pragma once
// A message centre of semel.yaml: `binds` transceiver sessions with a window each, bound from the first run() or
// stage() until close(), and again after every loss, with back-off. One strand.
//
// A message of several parts is one key: stage() reserves a slot for each part on one session, release() writes them
// all. A part that the centre throttles after it took others is submitted again by the next release(), with the same
// UDH reference, a few times; if a fragment remains, the message is in doubt. message_id of an accepted message: the
// parts' ids joined by ','.

#include <config/config.hpp>
#include <delivery/gateway.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <functional>

namespace semel::sms {

/// Takes a delivery receipt; true once it is safe (the peer is answered then), false to have it delivered again later.
using receipt_sink = std::function<boost::asio::awaitable<bool>(delivery::late_report)>;

class smpp_gateway final : public delivery::gateway {
  public:
    struct tuning {
        std::chrono::milliseconds connect{30'000};
        std::chrono::milliseconds first_back_off{200}; // doubles up to
        std::chrono::milliseconds longest_back_off{30'000};
        // Before a throttled part is submitted again; doubles. It keeps its slot of the window: at 1 % of throttled
        // parts, a second of pause would keep a window of 64 half empty at 3,000 parts a second.
        std::chrono::milliseconds part_pause{100};
        unsigned part_tries = 7; // some six seconds, and the waits for the pace
    };

    /// Reads the password; `broken` names the file that is missing. The gateway must hold a config::smpp.
    static base::result<std::unique_ptr<smpp_gateway>> make(boost::asio::any_io_executor, const config::gateway&,
                                                            receipt_sink, telemetry::metrics&);
    static base::result<std::unique_ptr<smpp_gateway>> make(boost::asio::any_io_executor, const config::gateway&,
                                                            receipt_sink, telemetry::metrics&, tuning);
    ~smpp_gateway() override;

    const std::string& name() const noexcept override;
    bool serves(const delivery::outbound&) const noexcept override;
    /// Messages of one part; longer ones take a slot for each part.
    std::size_t window() const noexcept override;
    boost::asio::awaitable<delivery::beginning> stage(const delivery::outbound&,
                                                      std::chrono::milliseconds patience) override;
    boost::asio::awaitable<void> run() override;
    boost::asio::awaitable<void> close() override;

  private:
    struct pool;
    struct connection;
    struct flight;
    class staged_sms;

    explicit smpp_gateway(std::shared_ptr<pool>);

    std::shared_ptr<pool> pool_;
};

} // namespace semel::sms
