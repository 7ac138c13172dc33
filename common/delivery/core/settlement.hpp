#pragma once
// What becomes of a message once the gateway has answered, or has not. Pure: the engine does what these say.

#include <base/time.hpp>
#include <delivery/message.hpp>
#include <semel/v1/delivery.pb.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace semel::delivery {

/// The tier that a wait belongs to: the longest whose wait is not longer, the first at least. Every record of a tier
/// waits exactly the tier's time, so that records come due in the order in which they stand in the partition.
std::size_t tier_for(std::chrono::milliseconds wait) noexcept;
/// Transient failure number `tries` (from 1): 10 s, 1 min, 10 min, then 1 h for ever.
std::size_t tier_after(std::uint32_t tries) noexcept;

struct settlement {
    enum class kind : unsigned char {
        accepted,
        failed,   ///< code says why: the gateway's own, semel:expired, semel:cancelled, ...
        deferred, ///< a record to retry.*, tier and attempt are set
        in_doubt,
    };
    kind what = kind::in_doubt;
    std::string code;
    std::string text;
    std::size_t tier = 0;
    bool sent = false;      ///< deferred: the gateway answered, so the attempt rises: its claim stays under the old one
    bool counts = false;    ///< deferred: it refused this message, so that tries rise
    bool ambiguous = false; ///< deferred: for the recipient or for us; next time it may be known which
    bool parked = false;    ///< deferred: until its campaign is no longer paused
    std::string waits_for = {}; ///< deferred: the one gateway that can carry it, which is at its limit
};

/// After the gateway's answer. A lane_stop never fails a recipient: the message waits for the operator. Nor does an
/// ambiguous one: whoever finds out that the recipient is to blame says `permanent`. While the time is not certain
/// nothing expires.
settlement judge(const verdict&, const v1::Dispatch&, std::optional<base::timestamp> now);

/// Before anything was sent: whether the campaign still wants it.
enum class standing : unsigned char {
    wanted,
    paused,
    cancelled,
    expired,
    unclear, ///< nobody knows what time it is: it is neither sent nor turned away, and stays where it is
};
standing standing_of(v1::CampaignPhase, const v1::Dispatch&, std::optional<base::timestamp> now);
settlement turned_away(standing, const v1::Dispatch&);
settlement postponed(std::chrono::milliseconds wait, std::string code);
/// The wait for a gateway, cut so that a try is left before the campaign gives up: the gateway may be back by then.
std::chrono::milliseconds in_time(std::chrono::milliseconds wait, const v1::Dispatch&,
                                  std::optional<base::timestamp> now) noexcept;

/// The retry record that a deferral writes.
v1::Dispatch again(const v1::Dispatch&, const settlement&, base::timestamp now);

/// Its partition of retry.*. Partitions are dealt out among the lanes, so that nothing stands behind messages that wait
/// for another, slower lane. Near the source's own, so that all of a lane's partitions are used.
std::int32_t retry_partition(std::int32_t of_source, std::size_t lane, std::size_t lanes,
                             std::int32_t partitions) noexcept;

/// How long a record must still wait, and no longer than records of its topic ever do: a wall clock that is set back
/// would hold a message for as long.
base::duration wait_left(std::string_view topic, const v1::Dispatch&, base::timestamp now);

} // namespace semel::delivery
