#pragma once
// What the ledger's functions (services/ledger/schema.cpp) say about a campaign.

#include <base/time.hpp>

#include <api/core/coverage.hpp>

#include <optional>

#include <pqxx/pqxx>

namespace semel::api {

coverage read_coverage(pqxx::work&, const v1::Campaign&);

release_count read_released(pqxx::work&, const v1::Campaign&);

/// `channels`: rows of ledger.channels, with planned, outstanding and rate_per_s at least.
std::optional<base::timestamp> forecast_of(const pqxx::result& channels, const release_count&, base::timestamp now);

/// Every row of every wave is released, and nothing of what was released is outstanding.
bool is_settled(pqxx::work&, const v1::Campaign&);

} // namespace semel::api
