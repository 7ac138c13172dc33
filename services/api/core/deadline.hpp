#pragma once
// When a campaign gives up. Nothing runs for ever: one to which nobody gave a deadline gets the law's, and seven days
// where the law has none. A late notice must still go out, so a deadline that nobody chose leaves at least a day. Pure.

#include <base/time.hpp>
#include <notice/source.hpp>
#include <semel/v1/campaign.pb.h>

#include <optional>
#include <string>

namespace semel::api {

/// For a campaign without one: sets the deadline and says in words where it comes from. It counts from the campaign's
/// start, if that is later than now.
void set_default_deadline(v1::Campaign&, const notice::notice_source&, base::timestamp now);

/// At a launch: a deadline that nobody chose and of which less than a day is left counts anew. A chosen one stands.
void renew_default_deadline(v1::Campaign&, base::timestamp now);

/// What the law says about telling people now, where that is not kept or would not be: for the operator to judge.
std::optional<std::string> legal_warning(const notice::notice_source&, const v1::Campaign&, base::timestamp now);

} // namespace semel::api
