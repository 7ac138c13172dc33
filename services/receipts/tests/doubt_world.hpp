#pragma once
// One notification, what is said about it, and who listens.

#include <wire/identity.hpp>

#include <gtest/gtest.h>
#include <receipts/core/doubts.hpp>
#include <receipts/core/evidence.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace semel::receipts {

using namespace std::chrono_literals;

inline constexpr base::timestamp noon = base::from_us(1'790'000'000'000'000);
inline const std::string message(32, 'n');
inline const auto id = *base::from_bytes<base::notification_id>(message);

inline v1::Dispatch dispatch(std::uint32_t attempt = 1) {
    v1::Dispatch d;
    d.set_campaign_id("c-1");
    d.set_notification(message);
    d.set_channel(v1::CHANNEL_SMS);
    d.set_attempt(attempt);
    d.set_row(7);
    return d;
}

inline v1::Event event(v1::EventKind kind, std::uint32_t attempt = 1, base::timestamp at = noon) {
    v1::Event e;
    e.set_id(wire::event_id(kind, message, attempt));
    e.set_kind(kind);
    e.set_campaign_id("c-1");
    e.set_notification(message);
    e.set_attempt(attempt);
    e.set_time_us(base::to_us(at));
    if (kind != v1::EVENT_FAILED) {
        e.set_gateway("smsc-a");
    }
    if (kind == v1::EVENT_AWAITING || kind == v1::EVENT_IN_DOUBT) {
        e.set_dispatch(dispatch(attempt).SerializeAsString());
        e.set_parts(1);
    }
    return e;
}
inline v1::Event failed_by_gateway(std::uint32_t attempt) {
    auto e = event(v1::EVENT_FAILED, attempt);
    e.set_gateway("smsc-a");
    e.set_code("0x0000000B");
    return e;
}
inline v1::Event failed_resend(std::uint32_t attempt) {
    auto e = failed_by_gateway(attempt);
    e.set_resend(true);
    return e;
}
inline v1::Event receipt(v1::ReceiptState state) {
    auto e = event(v1::EVENT_RECEIPT, 0);
    e.set_receipt(state);
    e.set_gateway_message_id("m-1");
    e.set_channel(v1::CHANNEL_SMS);
    return e;
}
inline v1::Event receipt_of(std::string part) {
    auto e = receipt(v1::RECEIPT_DELIVERED);
    e.set_gateway_message_id(std::move(part));
    return e;
}
inline v1::Event resolved(std::string code, std::uint32_t attempt) {
    auto e = event(v1::EVENT_RESOLVED, attempt);
    e.set_code(std::move(code));
    e.set_actor("alice");
    return e;
}

/// A campaign, the open doubts of one partition, and what the index remembers.
struct world {
    policy says{.in_doubt = v1::DOUBT_RESEND, .after = 30min};
    doubts all;
    std::map<std::string, history> histories;
    base::timestamp now = noon;
    std::vector<v1::Event> told;
    std::vector<resend> resent;

    policy_source policies() {
        return [this](const std::string& campaign) { return campaign == "c-1" ? std::optional{says} : std::nullopt; };
    }
    void take(decision d) {
        std::ranges::move(d.events, std::back_inserter(told));
        std::ranges::move(d.resends, std::back_inserter(resent));
    }
    /// Returns what it made receipts say.
    std::vector<v1::Event> hear(const v1::Event& e) { return hear(e, base::from_us(e.time_us())); }
    std::vector<v1::Event> hear(const v1::Event& e, base::timestamp told) {
        auto& before = histories[e.notification()];
        if (is_remembered(e)) {
            remember(before, e.kind(), e.attempt());
        }
        auto d = all.observe(e, before, policies(), {.told = told, .now = now});
        auto said = d.events;
        take(std::move(d));
        return said;
    }
    std::vector<v1::Event> wait(base::duration time) {
        now += time;
        std::vector<v1::Event> said;
        for (auto& d : all.review(policies(), now, 1'000)) {
            std::ranges::copy(d.events, std::back_inserter(said));
            take(std::move(d));
        }
        return said;
    }
    bool open() const { return all.find(id) != nullptr; }
};

inline testing::AssertionResult says_only(const std::vector<v1::Event>& said, v1::EventKind kind) {
    if (said.size() == 1 && said[0].kind() == kind) {
        return testing::AssertionSuccess();
    }
    auto out = testing::AssertionFailure() << "said";
    for (const auto& e : said) {
        out << ' ' << v1::EventKind_Name(e.kind()) << '(' << e.attempt() << ", " << e.code() << ')';
    }
    return out;
}

} // namespace semel::receipts
