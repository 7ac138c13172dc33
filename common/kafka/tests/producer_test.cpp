// The plain producer beside a broker that says what a real one says only after it was killed with batches under way:
// librdkafka's mock broker, which speaks the protocol.

#include "support.hpp"

#include <kafka/handles.hpp>
#include <kafka/trust.hpp>

#include <librdkafka/rdkafka_mock.h>

namespace semel::kafka::test {
namespace {

/// One broker in this process, with a topic `t` of one partition.
class mock_broker {
  public:
    mock_broker()
        : client_(make_client(RD_KAFKA_PRODUCER, conf_ptr{rd_kafka_conf_new()}))
        , cluster_(rd_kafka_mock_cluster_new(client_.get(), 1)) {
        rd_kafka_mock_topic_create(cluster_.get(), "t", 1, 1);
    }
    std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_.get()); }
    /// To the next Produce request.
    void answer(rd_kafka_resp_err_t with) {
        constexpr std::int16_t produce = 0;
        rd_kafka_mock_push_request_errors(cluster_.get(), produce, 1, with);
    }

  private:
    client_ptr client_;
    handle<rd_kafka_mock_cluster_t, rd_kafka_mock_cluster_destroy> cluster_;
};

TEST(Producer, GoesOnAfterAnErrorThatEndsItsClientForGood) {
    mock_broker kafka;
    play(
        [&](asio::any_io_executor ex) -> asio::awaitable<void> {
            producer writer{ex, {.bootstrap = kafka.address(), .transactional_id = {}}};
            const topic_partition to{"t", 0};
            must(co_await writer.send(to, "k", "before"));
            for (int i = 0; i < 2; ++i) {
                kafka.answer(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER);
                const auto refused = co_await writer.send(to, "k", "out of order");
                EXPECT_FALSE(refused) << "nobody knows whether it arrived";
                if (!refused) {
                    EXPECT_TRUE(refused.error().retryable()) << refused.error().why();
                }
                const auto again = co_await writer.send(to, "k", "again");
                EXPECT_TRUE(again) << again.error().why();
            }
        },
        30s);
}

} // namespace
} // namespace semel::kafka::test
