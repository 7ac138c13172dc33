#pragma once
// Which campaigns a report shows side by side.

#include <http/json.hpp>
#include <semel/v1/campaign.pb.h>

#include <pqxx/pqxx>

namespace semel::api {

/// The ids of the campaigns of its incident and of its family, itself among them, oldest first.
json::array together_ids(pqxx::work&, const v1::Campaign&);

} // namespace semel::api
