#include "deadline.hpp"

#include "packs.hpp"

#include <algorithm>

namespace semel::notice {
namespace {

bool holds(const duty& d, const notice_source& source) {
    return std::ranges::find(d.kinds, source.kind) != d.kinds.end() && d.when.on(source.aware_at);
}

/// When the ground has ended people are told at once; one that ended within the hours moves nothing.
std::optional<legal_deadline> deadline_of(const pack& p, const duty& d, const notice_source& source) {
    legal_deadline out{
        .jurisdiction = p.name, .law = d.law, .within = d.within, .at = *source.aware_at + d.within, .delayed_by = {}};
    if (!source.delayed) {
        return out;
    }
    const auto ground = d.delays.find(source.delayed->ground);
    if (ground == d.delays.end()) {
        return out;
    }
    if (!source.delayed->until) {
        return std::nullopt;
    }
    if (*source.delayed->until > out.at) {
        out.at = *source.delayed->until;
        out.delayed_by = ground->second;
    }
    return out;
}

} // namespace

std::optional<legal_deadline> legal_deadline_of(const notice_source& source) {
    std::optional<legal_deadline> earliest;
    if (!source.aware_at) {
        return earliest;
    }
    for (const auto* p : packs_for(source)) {
        for (const auto& d : p->duties) {
            const auto found = holds(d, source) ? deadline_of(*p, d, source) : std::nullopt;
            if (found && (!earliest || found->at < earliest->at)) {
                earliest = found;
            }
        }
    }
    return earliest;
}

bool is_known_delay(const notice_source& source) {
    return !source.delayed || std::ranges::any_of(packs_for(source), [&](const pack* p) {
        return std::ranges::any_of(p->duties, [&](const duty& d) { return d.delays.contains(source.delayed->ground); });
    });
}

} // namespace semel::notice
