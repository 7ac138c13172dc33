#pragma once
// A gateway that refuses as too fast, and processes that send to it at the pace that their lane allows, in simulated
// time. Only what bears on the pace: a backlog that never ends, a window of messages that may be out, a round trip.

#include <delivery/core/lane_pace.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <random>
#include <tuple>
#include <vector>

namespace semel::delivery::testing {

/// How a gateway counts what it allows.
enum class counting : unsigned char {
    bucket,  ///< a token bucket that saves up a second's worth
    shallow, ///< one that saves up a tenth of a second's
    second,  ///< so many in each second of its clock
    any,     ///< so many in any one second: that is what the test gateways do
};

/// What distinguishes the protocols here: what of it is out at once, and what a refusal costs.
struct protocol {
    const char* name;
    unsigned window;         ///< submissions that may be out at once
    unsigned parts = 1;      ///< submissions a message
    unsigned dialogue = 0;   ///< round trips before the last bytes, with the session held
    unsigned back_after = 0; ///< round trips until a session that a refusal has closed is back (SMTP 421)
    base::duration pause{};  ///< before a part that was refused while others were accepted is submitted again
};

struct scene {
    protocol speaks;
    base::duration round_trip = std::chrono::milliseconds{5};
    double able = 4'000; ///< messages a second that a process can do
    unsigned processes = 1;
    double allows = 0; ///< submissions a second; 0: as many as come
    counting counts = counting::bucket;
    double by_chance = 0; ///< the share of submissions that is refused at any pace
    unsigned seed = 1;
};

class simulation {
  public:
    explicit simulation(const scene&);
    void run(base::duration);
    void allow(double per_second) { scene_.allows = per_second; }
    void refuse(double by_chance) { scene_.by_chance = by_chance; }
    /// Nothing to send, for a while: the log is behind, or the campaign is over.
    void idle(base::duration);

    struct traffic {
        double accepted = 0; // submissions
        double refused = 0;
        double share() const { return refused / std::max(accepted + refused, 1.0); }
    };
    /// Between two moments, counted from the first.
    traffic between(base::duration from, base::duration to) const;
    const lane_pace& pace(std::size_t which = 0) const { return processes_.at(which)->pace; }

  private:
    struct message;
    struct process {
        lane_pace pace;
        unsigned out = 0;
        std::size_t active = 0;
        std::deque<std::shared_ptr<message>> line; // only the first has a time
        base::instant next{};
        bool woken = false;
    };
    struct message {
        process* of;
        unsigned left; // parts not accepted
        unsigned round = 0;
        base::instant sent{};
    };
    void at(base::instant when, std::function<void()> what);
    void start(process&);
    void queue(process&, const std::shared_ptr<message>&);
    void next_in_line(process&);
    void submit_again(const std::shared_ptr<message>&);
    void release(std::shared_ptr<message>);
    void answered(const std::shared_ptr<message>&, unsigned accepted, unsigned refused);
    bool refuses();
    bool is_full();

    struct event {
        base::instant when;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const event& o) const { return std::tie(o.when, o.order) < std::tie(when, order); }
    };
    scene scene_;
    std::mt19937 dice_;
    base::instant now_{std::chrono::hours{1}};
    const base::instant began_ = now_;
    std::priority_queue<event> events_;
    std::uint64_t order_ = 0;
    bool has_work_ = true;
    std::vector<std::unique_ptr<process>> processes_;
    double tokens_ = -1;
    base::instant filled_{};
    std::deque<base::instant> recent_; // accepted within the last second
    std::vector<traffic> seen_;        // by tenth of a second
};

} // namespace semel::delivery::testing
