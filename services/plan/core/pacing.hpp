#pragma once
// How far release runs ahead of sending. Pace, pause and cancel take hold in plan, and a campaign that comes last waits
// behind what is released already, so that must stay small: some seconds of sending. Pure; `now` is an argument.

#include <base/ids.hpp>
#include <base/instant.hpp>
#include <base/time.hpp>
#include <semel/v1/campaign.pb.h>

#include <array>
#include <chrono>
#include <optional>

namespace semel::plan {

/// What to do with the rows of a wave that are not released yet.
enum class stance : unsigned char {
    hold,   ///< nothing now: not launched, paused, before its start, or nobody knows what time it is
    send,   ///< release
    cancel, ///< account for them: what would be sent fails with semel:cancelled
    expire, ///< the deadline has passed: what would be sent fails with semel:expired
};
/// `now`: nothing while the time is not certain. What is released, or expires, is not taken back.
stance stance_of(const v1::Campaign&, const v1::Wave&, std::optional<base::timestamp> now);

/// The queue is what a campaign that comes last waits for; much less than two seconds would leave the dispatchers idle
/// between two readings. What was put back waits out its tier (10 s) without holding up the queue, and may be more:
/// else a domain that answers 4xx to everybody at first would slow all others. What waits for a gateway that fails for
/// long lies in the longer tiers (delivery/engine/lanes) and does not count: it holds up nobody else's.
struct pace {
    std::chrono::seconds ahead{2};          // of sending, may be queued
    double least = 5'000;                   // messages of a channel that may be queued, however slow it is
    double window = 20'000;                 // while no rate is known; and may be put back, however slow it is
    std::chrono::seconds ahead_put_back{8}; // of sending, may be put back
};

/// Records of one channel that its dispatchers have not committed, and how many have gone (only its growth counts).
struct reading {
    double queued = 0;
    double put_back = 0; // in the shortest retry tier
    double done = 0;
};

/// What waits at the dispatchers of one channel, and how fast they work it off. Fed with readings of the group's
/// offsets now and then; between two readings the own releases count as queued.
class lane {
  public:
    void read(const reading&, base::instant now);
    void released(double messages) noexcept { since_ += messages; }
    const reading& last() const noexcept { return last_; }
    /// Messages that this process may release now; not positive: none. Others release as well: `part` of the audience
    /// is this one's, and that much of the room, so that all of them together stay within it.
    double room(const pace&, double part) const noexcept;

  private:
    struct mark {
        double done;
        base::instant at;
    };
    void learn(double speed);

    reading last_;
    double since_ = 0;
    double per_second_ = 0; // while there was work
    bool had_work_ = false; // since speed_from_
    std::optional<mark> speed_from_;
};

/// Whether it is worth a word that a channel has no room for who waits for it: one that is worked off has some every
/// second or so.
class no_room {
  public:
    enum class word : unsigned char { none, stands, goes_on };
    static constexpr std::chrono::seconds worth_a_word{30};

    word look(bool full, base::instant now);

  private:
    std::optional<base::instant> since_;
    bool said_ = false;
};

/// A campaign's own rate (Campaign.rate_per_s): a bucket of `ahead` seconds, full at the start, overdrawn by at most
/// one batch. `share` is the part of the audience that this process releases.
class allowance {
  public:
    allowance(double per_second, const pace&, base::instant now);
    double left(base::instant now);
    void spend(double messages) noexcept { left_ -= messages; }
    double per_second() const noexcept { return per_second_; }

  private:
    double per_second_;
    double most_;
    double left_;
    base::instant at_;
};

} // namespace semel::plan
