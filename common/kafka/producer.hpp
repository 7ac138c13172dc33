#pragma once
// Producers. Blocking calls of librdkafka (commit, init, flush) run on a thread of the producer's own; the awaiting
// coroutine resumes on its executor. Not for sharing between threads.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <kafka/cluster.hpp>
#include <kafka/types.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace semel::kafka {

struct producer_options {
    cluster bootstrap;
    std::string transactional_id; // SERVICE-INSTANCE; empty for a plain idempotent producer
    std::chrono::milliseconds transaction_timeout{15'000};
};

/// One transaction at a time: begin(), produce()..., commit(). Pitfalls of librdkafka 2.0.2 are handled inside: an
/// error that is neither retriable nor abortable (verdict.hpp) makes commit() answer `unknown`, and only rebuild()
/// helps then.
class transactional_producer {
  public:
    transactional_producer(boost::asio::any_io_executor, producer_options);
    ~transactional_producer();

    /// Fences the predecessor with the same transactional id and waits for its transactions to end. Retries while the
    /// broker is not reachable; cancellable.
    boost::asio::awaitable<void> init();

    void begin();
    bool in_transaction() const noexcept;
    /// Copies key and value; false when the local queue is full, which is the moment to await produce() instead. A
    /// record that is refused for another reason dooms the transaction: commit() aborts it and says why.
    bool try_produce(const topic_partition& to, std::string_view key, std::string_view value);
    /// Copies key and value. A full local queue is waited out inside (bounded by the options), so this may suspend.
    /// Records produced outside begin()..commit() are a bug (throws std::logic_error).
    boost::asio::awaitable<void> produce(topic_partition to, std::string_view key, std::string_view value);
    /// A tombstone.
    boost::asio::awaitable<void> produce_tombstone(topic_partition to, std::string_view key);

    /// Sends the offsets with the membership (may be empty/nullptr: no offsets) and commits. After `aborted` the next
    /// begin() works; after `unknown` call rebuild() first.
    /// Not cancellable once it runs: its answer must be heard. Takes 12 to 40 ms as a rule; `unknown` may take up to
    /// twice the transaction's timeout and a minute. Offsets must not be negative (throws std::logic_error).
    boost::asio::awaitable<commit_result> commit(std::vector<kafka::commit> offsets,
                                                 std::shared_ptr<const membership> as);
    /// Returns when the transaction is certain never to be read; rebuilds inside if that is what it takes.
    boost::asio::awaitable<void> abort();
    /// Throws the client away, makes a new one and runs init(): whatever the old one had in flight is then decided.
    boost::asio::awaitable<void> rebuild();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// Idempotent, without transactions: for records whose readers recognise repetitions. An error that is fatal to its
/// client fails what is under way (it may have arrived: send it again), and the next record goes by a new client.
class producer {
  public:
    producer(boost::asio::any_io_executor, producer_options);
    ~producer();
    /// Returns when the broker has acknowledged it.
    boost::asio::awaitable<base::result<void>> send(topic_partition to, std::string key, std::string value);
    /// The same, and when the broker appended it, by its own clock; nothing where the topic keeps the sender's time.
    boost::asio::awaitable<base::result<std::optional<base::timestamp>>> send_dated(topic_partition to, std::string key,
                                                                                    std::string value);

  private:
    struct impl;
    std::shared_ptr<impl> impl_; // its delivery reports may still be on their way
};

} // namespace semel::kafka
