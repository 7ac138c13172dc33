#include "leader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace semel::plan {
namespace {

bool uses(const v1::Campaign& campaign, v1::Channel channel) {
    return std::ranges::find(campaign.channels(), static_cast<int>(channel)) != campaign.channels().end();
}

/// Registration only lowers rows and adds segments: what a row registered of itself must still be in there.
bool holds(entry registered, entry mine) {
    return registered.row != 0 && registered.row <= mine.row && (registered.segments & mine.segments) == mine.segments;
}

} // namespace

base::result<person> person_of(const crypto::campaign_key& key, const v1::Campaign& campaign,
                               const v1::Recipient& recipient) {
    using enum base::fault::kind;
    if (recipient.row() == 0 || recipient.row() > std::numeric_limits<std::uint32_t>::max()) {
        return base::failed(malformed, fmt::format("row {} is not between 1 and 4294967295", recipient.row()));
    }
    if (recipient.recipient_id().empty()) {
        return base::failed(malformed, fmt::format("row {} has no recipient id", recipient.row()));
    }
    const base::recipient_id id{recipient.recipient_id()};
    person p;
    p.mine = {static_cast<std::uint32_t>(recipient.row()), recipient.segments()};
    p.id = crypto::recipient_ref_of(key, id).value();
    for (int i = 0; i < recipient.addresses_size(); ++i) {
        const auto& address = recipient.addresses(i);
        const auto channel = wire::from_proto(address.channel());
        if (!channel || address.canonical().empty() || !uses(campaign, address.channel())) {
            continue;
        }
        const auto dedup = wire::dedup_key_of(key, campaign.dedup(), *channel, id, address.canonical());
        if (std::ranges::find(p.places, dedup, &place::key) == p.places.end()) {
            p.places.push_back({i, *channel, dedup});
        }
    }
    return p;
}

std::optional<decision> decide(const person& p, entry id, std::span<const standing> standings) {
    if (!holds(id, {p.mine.row, 0}) || standings.size() != p.places.size()) {
        return std::nullopt;
    }
    decision d;
    d.rejected = id.row < p.mine.row;
    for (std::size_t i = 0; i < standings.size(); ++i) {
        const auto& s = standings[i];
        if (!holds(s.here, p.mine)) {
            return std::nullopt;
        }
        const auto carrier = s.here.row == p.mine.row ? role::own : role::covered;
        if (!s.told_earlier) {
            d.verdicts.push_back({i, carrier, false, s.here.segments});
            continue;
        }
        d.verdicts.push_back({i, role::told, false, s.told_segments});
        if (const auto fresh = s.here.segments & ~s.told_segments; fresh != 0) {
            d.verdicts.push_back({i, carrier, true, fresh});
        }
    }
    return d;
}

} // namespace semel::plan
