#pragma once
// One source partition as its present owner knows it.

#include <base/instant.hpp>
#include <base/time.hpp>
#include <delivery/core/checkpoint.hpp>
#include <delivery/core/window.hpp>
#include <delivery/redis/claims.hpp>
#include <semel/v1/delivery.pb.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

namespace semel::delivery {

/// A record of dispatch.* or retry.*.
struct item {
    kafka::offset at = 0;
    v1::Dispatch dispatch;
    base::instant due = {};      // not to be sent before
    std::string unreadable = {}; // why the record cannot be used; then `raw` has its bytes
    std::string raw = {};
    std::uint32_t parts = 0;  // of the message, once it is known
    bool claim_asked = false; // a claim was asked for and no answer came
};

struct partition {
    enum class phase : unsigned char {
        taking_over, ///< the owner number is not yet in Kafka and Redis: nothing is claimed
        open,
        rebuilding, ///< Redis lost the claims: they are being written again
        closing,    ///< revoked: what is out is finished, nothing new is claimed
        lost,       ///< another process may own it: late answers are evidence, nothing more
    };
    /// What must be written again if Redis forgets: claimed, at or above the committed low water.
    struct open_claim {
        std::string field;
        std::string value; // the claim, or its outcome
    };

    partition(boost::asio::any_io_executor ex, redis::client& redis, kafka::topic_partition where, const checkpoint& c)
        : at(std::move(where))
        , window(c.range)
        , owner(c.owner + 1)
        , transaction(c.transaction)
        , mark(c.marker)
        , claims(std::move(ex), redis, at)
        , claims_lost_below(c.claims_lost_below) {}

    bool lost() const noexcept { return state == phase::lost; }
    /// Whether a claim may still be asked for (perhaps after waiting).
    bool ours() const noexcept {
        return state == phase::open || state == phase::rebuilding || state == phase::taking_over;
    }

    kafka::topic_partition at;
    delivery::window window;
    std::uint64_t owner;
    std::uint64_t transaction;
    marker mark;
    delivery::claims claims;
    delivery::head head;
    phase state = phase::taking_over;
    /// Records below it may be out although no claim says so: a Redis that held the claims is gone. Committed with the
    /// marker, so that a second crash does not make lost claims look like none.
    kafka::offset claims_lost_below;
    bool must_commit = false; ///< owner or marker changed
    bool paused = false;      ///< fetching
    /// Of records parked before it, none stays at the front: some campaign is no longer paused, and its records may
    /// stand behind. What a former owner saw of this is not known.
    std::int64_t parked_round_us = 0;
    bool rebuilding = false; ///< a rebuild() is under way
    std::deque<item> queue;  ///< arrived, not started, in order
    std::map<kafka::offset, open_claim> open_claims;
    std::size_t active = 0;                        ///< deliveries under way
    std::size_t claiming = 0;                      ///< of them, those that have asked for a claim
    std::size_t deciding = 0;                      ///< batches of inherited records whose claims are being read
    std::size_t settled_lately = 0;                ///< since the last proposal: how much to reserve
    std::size_t pace = 0;                          ///< settled in a commit's time, decaying
    std::chrono::steady_clock::time_point lost_at; ///< without having been revoked
};
using partition_ptr = std::shared_ptr<partition>;

} // namespace semel::delivery
