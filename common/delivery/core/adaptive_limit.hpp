#pragma once
// How fast one lane may send while its gateway refuses a part of what it gets as too fast: below the configured limit,
// never zero, and back up by itself. Nobody has to configure what a gateway really allows. Pure.
//
// Refusals that come with every pace (a share of devices at their own limit, one session in a hundred closed) are not
// about our pace: a lane that slowed down for them would stand still for a polite no. So what counts is the share of
// refusals, more than chance explains; and a lane that has slowed down in vain goes back to its pace.

#include <base/instant.hpp>

#include <optional>

namespace semel::delivery {

/// Of one gateway, or of one gateway and one domain, as one process sees it.
class adaptive_limit {
  public:
    struct policy {
        double noise = 0.02;          ///< share of refusals that says nothing of our pace
        double quiet = 0.005;         ///< up to it the pace rises
        double severe = 0.25;         ///< not waited for until the window is over
        double least = 1;             ///< messages a second, whatever is refused
        double below = 0.97;          ///< of what was accepted: the new limit
        double in_vain = 0.6;         ///< slowed to this share of the old pace with as many refused: not our pace
        double careful_rise = 0.005;  ///< of the limit, in one window, near where refusals began
        double fastest_rise = 0.5;    ///< of the limit, after some windows without any
        double probe = 0.10;          ///< of the limit: to find out whether a few refusals depend on the pace
        unsigned trusted = 100;       ///< answers without a refusal: the rise may quicken
        unsigned enough = 30;         ///< answers
        unsigned between_probes = 10; ///< windows
        base::duration step = std::chrono::milliseconds{250}; ///< the shortest time that is looked at together
        base::duration window = std::chrono::seconds{1};      ///< the usual one
        base::duration sparse = std::chrono::seconds{5};      ///< the longest, where answers are few
        base::duration forget = std::chrono::seconds{60};     ///< so long a share that was not our pace is believed
    };
    adaptive_limit() = default;
    explicit adaptive_limit(policy p)
        : policy_(p) {}

    /// What the gateway answered to a message that was sent at `sent`.
    void accepted(base::instant sent, base::instant now);
    /// As too fast. Says nothing more when it was sent before the last slowing down: once a round trip is enough.
    void throttled(base::instant sent, base::instant now);

    /// Messages a second; nothing while the gateway takes what it gets.
    std::optional<double> limit() const noexcept { return limit_; }
    /// Takes the next place in line and says how long until it comes; nothing taken when that is longer than `most`.
    std::optional<base::duration> take(base::instant now, base::duration most);

  private:
    struct seen {
        double sent_per_s = 0;
        double accepted_per_s = 0;
        double share = 0; // refused
    };
    void look(base::instant now);
    void slow_down_at_once(const seen&, base::instant now);
    void slow_down(const seen&, base::instant now);
    void rise(const seen&, base::instant now);
    void probe(const seen&);
    void lower_to(double, base::instant now);
    void begin(base::instant now) noexcept;
    double background(base::instant now) const noexcept { return now < believed_until_ ? background_ : 0; }

    policy policy_;
    std::optional<double> limit_;
    base::instant next_{}; // the place in line that nobody has taken yet
    base::instant slowed_{};
    base::instant began_{}; // of what is counted
    unsigned accepted_ = 0;
    unsigned throttled_ = 0;
    unsigned clean_ = 0;         // accepted since the last refusal
    double refused_at_ = 0;      // the pace at which refusals began, as far as known
    double step_up_ = 0;         // the next rise beyond it
    std::optional<seen> before_; // slowing down: to find out whether it helps
    double background_ = 0;      // the share of refusals that slowing down did not lower
    base::instant believed_until_{};
    unsigned noisy_windows_ = 0;
    std::optional<double> before_probe_; // the limit
    double share_before_probe_ = 0;
};

} // namespace semel::delivery
