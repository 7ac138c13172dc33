#pragma once
// What a reply means for the message and for the lane. Pure.
//
// A 4yz or 5yz is a certain "not accepted" at every stage, the final dot included. Whose fault it is decides the rest:
// the recipient's (permanent), the moment's (transient, throttled), or ours and the relay's (lane_stop: 33 million
// people must not fail because a password expired). Only what is said before a recipient is named can be about us for
// certain; after that it may be either (ambiguous), and the engine compares what others are told.

#include <delivery/message.hpp>

#include <email/core/reply.hpp>

#include <string>
#include <string_view>

namespace semel::email {

/// Where in the session a reply came.
enum class stage : unsigned char { greeting, ehlo, starttls, auth, mail, rcpt, data, dot };

std::string_view to_string(stage s) noexcept;

/// `recipient` is scrubbed out of the text.
delivery::verdict classify(stage, const reply&, std::string_view recipient);

/// Replaces the recipient's address, its local part where it stands alone, and whatever else looks like an address by
/// "<address>"; non-printing bytes by '?'; cuts at 200 characters.
std::string scrubbed(std::string_view text, std::string_view recipient);

/// The queue id in the answer to the dot: Postfix "queued as X", Exim "id=X", Sendmail "X Message accepted".
std::string queue_id(const reply&);

} // namespace semel::email
