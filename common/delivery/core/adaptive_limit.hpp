#pragma once
// How fast one lane may send while its gateway refuses a part of what it gets as too fast: below the configured limit,
// never zero, and back up by itself. Nobody has to configure what a gateway really allows. Pure.
//
// What tells us is the share of refusals. A few come at any pace (a session in a hundred closed, a device at its own
// limit) and cost no pace. The first one begins a new period, because what a gateway had saved up is gone then: what it
// accepts in a whole second from there is what it allows, whatever way it counts. Where more than noise was refused,
// the pace falls to a little less than that. From there it rises again: slowly near the point where refusals began,
// twice as far beyond it with each period that nothing speaks against.
//
// Everything is counted in submissions (an SMS has one for each part, and each time), and by when it was sent: what was
// sent before a change of the pace says nothing of the new one, so that it falls at most once a round trip. Nor does
// time in which there was nothing to send: what came in it is not what the gateway takes.

#include <base/instant.hpp>
#include <delivery/message.hpp>

#include <cstdint>
#include <limits>
#include <optional>

namespace semel::delivery {

/// Of one gateway, or of one gateway and one domain, as one process sees it.
class adaptive_limit {
  public:
    struct policy {
        double noise = 0.02;         ///< share of refusals that says nothing of our pace
        unsigned several = 5;        ///< refusals beyond that share: fewer may be chance
        double below = 0.97;         ///< of what was accepted: the new limit
        double below_a_guess = 0.95; ///< the same, where we sent too little to know
        double careful = 0.005;      ///< of the limit: the smallest rise
        double least = 1;            ///< submissions a second, whatever is refused
        double start = 0;       ///< submissions a second to begin with, twice as many each round trip; 0: at once all
        unsigned enough = 50;   ///< answers, for a rise near where refusals began
        unsigned few = 8;       ///< answers, for one far from there
        double any_pace = 0.35; ///< the largest share that may be refused whatever the pace
        base::duration first_step = std::chrono::milliseconds{100}; ///< a period, while nothing was ever refused
        base::duration step = std::chrono::seconds{1};              ///< a period
        base::duration sparse = std::chrono::seconds{5};            ///< the longest, for want of answers
        base::duration forget = std::chrono::seconds{60};           ///< what was found out
    };
    adaptive_limit() = default;
    explicit adaptive_limit(policy p)
        : policy_(p)
        , pace_(p.start > 0 ? p.start : unknown) {}

    /// What the gateway answered to a message that was sent at `sent`.
    void heard(submissions, base::instant sent, base::instant now);
    void accepted(base::instant sent, base::instant now) { heard({.accepted = 1}, sent, now); }
    void throttled(base::instant sent, base::instant now) { heard({.refused = 1}, sent, now); }

    /// Submissions a second; nothing while the gateway takes what it gets.
    std::optional<double> limit() const noexcept { return slowed_ ? std::optional{pace_} : std::nullopt; }
    /// The same, or how fast it may be tried so far.
    std::optional<double> pace() const noexcept { return pace_ < unknown ? std::optional{pace_} : std::nullopt; }
    /// Takes the next places in line and says how long until they come; none taken when that is longer than `most`.
    std::optional<base::duration> take(base::instant now, base::duration most, unsigned places = 1);

  private:
    static constexpr double unknown = std::numeric_limits<double>::infinity();

    /// What came of a pace.
    struct flow {
        double sent_per_s = 0;
        double accepted_per_s = 0;
        double refused_share = 0;
    };
    struct period {
        base::instant began{};
        submissions answers{};
        bool has_gaps = false; // in which there was nothing to send

        double heard() const noexcept { return answers.accepted + answers.refused; }
        flow over(base::duration) const noexcept;
    };
    struct standing {
        double pace = 0;
        double refused_at = 0;
        bool slowed = false;
        flow seen;
    };
    void begin(base::instant now) noexcept { period_ = {.began = now}; }
    void idled(base::duration, base::instant until);
    void judge(base::duration past, base::instant now, bool refused_last);
    void slow_down(const flow&, base::instant now);
    void slow_down_to(double pace, base::instant now);
    void rise(const flow&, base::instant now);
    void forget(base::instant now) noexcept;
    double untried() const noexcept;
    double unstalled(const flow&) const noexcept;
    bool in_vain(const flow&, base::instant now);
    double noise(base::instant now) const noexcept;
    bool is_near() const noexcept; // to where refusals began
    double background(base::instant now) const noexcept { return now < believed_until_ ? background_ : 0; }

    policy policy_;
    double pace_ = unknown;       // unknown: not held back
    double refused_at_ = unknown; // the pace at which refusals began
    bool slowed_ = false;
    base::instant slowed_at_{};
    base::instant next_{};  // the place in line that nobody has taken yet
    base::instant heard_{}; // the last answer
    period period_;
    std::optional<standing> before_; // the slowing down that goes on: to find out whether it helps
    double background_ = 0;          // the share of refusals that slowing down did not lower
    base::instant believed_until_{};
};

} // namespace semel::delivery
