#pragma once
// Up to where records without a MAC are believed: those that a version without MACs left in Kafka. Noted once, before
// the first service that writes MACs runs. Never again: whoever can write to Kafka would only have to wait until the
// note is lost.

#include <base/fault.hpp>
#include <config/config.hpp>
#include <kafka/admin.hpp>

#include <span>

namespace semel::cli::stack {

/// Writes settings::unsigned_records, and `macs-began` beside the key files, which says for ever that it was done. With
/// that mark, or where a record in a compacted topic has a MAC of ours, a note that is missing stays missing, and
/// nothing unsigned is believed. `topics` are there, and no service runs. Reads Kafka, and so calls kafka::trust().
base::result<void> note_unsigned_records(const config::settings&, kafka::admin&,
                                         std::span<const kafka::topic_spec> topics);

} // namespace semel::cli::stack
