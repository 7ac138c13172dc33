#pragma once
// The Lua scripts over a campaign's register. Each compares the head's marker first, in the same atomic step as what it
// does: STALE means that nothing was done and nothing was answered.
//
// Common to all: KEYS[1] is the head; buckets are named after it inside the script (they share its hash tag, hence its
// slot); ARGV[1] is the marker. Batches and answers: core/packing.hpp.

#include <redis/client.hpp>

namespace semel::plan {

/// ARGV: marker, key prefix, field bytes, batch of (bucket, field, row, segments). Keeps the smallest row and the
/// union.
const redis::script& register_entries();

/// ARGV: marker, key prefix, field bytes, batch of (bucket, field), then pairs (mark, end) that must be finished.
/// Answers one string of 8 bytes for each item; INCOMPLETE when a mark is missing.
const redis::script& look_up_entries();

/// ARGV: marker, mark, end.
const redis::script& mark_finished();

/// ARGV: marker to replace (empty: none), new marker, server. Answers the marker that stands afterwards: of several
/// processes that notice the same loss, one wins and the others go on with its head.
const redis::script& raise_head();

/// ARGV: marker, key prefix, first bucket, how many. Frees these buckets.
const redis::script& remove_buckets();

/// ARGV: marker.
const redis::script& remove_head();

} // namespace semel::plan
