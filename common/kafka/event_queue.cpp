#include <kafka/event_queue.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <tuple>

namespace semel::kafka {
namespace {

constexpr std::uint64_t one = 1; // an eventfd takes eight bytes, no more and no fewer

int make_eventfd() {
    // Non-blocking: librdkafka writes to it under its queue's lock.
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) {
        throw std::system_error{errno, std::generic_category(), "eventfd for a Kafka client"};
    }
    return fd;
}

} // namespace

event_queue::event_queue(const boost::asio::any_io_executor& executor, queue_ptr queue)
    : queue_(std::move(queue))
    , fd_(executor, make_eventfd()) {
    rd_kafka_queue_io_event_enable(queue_.get(), fd_.native_handle(), &one, sizeof one);
}

event_queue::~event_queue() {
    rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0); // before the fd closes and its number is given away
}

boost::asio::awaitable<void> event_queue::wait() {
    co_await fd_.async_wait(boost::asio::posix::stream_descriptor::wait_read, boost::asio::use_awaitable);
    std::uint64_t count = 0;
    std::ignore = ::read(fd_.native_handle(), &count, sizeof count);
}

void event_queue::wake() {
    std::ignore = ::write(fd_.native_handle(), &one, sizeof one);
}

} // namespace semel::kafka
