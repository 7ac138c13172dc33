#pragma once
// How long a message stays away for which a lane has no room. What waits in the shortest retry tier counts against what
// plan releases for the whole channel (plan/core/pacing), so a slow gateway keeps only what it needs soon there: else
// the other gateways of the channel would go no faster. Pure.

#include <base/instant.hpp>

#include <chrono>

namespace semel::delivery {

class overflow {
  public:
    struct policy {
        double least = 1;                                 ///< messages a second, while nothing is answered
        base::duration span = std::chrono::seconds{5};    ///< the speed is that of the last one or two
        base::duration briefly = std::chrono::seconds{1}; ///< less says nothing of a speed
        base::duration near = std::chrono::seconds{20};   ///< whose turn comes later stays away for long
        std::chrono::milliseconds far = std::chrono::minutes{1};
    };
    overflow() = default;
    explicit overflow(policy p)
        : policy_(p) {}

    /// A message went out.
    void answered(base::instant now);
    /// One more found no room. Its turn comes after those that were turned away before.
    std::chrono::milliseconds turn_away(base::instant now);

  private:
    struct span {
        base::duration length{};
        double answers = 0;
    };
    void roll(base::instant now);
    double per_second(base::instant now) const noexcept;

    policy policy_;
    base::instant began_{};
    double answers_ = 0;
    span before_;
    base::instant next_turn_{};
};

} // namespace semel::delivery
