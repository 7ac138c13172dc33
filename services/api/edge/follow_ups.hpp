#pragma once
// What a follow-up says of itself: whose people it tells again, and as of when.

#include <http/json.hpp>
#include <semel/v1/campaign.pb.h>

#include <pqxx/pqxx>

namespace semel::api {

/// {"of", "root", "outcome", "segment", "channel"}, and once its audience is frozen what the freeze said: people, rows,
/// sha256, position. Null for a campaign that stands alone.
json::value follow_up_of(pqxx::work&, const v1::Campaign&);

} // namespace semel::api
