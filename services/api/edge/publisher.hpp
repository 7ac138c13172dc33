#pragma once
// The outbox on its way to Kafka: each row once and in order, although several processes of the api run and any of them
// may stop at any moment, for ever or for a while.
//
// All publishers have one transactional id. Whoever begins fences the others: what they had under way is never read,
// and what they try later fails. A transaction carries, as the metadata of an offset of its own, the numbers of the
// rows that it published; the next publisher reads them and knows what Kafka has before it sends anything. So `control`
// never goes back to an older state, and a test message is not sent again, whenever somebody died or slept.
//
// The lease in api.publisher keeps two that live from fencing each other all the time. Nothing else depends on it.

#include <kafka/producer.hpp>
#include <wire/topics.hpp>

#include <api/edge/services.hpp>
#include <api/edge/store.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api {

/// Where a publisher leaves word of what it published; the same for all of an installation.
struct publisher_place {
    std::string name = "api.outbox"; // transactional id and group
    std::string topic{wire::control};
};

class publisher {
  public:
    publisher(services&, publisher_place = {});
    ~publisher();

    /// Until cancelled; waits for a PostgreSQL or a Kafka that is away.
    boost::asio::awaitable<void> run();

  private:
    /// What a transaction leaves behind.
    struct word {
        kafka::offset transactions = 0;
        std::vector<std::int64_t> numbers; // of the rows of the last one
    };

    boost::asio::awaitable<bool> hold_lease();
    /// From here on nobody else publishes, and the outbox holds what Kafka has not.
    boost::asio::awaitable<base::result<void>> take_over();
    boost::asio::awaitable<base::result<word>> last_published();
    boost::asio::awaitable<void> publish(std::vector<store::outbox_row>);
    boost::asio::awaitable<void> forget(std::vector<std::int64_t> numbers);

    services& services_;
    publisher_place place_;
    kafka::cluster cluster_;
    kafka::transactional_producer producer_;
    boost::asio::thread_pool lookups_{1};               // of Kafka's blocking calls
    bool sole_ = false;                                 // since take_over(), until a commit says otherwise
    std::chrono::steady_clock::time_point next_word_{}; // of the lease's holder
    kafka::offset transactions_ = 0;
};

/// The metadata of the offset: the rows' numbers, ascending, each after the first by its distance.
std::string encode_numbers(const std::vector<std::int64_t>&);
std::vector<std::int64_t> decode_numbers(std::string_view);

} // namespace semel::api
