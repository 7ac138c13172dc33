#pragma once
// Which gateway carries a message, and what its answer says of the gateway: this is where a 421 is judged. The rules
// are core's: breaker, blame, adaptive_limit, lane_pace.

#include <delivery/core/blame.hpp>
#include <delivery/core/breaker.hpp>
#include <delivery/core/lane_pace.hpp>
#include <delivery/engine/line.hpp>
#include <delivery/engine/ports.hpp>
#include <delivery/gateway.hpp>
#include <semel/v1/delivery.pb.h>
#include <telemetry/log.hpp>

#include <trouble/trouble.hpp>

#include <chrono>
#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace semel::delivery {

/// A gateway with its limits.
struct lane_config {
    std::unique_ptr<delivery::gateway> gateway;
    double per_second = 0;                      ///< 0: none
    std::map<std::string, double> domains = {}; ///< email: of these, messages a second
};

/// A gateway and what the engine knows about it.
struct lane {
    std::unique_ptr<delivery::gateway> gateway;
    std::string bucket; // of its tokens
    double per_second = 0;
    std::map<std::string, double> domains;
    delivery::breaker breaker;
    delivery::blame blame;
    lane_pace pace;          // what the gateway takes, below per_second
    delivery::line line;     // of those that wait for its pace
    std::size_t busy_at = 2; // as many as keep it busy: more would only wait
    std::size_t active = 0;
    base::instant entered = {}; // by a message, the last time
    bool alarmed = false;
    bool probing = false; // one message finds out whether the gateway is back

    const std::string& name() const noexcept { return gateway->name(); }
    bool takes(base::instant now) const noexcept { return !breaker.blocks(now) && !(probing && breaker.unproven()); }
};

/// What an answer is about.
struct addressed {
    const v1::Dispatch& dispatch;
    std::string_view domain; ///< email; else empty
    base::instant sent;
    bool released = true; ///< it had its place in line; else it was refused before its last bytes
};

class lanes {
  public:
    /// `bucket_prefix`: before the gateway's name, in the names of its buckets.
    lanes(std::vector<lane_config>, const std::string& bucket_prefix, const tokens&, clock&, telemetry::logger&);

    struct none {
        /// How long to stay away; nothing: no gateway of semel.yaml carries this kind of address.
        std::optional<std::chrono::milliseconds> wait;
    };
    std::expected<lane*, none> choose(const outbound&, const v1::Dispatch&);
    /// What a message stays away from a lane that is shut.
    std::chrono::milliseconds shut_for(const lane&) const;
    /// The only one that can carry it.
    bool alone(const outbound&, const v1::Dispatch&) const;

    /// For one more. A lane at its limit holds no more than it sends in a short time; otherwise this process would soon
    /// hold nothing but messages that wait for that lane.
    bool has_room(const lane&) const;
    /// Known to wait for a lane that has no room: started now, it would take the slot of a message of another lane only
    /// to be put back. What lies behind it waits for the same lane (retry_partition).
    bool left_lying(const v1::Dispatch&) const;
    /// Whether a message has entered another lane for so long.
    bool others_busy(const lane&, base::duration within) const;
    bool any_takes() const;

    /// What the answer says of the lane; and, where that decides it, what it says of the message.
    verdict heed(lane&, const addressed&, verdict);

    std::vector<trouble::entry> troubles() const;
    std::vector<std::string> names() const;
    std::vector<lane>& all() noexcept { return lanes_; }
    /// How many messages of this process may be under way.
    std::size_t most_active() const noexcept;
    /// The bound on doubt: how many may be out unanswered.
    std::size_t window() const noexcept;

    fact traffic; // a message has entered a lane, or left one

  private:
    std::size_t most_in(const lane&) const;
    verdict find_blame(lane&, const addressed&, verdict);
    void tell_not_throttled(lane&, const addressed&, const verdict&);
    void tell_throttled(lane&, const addressed&, const verdict&);
    void raise_alarm(lane&, std::string_view what, const verdict&);

    const tokens& tokens_;
    clock& clock_;
    telemetry::logger& log_;
    std::vector<lane> lanes_;
    std::set<std::string> missing_; // pinned gateways that are not in semel.yaml
};

/// A message's stay in a lane.
class passage {
  public:
    passage(lanes&, lane&, base::instant now);
    passage(passage&&) noexcept;
    passage(const passage&) = delete;
    passage& operator=(passage&&) = delete;
    ~passage();

  private:
    lanes* all_;
    lane* in_; // nothing: moved from
    bool probe_;
};

} // namespace semel::delivery
