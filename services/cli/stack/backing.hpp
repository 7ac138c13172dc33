#pragma once
// Kafka, Redis and PostgreSQL as the guarantee needs them: checked before anything relies on them, then filled with the
// topics.

#include <base/fault.hpp>
#include <config/config.hpp>

namespace semel::cli::stack {

/// Refuses a Redis without AOF or with eviction.
base::result<void> check_redis(const config::settings&);
/// Leaves the proof that Redis has lost nothing, so that the next start believes the claims of a process that was
/// killed. Call it after all writers have ended and before Redis is stopped.
base::result<void> close_redis(const config::settings&);
/// The tables, and a role for each service that semel.yaml names one for. The DSN's own role owns them.
base::result<void> prepare_postgres(const config::settings&, const std::filesystem::path& passfile);
/// Creates all topics and writes every group's first offsets; what exists stays. Refuses a Kafka that would forget.
/// No service may run.
base::result<void> prepare_kafka(const config::settings&);

} // namespace semel::cli::stack
