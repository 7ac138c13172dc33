#pragma once
// What the ledger's functions (services/ledger/schema.cpp) say about a campaign.

#include <base/time.hpp>

#include <api/core/canary.hpp>
#include <api/core/coverage.hpp>

#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace semel::api {

coverage read_coverage(pqxx::work&, const v1::Campaign&);

release_count read_released(pqxx::work&, const v1::Campaign&);

canary_standing read_canary(pqxx::work&, const v1::Campaign&);
std::vector<channel_outcomes> read_outcomes(pqxx::work&, const std::string& campaign);

/// `channels`: rows of ledger.channels, with planned, outstanding and rate_per_s at least. Nothing while people wait
/// behind a canary: when these are told is an operator's to say.
std::optional<base::timestamp> forecast_of(const v1::Campaign&, const pqxx::result& channels, const release_count&,
                                           base::timestamp now);

/// What is late at its present rate, and the rate that would do, in words; empty where nothing would help.
std::string what_would_help(const v1::Campaign&, const pqxx::result& channels, const release_count&,
                            base::timestamp now);

/// Every row of every wave is released, and nothing of what was released is outstanding.
bool is_settled(pqxx::work&, const v1::Campaign&);

} // namespace semel::api
