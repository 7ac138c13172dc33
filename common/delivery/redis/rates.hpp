#pragma once
// Shared rate limits: token buckets in Redis, leased in slices that expire, so that any number of dispatchers together
// stay within a limit. A bucket that was lost starts empty. One strand.

#include <base/time.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace semel::delivery {

/// How many tokens to lease for `waiting` messages: what a bucket holds at most, one at least. Pure.
std::uint64_t lease_of(double per_second, std::size_t waiting) noexcept;

struct token_wish {
    /// Asked when a token is there: whoever does not need it any more leaves it to the next.
    std::function<bool()> wanted = {};
    bool first = false; ///< before all that wait
};

class rates {
  public:
    rates(boost::asio::any_io_executor, redis::client&);
    ~rates();

    /// A bucket's name says what it limits ("gateway:relay-a", "gateway:relay-a:example.com", "campaign:c-..."); every
    /// process that uses the name must give the same limit.
    /// Takes one token, waiting at most `patience`. The time when Redis granted it: it is void `token_life` later, or a
    /// second would see the tokens of the one before. Or how long to stay away: there is none within patience.
    static constexpr std::chrono::milliseconds token_life{50};
    using taken = std::expected<std::chrono::steady_clock::time_point, std::chrono::milliseconds>;
    boost::asio::awaitable<taken> take(std::string bucket, double per_second, std::chrono::milliseconds patience,
                                       token_wish = {});

    /// Answers all that wait: there will be none. Whoever waits holds the buckets that hold its handler.
    void abandon();

    /// Tokens a second that this process gets lately of a bucket at its limit; nothing while the limit is far.
    std::optional<double> share(const std::string& bucket) const;

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::delivery
