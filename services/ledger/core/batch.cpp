#include "batch.hpp"

#include <base/codes.hpp>
#include <wire/identity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace semel::ledger {
namespace {

using base::failed;
using base::fault;

constexpr int most_kinds = 10'000;

std::unexpected<fault> malformed(std::string why) {
    return failed(fault::kind::malformed, std::move(why));
}

bool is_about_a_recipient(v1::EventKind kind) {
    return kind == v1::EVENT_RECIPIENT || kind == v1::EVENT_RECIPIENT_REPEATED;
}

/// What it says of an SMS depends on what is stored of the other parts.
bool moves_parts(const v1::Event& e) {
    return e.channel() == v1::CHANNEL_SMS && !e.test() &&
           (e.kind() == v1::EVENT_RECEIPT || (e.kind() == v1::EVENT_ACCEPTED && e.parts() > 1));
}

base::result<void> check(const v1::Event& e) {
    if (e.id().size() != 16) {
        return malformed(fmt::format("its id has {} bytes instead of 16", e.id().size()));
    }
    if (e.kind() <= 0 || e.kind() > most_kinds) { // one that a newer Semel added is kept
        return malformed(fmt::format("its kind {} does not exist", static_cast<int>(e.kind())));
    }
    if (!e.notification().empty() && e.notification().size() != 32) {
        return malformed("its notification has not 32 bytes");
    }
    if (is_about_a_recipient(e.kind())) {
        if (e.recipient_ref().size() != 16) {
            return malformed("its recipient_ref has not 16 bytes");
        }
        for (const auto& link : e.links()) {
            if (link.notification().size() != 32 || !wire::from_proto(link.channel())) {
                return malformed("a link of it names no notification of a channel");
            }
        }
    }
    if (state_of(e) && (e.notification().empty() || !wire::from_proto(e.channel()))) {
        return malformed("it names no notification of a channel");
    }
    return {};
}

void merge_into(message& m, const carrier& c) {
    // Plan lets one row carry a message; the smaller one is as good a rule as any should that ever break.
    if (!m.carrier || std::pair{c.wave, c.row} < std::pair{m.carrier->wave, m.carrier->row}) {
        m.carrier = c;
    }
}

} // namespace

bool is_campaign_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char ch) {
        return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '.';
    });
}

base::result<void> batch::take(v1::Event e) {
    if (!is_campaign_id(e.campaign_id())) {
        if (e.kind() != v1::EVENT_DEAD_LETTER) { // whose campaign may be what could not be read
            return malformed("it names no campaign");
        }
        e.clear_campaign_id();
    }
    if (auto ok = check(e); !ok) {
        return ok;
    }
    auto& part = campaigns_[e.campaign_id()];
    ++events_;
    bytes_ += e.ByteSizeLong() + sizeof(v1::Event);
    if (is_about_a_recipient(e.kind())) {
        const auto person = *base::from_bytes<base::recipient_ref>(e.recipient_ref());
        const bool stands = e.kind() == v1::EVENT_RECIPIENT;
        for (const auto& link : e.links()) {
            const auto id = *base::from_bytes<base::notification_id>(link.notification());
            const bool own = link.role() == v1::Link::OWN;
            if (!own && !stands) {
                continue; // its person counts by the row that stands
            }
            auto& m = part.messages[id];
            m.channel = *wire::from_proto(link.channel());
            if (own) {
                merge_into(m, {.person = person, .wave = e.wave(), .row = e.row(), .stands = stands});
            } else {
                part.shares.emplace(id, person);
            }
            bytes_ += sizeof(message) + 64;
        }
        part.recipients.push_back(std::move(e));
        return {};
    }
    if (const auto state = state_of(e)) {
        auto& m = part.messages[*base::from_bytes<base::notification_id>(e.notification())];
        m.channel = *wire::from_proto(e.channel());
        m.state = merge(m.state, *state);
        m.parts_moved = m.parts_moved || moves_parts(e);
        bytes_ += sizeof(message) + 64;
    }
    e.clear_dispatch(); // the receipts service's own, with sealed personal data in it
    part.events.push_back(std::move(e));
    return {};
}

void batch::take_dead_letter(const std::string& campaign, std::string_view where, std::string_view why,
                             base::timestamp at) {
    v1::Event e;
    e.set_kind(v1::EVENT_DEAD_LETTER);
    e.set_id(wire::event_id(v1::EVENT_DEAD_LETTER, where, 0));
    e.set_campaign_id(is_campaign_id(campaign) ? campaign : std::string{});
    e.set_time_us(base::to_us(at));
    e.set_code(codes::dead_letter);
    e.set_text(fmt::format("{}: {}", where, why));
    std::ignore = take(std::move(e));
}

} // namespace semel::ledger
