#pragma once
// Reports of gateways that match no message: other senders' on a shared account, or an id in a form that is not known.
// They mark nobody, and somebody should look at them.

#include <api/edge/api.hpp>

#include <pqxx/pqxx>

namespace semel::api {

void add_unmatched_routes(guarded_routes&, services&);

/// A line for each gateway whose reports found no message for a minute.
void warn_of_unmatched(pqxx::work&, json::array& warnings);

} // namespace semel::api
