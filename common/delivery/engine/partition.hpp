#pragma once
// One source partition as its present owner knows it: in which phase it is, and what is known of its records.

#include <delivery/core/checkpoint.hpp>
#include <delivery/core/window.hpp>
#include <delivery/engine/backlog.hpp>
#include <delivery/engine/ports.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace semel::delivery {

/// What Kafka and Redis are told about who owns a partition.
struct title {
    explicit title(const checkpoint& former)
        : owner(former.owner + 1)
        , transaction(former.transaction)
        , mark(former.marker)
        , claims_lost_below(former.claims_lost_below) {}

    /// A head that was written to Redis. A commit that says its marker must follow before anything is claimed under it.
    void take(delivery::head written) {
        mark = written.marker;
        head = std::move(written);
        must_commit = true;
        last_before_head = transaction;
    }
    /// The next commit.
    kafka::commit say(const kafka::topic_partition&, const range&);
    /// The commit of this number succeeded. One that was under way when the head was written does not follow it, though
    /// it may have said the same marker: Kafka may have given the partition away between the two.
    void heard(std::uint64_t number) { must_commit = must_commit && number <= last_before_head; }

    std::uint64_t owner;
    std::uint64_t transaction; ///< of the last commit that was said
    marker mark;
    delivery::head head;
    /// Records below it may be out although no claim says so: a Redis that held the claims is gone. Committed with the
    /// marker, so that a second crash does not make lost claims look like none.
    kafka::offset claims_lost_below;
    bool must_commit = true;            ///< owner or head changed
    std::uint64_t last_before_head = 0; ///< the last transaction that was said before the head was known to stand
};

/// What of a partition is under way in this process.
struct workload {
    std::size_t active = 0;         ///< deliveries
    std::size_t claiming = 0;       ///< of them, those that have asked for a claim
    std::size_t deciding = 0;       ///< batches of inherited records whose claims are being read
    std::size_t settled_lately = 0; ///< since the last proposal: how much to reserve
    std::size_t pace = 0;           ///< settled in a commit's time, decaying
};

class partition {
  public:
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

    partition(kafka::topic_partition where, const checkpoint& committed, std::unique_ptr<claim_store> in);

    bool taking_over() const noexcept { return phase_ == phase::taking_over; }
    bool is_open() const noexcept { return phase_ == phase::open; }
    bool rebuilding() const noexcept { return phase_ == phase::rebuilding; }
    bool closing() const noexcept { return phase_ == phase::closing; }
    bool lost() const noexcept { return phase_ == phase::lost; }
    /// Whether a claim may still be asked for (perhaps after waiting).
    bool ours() const noexcept { return is_open() || rebuilding() || taking_over(); }
    /// Its head stands and is committed: what its claims say can be believed, also while it is being given up.
    bool holds_claims() const noexcept { return is_open() || closing(); }
    /// Also one that goes on while the partition is being given up.
    bool rebuild_under_way() const noexcept { return rebuild_under_way_; }
    /// Since when it is lost without having been revoked.
    std::optional<base::instant> lost_since() const noexcept { return lost_since_; }

    /// The head stands and is committed: from now on it claims under it.
    void open();
    /// False: it is not open, or being rebuilt already.
    bool begin_rebuild();
    /// The claims stand again, and are committed. True: it is open again; false: it was given up meanwhile.
    bool end_rebuild();
    /// It is to be given up in order: whatever has not asked for a claim is the next owner's.
    void revoke();
    /// It is another's. False: that was known.
    bool lose(base::instant now);
    /// It was given up, or the group took it away.
    void let_go();

    const kafka::topic_partition at;
    delivery::window window;
    delivery::title title;
    const std::unique_ptr<claim_store> claims;
    std::map<kafka::offset, open_claim> open_claims;
    backlog waiting;
    workload load;
    fact phase_changed;

  private:
    void enter(phase next);

    phase phase_ = phase::taking_over;
    bool rebuild_under_way_ = false;
    std::optional<base::instant> lost_since_;
};
using partition_ptr = std::shared_ptr<partition>;

} // namespace semel::delivery
