#pragma once
// Fields of a submit_sm that need thought: the two addresses, the validity period, the user's reference. Pure.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <base/time.hpp>

#include <sms/core/pdu.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace semel::sms {

struct smpp_address {
    numbering plan;
    std::string digits; // or letters, for an alphanumeric sender
};

/// "+82 10-..." -> ton 1 (international), npi 1, digits only. `permanent` for anything that is not a number; the fault
/// does not repeat it.
base::result<smpp_address> destination(std::string_view phone);
/// A sender as the operator wrote it: "+8215771577" international, "15771577" as it is (ton 0, npi 1: the centre knows
/// its short codes and registered numbers), up to 11 letters alphanumeric (ton 5, npi 0). `broken` when it is none of
/// these.
base::result<smpp_address> source(std::string_view sender);

/// Absolute time, UTC: "YYMMDDhhmmss000+". Empty without a deadline: the centre's own default.
std::string validity_period(std::optional<base::timestamp> give_up);

} // namespace semel::sms
