#pragma once
// Hands delivery reports on to `gateway.receipts`, where the receipts service matches them.

#include <crypto/key_ring.hpp>
#include <delivery/message.hpp>
#include <kafka/producer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <sms/edge/smpp_gateway.hpp>

#include <memory>

namespace semel::sms {

/// True once Kafka has acknowledged the report: only then is the gateway told that we have it.
class receipt_writer {
  public:
    receipt_writer(boost::asio::any_io_executor, kafka::cluster bootstrap, std::int32_t partitions,
                   crypto::key_ring keys);

    boost::asio::awaitable<bool> write(delivery::late_report);

  private:
    kafka::producer producer_;
    std::int32_t partitions_;
    crypto::key_ring keys_; // of the destination's hash
    bool failing_ = false;  // said once, until one is kept again
};

} // namespace semel::sms
