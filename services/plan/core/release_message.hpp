#pragma once
// From decisions to records: what a released row puts into dispatch.* and events. Pure; `now` is an argument, and
// everything but the event's time and the seals' nonces is a function of the audience and the campaign.

#include "leader.hpp"
#include "position.hpp"

#include <base/time.hpp>
#include <crypto/campaign_key.hpp>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace semel::plan {

/// How a row leaves plan.
enum class fate : unsigned char {
    dispatched, ///< to the dispatchers
    cancelled,
    expired, ///< both: its own messages fail at once, so that the coverage closes
};

/// What of a row is released at once.
struct portion {
    fate how = fate::dispatched;
    bool row = true;  ///< it is told of, with the links of all its messages; else that was done before
    channel_set on{}; ///< the messages of these channels; the others follow, each when its channel comes to the row
};

/// A record of `dispatch.CHANNEL`, keyed by its notification.
struct outgoing {
    base::channel channel{};
    base::notification_id notification;
    std::string dispatch;
};
struct released {
    std::vector<outgoing> messages;
    std::vector<v1::Event> events;
};

/// Builds the records of one wave's rows under one version of the campaign.
class release_messages {
  public:
    /// Both must outlive this object.
    release_messages(const v1::Campaign&, const crypto::campaign_key&, std::uint32_t wave);

    /// Appends to `out`. broken: the campaign has no artifact for one of the messages that are told of or released;
    /// then nothing was appended.
    base::result<void> append(released& out, const v1::Recipient&, const person&, const decision&, const portion&,
                              base::timestamp now) const;
    /// A record of `audience` that nobody can read: `where` is its place, `rows` how many rows it claims to hold.
    v1::Event dead_letter(std::string_view where, std::string_view reason, std::uint64_t rows,
                          base::timestamp now) const;

  private:
    using artifact_key = std::tuple<std::string, int, std::uint32_t, bool>;
    base::result<const std::string*> artifact_for(const v1::Recipient&, base::channel, const verdict&) const;
    v1::Event row_event(v1::EventKind, std::string_view subject, const v1::Recipient&, const person&,
                        base::timestamp now) const;
    v1::Dispatch dispatch_of(const v1::Recipient&, const person&, const verdict&, std::string_view notification,
                             const std::string& artifact) const;

    const v1::Campaign& campaign_;
    const crypto::campaign_key& key_;
    base::campaign_id id_;
    std::uint32_t wave_;
    std::map<artifact_key, std::string> artifacts_;
};

} // namespace semel::plan
