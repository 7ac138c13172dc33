#pragma once
// Time, as the engine asks for it: this host's, or one that a simulation moves.

#include <base/instant.hpp>
#include <base/known_time.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace semel::delivery {

namespace asio = boost::asio;

inline constexpr base::instant never = base::instant::max();

class alarm {
  public:
    virtual ~alarm() = default;
    /// Until its time, or until somebody rings it. Throws when the waiting coroutine is cancelled.
    virtual asio::awaitable<void> rung() = 0;
    /// Before its time. Whoever waits goes on later, not inside this call.
    virtual void ring() = 0;
};

class clock {
  public:
    virtual ~clock() = default;
    /// For waiting.
    virtual base::instant now() const noexcept = 0;
    /// For what cannot be taken back.
    virtual base::known_time time() const = 0;
    virtual std::unique_ptr<alarm> set(base::instant at) = 0;
};

/// Cancellable: throws.
inline asio::awaitable<void> pause(clock& time, base::duration wait) {
    const auto bell = time.set(time.now() + wait);
    co_await bell->rung();
}

} // namespace semel::delivery
