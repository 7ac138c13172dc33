#pragma once
// One coroutine at a time.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <utility>

namespace semel::runtime {

/// For what must not be interleaved although it awaits in between. One strand; in the order in which lock() was
/// called, so that none starves. Not recursive: whoever holds it and locks again waits for ever.
class mutex {
    struct impl;

  public:
    /// Held as long as this lives; it may outlive the mutex.
    class hold {
      public:
        hold(hold&& other) noexcept
            : of_(std::move(other.of_)) {}
        hold& operator=(hold&& other) noexcept {
            std::swap(of_, other.of_);
            return *this;
        }
        ~hold();

      private:
        friend class mutex;
        explicit hold(std::shared_ptr<impl> of)
            : of_(std::move(of)) {}
        std::shared_ptr<impl> of_; // null: moved from
    };

    explicit mutex(boost::asio::any_io_executor);
    ~mutex();

    /// Cancellable while it waits; throws then.
    boost::asio::awaitable<hold> lock();
    bool locked() const noexcept;

  private:
    std::shared_ptr<impl> impl_;
};

} // namespace semel::runtime
