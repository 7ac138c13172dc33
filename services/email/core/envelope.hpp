#pragma once
// What SMTP needs to know of one message beside its bytes, checked before anything is written. Pure.

#include <base/fault.hpp>

#include <string>
#include <string_view>

namespace semel::email {

/// One recipient a transaction, so one reply decides one notification.
struct envelope {
    std::string return_path; // empty: the null sender
    std::string recipient;   // local part as given, domain in its A-label form
    std::string envelope_id; // ENVID; at most 100 characters, letters and digits
    bool needs_utf8 = false; // a local part beyond ASCII: SMTPUTF8 or nothing
};

/// Checks an address for the wire: no control character or angle bracket can become a second command, the lengths of
/// RFC 5321 section 4.5.3.1 hold, the domain becomes its A-label. The fault never repeats the address.
base::result<envelope> make_envelope(std::string_view recipient, std::string_view return_path, std::string envelope_id);

/// RFC 3461 section 4.
std::string xtext(std::string_view text);

} // namespace semel::email
