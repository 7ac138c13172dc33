#pragma once
// Internal: a queue of librdkafka as something a coroutine can wait for.

#include <kafka/handles.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace semel::kafka {

/// An eventfd speaks when the queue goes from empty to non-empty, and only then: poll() to null before wait(), and
/// once before the first. One strand.
class event_queue {
  public:
    event_queue(const boost::asio::any_io_executor&, queue_ptr);
    ~event_queue();
    event_queue(const event_queue&) = delete;
    event_queue& operator=(const event_queue&) = delete;

    /// Never blocks; null when the queue is empty.
    event_ptr poll() { return event_ptr{rd_kafka_queue_poll(queue_.get(), 0)}; }
    boost::asio::awaitable<void> wait();
    /// Ends a wait() as if something had arrived.
    void wake();
    rd_kafka_queue_t* get() const noexcept { return queue_.get(); }

  private:
    queue_ptr queue_;
    boost::asio::posix::stream_descriptor fd_;
};

} // namespace semel::kafka
