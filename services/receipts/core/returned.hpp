#pragma once
// What came back to a return path, as a gateway's report. Pure.

#include "bounce.hpp"
#include "lmtp.hpp"

#include <base/time.hpp>
#include <semel/v1/delivery.pb.h>

namespace semel::receipts {

/// Whose mail it was is known from the return path and nothing else: what the mail says of addresses is not believed,
/// and not kept. Automatic replies and what nobody understands prove nothing.
v1::GatewayReceipt report_of(const bounce&, const return_address&, base::timestamp now);

} // namespace semel::receipts
