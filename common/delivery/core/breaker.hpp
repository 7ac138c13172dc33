#pragma once
// Blocks a gateway's lane while it mostly fails, and lets one message try after a pause. Pure.

#include <base/instant.hpp>

#include <cstdint>
#include <string>

namespace semel::delivery {

class breaker {
  public:
    struct policy {
        unsigned window = 50;   ///< answers looked at together
        unsigned at_least = 20; ///< fewer say nothing
        double blocks_at = 0.5; ///< share of failures
        base::duration first_pause = std::chrono::seconds{2};
        base::duration longest_pause = std::chrono::seconds{60};
    };
    breaker() = default;
    explicit breaker(policy p)
        : policy_(p) {}

    void succeeded() noexcept;
    /// A transient answer, a timeout, a lost connection; not a permanent refusal (that is about one recipient).
    void failed(base::instant now) noexcept;
    /// A configuration or policy error: blocked at once, for the longest pause, and an operator is called.
    void stop(base::instant now, std::string why);
    /// Several recipients got an answer that speaks of our configuration. The lane pauses; then one message tries, and
    /// if it gets the same answer, the next pause is longer.
    void suspect(base::instant now, std::string why);
    /// The suspicion was wrong, or what it was about has been mended: something was accepted.
    void clear() noexcept;
    /// The gateway asked for it (Retry-After, throttling).
    void pause_until(base::instant) noexcept;

    bool blocks(base::instant now) const noexcept { return now < blocked_until_; }
    /// Its pause is over and nothing has succeeded since: one message at a time may try.
    bool unproven() const noexcept { return pause_ != base::duration{}; }
    /// Pauses and the tries between them; nothing while it works.
    base::duration failing_for(base::instant now) const noexcept {
        return unproven() ? now - failing_since_ : base::duration{};
    }
    base::instant blocked_until() const noexcept { return blocked_until_; }
    /// For people: as it lasts, not as it flickers between a pause and the next try.
    enum class state : unsigned char { passing, stopped, suspected, failing, paused };
    state standing(base::instant now) const noexcept;
    /// Why an operator must look; empty when nothing is wrong with the configuration.
    const std::string& stopped_because() const noexcept { return stopped_because_; }

  private:
    void pause_again(base::instant now) noexcept;
    void begin_failing(base::instant now) noexcept;

    policy policy_;
    unsigned answers_ = 0;
    unsigned failures_ = 0;
    base::duration pause_{0};
    base::instant failing_since_{};
    base::instant blocked_until_{};
    base::instant asked_until_{}; // by the gateway
    std::string stopped_because_;
    bool suspected_ = false; // stopped_because_ is a suspicion, not what the gateway said of us
};

} // namespace semel::delivery
