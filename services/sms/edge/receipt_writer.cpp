#include "receipt_writer.hpp"

#include <crypto/keys.hpp>
#include <semel/v1/delivery.pb.h>
#include <telemetry/log.hpp>
#include <wire/identity.hpp>
#include <wire/topics.hpp>

#include <correlation/number_hash.hpp>

#include <utility>

namespace semel::sms {

namespace asio = boost::asio;

receipt_writer::receipt_writer(asio::any_io_executor ex, kafka::cluster bootstrap, std::int32_t partitions,
                               crypto::key_ring keys)
    : producer_(std::move(ex), {.bootstrap = std::move(bootstrap), .transactional_id = {}})
    , partitions_(partitions)
    , keys_(std::move(keys)) {}

asio::awaitable<bool> receipt_writer::write(delivery::late_report report) {
    const auto gateway = report.gateway;
    v1::GatewayReceipt receipt;
    receipt.set_gateway(report.gateway);
    receipt.set_channel(v1::CHANNEL_SMS);
    receipt.set_message_id(report.message_id);
    receipt.set_state(static_cast<std::uint32_t>(report.state));
    receipt.set_code(report.code);
    receipt.set_text(report.text);
    receipt.set_time_us(base::to_us(report.time));
    receipt.set_user_message_reference(report.user_message_reference);
    if (!report.destination.empty()) {
        receipt.set_destination_hash(correlation::number_hash(keys_.destinations(), report.destination));
    }
    auto [key, partition] = wire::place_of(receipt, partitions_);
    kafka::topic_partition to{.topic = std::string{wire::gateway_receipts}, .partition = partition};
    auto value = receipt.SerializeAsString();
    const auto sent = co_await producer_.send(std::move(to), std::move(key), std::move(value));
    if (const auto wrong = !sent.has_value(); wrong != std::exchange(failing_, wrong) && wrong) {
        telemetry::log().warn("report.not_kept", {{"gateway", gateway}, {"why", sent.error().why()}});
    }
    co_return sent.has_value();
}

} // namespace semel::sms
