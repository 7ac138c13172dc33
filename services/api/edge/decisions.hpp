#pragma once
// The record of what people decided about campaigns, found by person: an approver's own list. Written in the
// transaction of the decision; the campaign's events say the same to whoever audits the campaign.

#include <api/edge/api.hpp>

#include <cstdint>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

struct decision_made {
    std::string actor;
    std::string campaign;
    std::string what;          // a step, as access::name_of has it; "resend", "presume_sent"
    std::string text = {};     // in words, more than its name says
    std::int64_t messages = 0; // of doubts: how many it was about; else 0
};

/// The caller commits.
void note(pqxx::work&, const decision_made&);

void add_decision_routes(guarded_routes&, services&);

} // namespace semel::api
