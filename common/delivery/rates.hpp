#pragma once
// Shared rate limits: token buckets in Redis, leased in slices that expire, so that any number of dispatchers together
// stay within a limit. A bucket that was lost starts empty. One strand.

#include <base/time.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace semel::delivery {

/// How many tokens to lease for `waiting` messages: a slice of a tenth of a second, one at least. Pure.
std::uint64_t slice_of(double per_second, std::size_t waiting) noexcept;

class rates {
  public:
    rates(boost::asio::any_io_executor, redis::client&);
    ~rates();

    /// A bucket's name says what it limits ("gateway:relay-a", "gateway:relay-a:example.com", "campaign:c-..."); every
    /// process that uses the name must give the same limit.
    /// Takes one token, waiting at most `patience`. Nothing: taken. A time: not within patience, come back after it.
    boost::asio::awaitable<std::optional<std::chrono::milliseconds>> take(std::string bucket, double per_second,
                                                                          std::chrono::milliseconds patience);

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::delivery
