#pragma once
// One source partition as its present owner knows it.

#include <delivery/checkpoint.hpp>
#include <delivery/claims.hpp>
#include <delivery/window.hpp>
#include <semel/v1/delivery.pb.h>

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
        std::string outcome; // empty: claimed and unanswered
    };

    partition(boost::asio::any_io_executor ex, redis::client& redis, kafka::topic_partition where, const checkpoint& c)
        : at(std::move(where))
        , window(c.range)
        , owner(c.owner + 1)
        , transaction(c.transaction)
        , mark(c.marker)
        , claims(std::move(ex), redis, at) {}

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
    bool inherited_claims_count =
        false;                ///< marker and server agree: what the claims say about inherited records is true
    bool must_commit = false; ///< owner or marker changed
    bool paused = false;      ///< fetching
    std::deque<item> queue;   ///< arrived, not started
    std::map<kafka::offset, open_claim> open_claims;
    std::size_t active = 0;         ///< deliveries under way
    std::size_t settled_lately = 0; ///< since the last proposal: how much to reserve
};
using partition_ptr = std::shared_ptr<partition>;

} // namespace semel::delivery
