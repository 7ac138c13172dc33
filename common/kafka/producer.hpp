#pragma once
// Producers. Blocking calls of librdkafka (commit, init, flush) run on a thread of the producer's own; the awaiting
// coroutine resumes on its executor. Not for sharing between threads.

#include <base/fault.hpp>
#include <kafka/types.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace semel::kafka {

struct producer_options {
    std::string bootstrap;
    std::string transactional_id; // SERVICE-INSTANCE; empty for a plain idempotent producer
    std::chrono::milliseconds transaction_timeout{15'000};
};

/// One transaction at a time: begin(), produce()..., commit(). Pitfalls of librdkafka 2.0.2 are handled inside
/// (faults.md, section 7): an error that is neither retriable nor abortable makes commit() answer `unknown`, and only
/// rebuild() helps then.
class transactional_producer {
  public:
    transactional_producer(boost::asio::any_io_executor, producer_options);
    ~transactional_producer();

    /// Fences the predecessor with the same transactional id and waits for its transactions to end. Retries while the
    /// broker is not reachable; cancellable.
    boost::asio::awaitable<void> init();

    void begin();
    bool in_transaction() const noexcept;
    /// Copies key and value. A full local queue is waited out inside (bounded by the options), so this may suspend.
    /// Records produced outside begin()..commit() are a bug (throws std::logic_error).
    boost::asio::awaitable<void> produce(topic_partition to, std::string_view key, std::string_view value);
    /// A tombstone.
    boost::asio::awaitable<void> produce_tombstone(topic_partition to, std::string_view key);

    /// Sends the offsets with the membership (may be empty/nullptr: no offsets) and commits. After `aborted` the next
    /// begin() works; after `unknown` call rebuild() first.
    boost::asio::awaitable<commit_result> commit(std::vector<kafka::commit> offsets,
                                                 std::shared_ptr<const membership> as);
    boost::asio::awaitable<void> abort();
    /// Throws the client away, makes a new one and runs init(): whatever the old one had in flight is then decided.
    boost::asio::awaitable<void> rebuild();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// Idempotent, without transactions: for records whose readers recognise repetitions.
class producer {
  public:
    producer(boost::asio::any_io_executor, producer_options);
    ~producer();
    /// Returns when the broker has acknowledged it.
    boost::asio::awaitable<base::result<void>> send(topic_partition to, std::string key, std::string value);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::kafka
