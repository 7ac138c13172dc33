#include "deadline.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace semel::notice {
namespace {

struct duty {
    std::string_view jurisdiction;
    std::chrono::hours within;
};

// KR-PIPA: Art. 34(1) and (2), Enforcement Decree Art. 39 and 39-2. The EU's and the UK's GDPR (Art. 34) want people
// told "without undue delay", in no number of hours: their 72 hours are the authority's.
constexpr std::array duties{duty{"KR-PIPA", std::chrono::hours{72}}};

/// What is confirmed later is to be told at once, and not within hours of a moment that is long past.
bool counts_in_hours(kind k) {
    return k != kind::supplement && k != kind::not_leaked;
}

} // namespace

std::optional<legal_deadline> legal_deadline_of(const notice_source& source) {
    std::optional<legal_deadline> earliest;
    if (!source.aware_at || !counts_in_hours(source.kind)) {
        return earliest;
    }
    for (const auto& duty : duties) {
        const auto at = *source.aware_at + duty.within;
        const bool applies = std::ranges::find(source.jurisdictions, duty.jurisdiction) != source.jurisdictions.end();
        if (applies && (!earliest || at < earliest->at)) {
            earliest = {.jurisdiction = std::string{duty.jurisdiction}, .within = duty.within, .at = at};
        }
    }
    return earliest;
}

} // namespace semel::notice
