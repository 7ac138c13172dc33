#pragma once
// Shared rate limits: token buckets in Redis, leased in slices that expire, so that any number of dispatchers together
// stay within a limit. A bucket that was lost starts empty. One strand.

#include <delivery/engine/ports.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace semel::delivery {

/// How many tokens to lease for `waiting` messages: what a bucket holds at most, one at least. Pure.
std::uint64_t lease_of(double per_second, std::size_t waiting) noexcept;

class rates final : public tokens {
  public:
    rates(boost::asio::any_io_executor, redis::client&);
    ~rates() override;

    boost::asio::awaitable<taken> take(std::string bucket, double per_second, std::chrono::milliseconds patience,
                                       token_wish = {}) override;
    void abandon() override;
    std::optional<double> share(const std::string& bucket) const override;

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::delivery
