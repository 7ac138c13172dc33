#pragma once
// What the ledger's functions (services/ledger/schema.cpp) say about a campaign.

#include <api/core/coverage.hpp>

#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace semel::api {

coverage read_coverage(pqxx::work&, const v1::Campaign&);
std::vector<wave_count> read_waves(pqxx::work&, const std::string& campaign);

/// Every row of every wave is released, and nothing of what was released is outstanding.
bool is_settled(pqxx::work&, const v1::Campaign&);

} // namespace semel::api
