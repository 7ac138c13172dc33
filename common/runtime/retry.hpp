#pragma once
// How long to wait before trying again. Pure.

#include <chrono>
#include <cstdint>
#include <random>

namespace semel::runtime {

/// Pauses that double from `first` to `longest`. Each is drawn from its upper half: processes that lost the same server
/// at once must not come back to it at once.
class retry {
  public:
    struct pace {
        std::chrono::milliseconds first{200};
        std::chrono::milliseconds longest{30'000};
    };
    explicit retry(pace p, std::uint32_t seed = std::random_device{}())
        : pace_(p)
        , most_(p.first)
        , random_(seed) {}

    /// Another attempt has failed: wait so long before the next.
    std::chrono::milliseconds next();
    /// One has succeeded: the next failure waits as the first did.
    void reset() noexcept { most_ = pace_.first; }

  private:
    pace pace_;
    std::chrono::milliseconds most_;
    std::minstd_rand random_;
};

} // namespace semel::runtime
