#pragma once
// What was looked for about a message in doubt, in words: an approver reads them before deciding. Pure. The facts come
// from the ledger (the message's events) and from receipts (which orphans may be about it).

#include <base/time.hpp>
#include <semel/v1/campaign.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace semel::api {

/// Delivery reports that name no message that is known.
struct receipt_search {
    bool comparable = false;     ///< the number of the message can be read
    std::int64_t fitting = 0;    ///< reports that may be about it
    std::int64_t candidates = 0; ///< the fewest messages in doubt that one of those can mean
    std::int64_t others = 0;     ///< reports to its number that name another message
};

struct doubt {
    std::string channel; ///< "email", "push", "sms"
    std::string state;   ///< "waiting", "unresolved", "presumed_sent"
    base::timestamp since{};
    std::string code, text;            ///< why it is in doubt
    std::int64_t resends = 0;          ///< how often it was sent again while in doubt
    std::int64_t unknown_receipts = 0; ///< reports about it that say that nothing is known
    std::string decided_code, decided_text, decided_by;
    std::optional<receipt_search> search; ///< nothing: receipts keeps no such doubt (yet, or any more)
};

std::vector<std::string> evidence_of(const doubt&);
/// What was decided about it, or will be, and when.
std::string decision_of(const doubt&, const v1::Campaign&);

} // namespace semel::api
