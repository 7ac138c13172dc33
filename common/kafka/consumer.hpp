#pragma once
// A group consumer on Asio: librdkafka's event queue behind an eventfd, no callbacks into user code.
// One strand, no sharing between threads. Reads read_committed, never commits by itself (offsets travel in the
// producer's transactions), and never resets: a group without an offset is an error, not a silent skip.

#include <base/fault.hpp>
#include <kafka/cluster.hpp>
#include <kafka/types.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>

namespace semel::kafka {

struct consumer_options {
    cluster bootstrap;
    std::string group;
    std::string instance; // group.instance.id: static membership, one for each process slot
    std::vector<std::string> topics;
    std::chrono::milliseconds session_timeout{10'000};
    std::size_t batch = 1'000;        // records in one `records` event, at most
    std::size_t prefetch_kib = 8'192; // librdkafka's local queue; bounds memory
    bool tell_ends = false;           // `records` say which partitions have been read to their present end
};

class consumer {
  public:
    consumer(boost::asio::any_io_executor, consumer_options);
    ~consumer();
    consumer(const consumer&) = delete;
    consumer& operator=(const consumer&) = delete;

    /// The next thing that happened. Cancellable. Throws std::runtime_error on a fatal client error.
    boost::asio::awaitable<event> next();

    /// Answers `assigned`: starts fetching at these positions (every assigned partition must be named).
    void begin(std::span<const start> positions);
    /// Answers `revoked`.
    void release(const revoked&);

    void pause(std::span<const topic_partition>);
    void resume(std::span<const topic_partition>);
    /// Moves the read position of an assigned partition; records fetched before the move are not delivered any more.
    void seek(const topic_partition&, offset next);

    /// What the group has committed, read from the coordinator. A partition without an offset is a fault (broken).
    boost::asio::awaitable<base::result<std::vector<commit>>> committed(std::vector<topic_partition>);
    /// Where an assigned partition was found read to its end last (tell_ends); nothing before that. Beyond its last
    /// record there may be marks of transactions, which are not records.
    std::optional<offset> end_read(const topic_partition&) const;
    /// [low, high) of a partition now, as far as transactions there are decided.
    boost::asio::awaitable<base::result<std::pair<offset, offset>>> watermarks(topic_partition);
    /// The membership as of now; see `membership`.
    std::shared_ptr<const membership> current_membership() const;

    /// Leaves the group politely; next() then ends with `stopped`.
    boost::asio::awaitable<void> close();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// Reads a topic without a group, from given positions: compacted state (control, artifacts, progress), audience spans.
/// next() gives the records of all assigned partitions in partition order; at_end() says whether every partition has
/// been read up to the end that stood at the time of the last call of refresh_end().
class reader {
  public:
    struct options {
        cluster bootstrap;
        std::size_t batch = 1'000;
        std::size_t prefetch_kib = 8'192;
    };
    reader(boost::asio::any_io_executor, options);
    ~reader();

    /// All partitions of the topic, from the beginning. Waits for the topic's metadata.
    boost::asio::awaitable<base::result<void>> from_beginning(std::string topic);
    boost::asio::awaitable<base::result<void>> from_beginning(topic_partition);
    boost::asio::awaitable<base::result<void>> from_beginning_of(std::vector<topic_partition>);
    /// Reads on from here instead. Replaces the assignment.
    void assign(std::span<const start> positions);
    boost::asio::awaitable<base::result<void>> refresh_end();
    bool at_end() const;
    /// Waits for records; empty when the reader reached the end noted by refresh_end() while waiting (reported once).
    boost::asio::awaitable<std::vector<record>> next();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::kafka
