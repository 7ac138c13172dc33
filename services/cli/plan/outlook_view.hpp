#pragma once
// An outlook as text and as JSON. Counts, columns and reasons only: nothing of a person. Pure.

#include <audience/import.hpp>
#include <http/json.hpp>

#include <cli/plan/outlook.hpp>

#include <map>
#include <string>
#include <vector>

namespace semel::cli::plan {

struct finding {
    std::string file;
    audience::totals totals;
    std::map<std::string, std::uint64_t> rejects; ///< by column, reason and effect
    std::vector<std::string> warnings;
    std::string deadline_basis; ///< where it comes from; empty: it was given
    question asked;
    outlook seen;
};

std::string outlook_text(const finding&);
json::object outlook_json(const finding&);

} // namespace semel::cli::plan
