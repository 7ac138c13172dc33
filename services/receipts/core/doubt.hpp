#pragma once
// What the fields of one doubt mean together, and an event about it.

#include <base/time.hpp>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>

#include <cstdint>
#include <string_view>

namespace semel::receipts {

/// A resend is on its way or was sent, and its outcome will settle the doubt.
bool is_resent(const v1::Doubt& d);
bool is_undecided(const v1::Doubt& d);
std::uint32_t last_attempt(const v1::Doubt& d);
v1::Dispatch dispatch_of(const v1::Doubt& d);
/// Another copy than the latest may have arrived: the one in doubt, or, where that one was a resend itself, the one
/// before it.
bool has_open_copy(const v1::Doubt& d);
v1::Event event_of(v1::EventKind kind, const v1::Doubt& d, std::uint32_t attempt, base::timestamp now,
                   std::string_view discriminator = {});

} // namespace semel::receipts
