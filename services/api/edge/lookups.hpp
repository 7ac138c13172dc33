#pragma once
// The record of who looked at whom. It is appended before the answer: what could not be noted is not shown.

#include <api/core/lookups.hpp>
#include <api/edge/api.hpp>

#include <cstdint>
#include <string>

#include <pqxx/pqxx>

namespace semel::api {

/// One look at recipients of a campaign.
struct lookup {
    std::string by;
    std::string from; // the address that asked
    looked_at what = looked_at::story;
    std::string campaign;
    std::string recipient_ref = {}; // of a story
    std::int64_t people = 0;        // how many the answer shows; 0 for a story that is not there
    purpose why = {};
};

/// Whoever asks, what for and where; what it shows comes later.
lookup look_of(const http::request&, const user&, looked_at, purpose);
/// The caller commits, and answers after that.
void note(pqxx::work&, const lookup&);

/// Of a request without a body: headers Semel-Reason and Semel-Case, percent-encoded UTF-8; both may be missing.
base::result<purpose> purpose_in(const http::request&);

void add_lookup_routes(guarded_routes&, services&);

} // namespace semel::api
