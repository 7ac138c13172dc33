#pragma once
// Events as plan, the dispatchers and receipts write them, for the tests.

#include <crypto/hash.hpp>
#include <semel/v1/events.pb.h>
#include <wire/identity.hpp>

#include <fmt/format.h>

#include <string>
#include <vector>

namespace semel::ledger::test {

/// Hashes by name: notification "a", person "p".
inline std::string notification(const std::string& name) {
    const auto digest = crypto::sha256("notification " + name);
    return std::string{base::as_view(digest)};
}
inline std::string person(const std::string& name) {
    const auto digest = crypto::sha256("person " + name);
    return std::string{base::as_view(digest).substr(0, 16)};
}

/// One campaign's events.
struct story {
    std::string campaign;
    std::int64_t clock = 1'764'000'000'000'000;

    v1::Event event(v1::EventKind kind) {
        v1::Event e;
        e.set_kind(kind);
        e.set_campaign_id(campaign);
        e.set_time_us(++clock);
        return e;
    }
    v1::Event sealed(std::uint32_t wave, std::uint64_t rows, std::uint64_t rejected = 0) {
        auto e = event(v1::EVENT_WAVE_SEALED);
        e.set_id(wire::event_id(e.kind(), campaign, wave));
        e.set_wave(wave);
        e.set_rows(rows);
        e.set_rejected(rejected);
        return e;
    }
    v1::Event dropped(std::uint32_t wave, std::uint64_t rows) {
        auto e = sealed(wave, rows);
        e.set_kind(v1::EVENT_WAVE_DROPPED);
        e.set_id(wire::event_id(e.kind(), campaign, wave));
        return e;
    }
    /// links: "own:a", "covered:a", "told:a"; "+own:a" for a supplement; by email.
    v1::Event recipient(const std::string& who, std::uint32_t wave, std::uint64_t row,
                        const std::vector<std::string>& links, v1::EventKind kind = v1::EVENT_RECIPIENT) {
        auto e = event(kind);
        e.set_id(wire::event_id(kind, person(who), 0, fmt::format("{}|{}|{}", campaign, wave, row)));
        e.set_wave(wave);
        e.set_row(row);
        e.set_recipient_ref(person(who));
        e.set_sealed("sealed " + who);
        for (auto text : links) {
            auto& link = *e.add_links();
            link.set_supplement(text.starts_with('+'));
            text.erase(0, link.supplement() ? 1 : 0);
            const auto role = text.substr(0, text.find(':'));
            link.set_role(role == "own"       ? v1::Link::OWN
                          : role == "covered" ? v1::Link::COVERED
                                              : v1::Link::TOLD_EARLIER);
            link.set_channel(v1::CHANNEL_EMAIL);
            link.set_notification(notification(text.substr(text.find(':') + 1)));
            if (role == "own") {
                link.set_artifact("artifact");
            }
        }
        return e;
    }
    v1::Event about(v1::EventKind kind, const std::string& name, std::uint32_t attempt = 1) {
        auto e = event(kind);
        e.set_id(wire::event_id(kind, notification(name), attempt));
        e.set_notification(notification(name));
        e.set_channel(v1::CHANNEL_EMAIL);
        e.set_attempt(attempt);
        e.set_gateway("relay-a");
        return e;
    }
    v1::Event failed_resend(const std::string& name, std::uint32_t attempt) {
        auto e = about(v1::EVENT_FAILED, name, attempt);
        e.set_resend(true);
        return e;
    }
    v1::Event receipt(const std::string& name, v1::ReceiptState what) {
        auto e = about(v1::EVENT_RECEIPT, name);
        e.set_id(wire::event_id(e.kind(), notification(name), 1, std::to_string(what)));
        e.set_receipt(what);
        return e;
    }
};

} // namespace semel::ledger::test
