#include "evidence.hpp"

#include <base/codes.hpp>

#include <fmt/format.h>

namespace semel::api {
namespace {

std::string reason(const std::string& code, const std::string& text) {
    return text.empty() ? code : code.empty() ? text : fmt::format("{} ({})", text, code);
}

std::string answer_of(const doubt& d) {
    if (d.code.empty()) {
        return "answer to the last bytes: none";
    }
    // The gateway's own code is an answer; semel:... says why there is none.
    return d.code.starts_with(codes::prefix)
               ? "answer to the last bytes: none, " + reason(d.code, d.text)
               : fmt::format("answer to the last bytes: {}, which does not say whether it was accepted",
                             reason(d.code, d.text));
}

std::string receipt_of(const doubt& d) {
    constexpr auto by = "receipt by number and message reference: ";
    if (!d.search) {
        return fmt::format("{}not looked for now: `receipts` does not keep this doubt, or does not yet", by);
    }
    const auto& s = *d.search;
    if (!s.comparable) {
        return fmt::format("{}cannot be looked for, the number is not known to `receipts`", by);
    }
    if (s.fitting > 0 && s.candidates > 1) {
        return fmt::format("{}{} came, but {} open candidates fit it, so it settles none", by, s.fitting, s.candidates);
    }
    if (s.fitting > 0) {
        return fmt::format("{}{} came that fits this message alone; taken unless an answer claims it first", by,
                           s.fitting);
    }
    return s.others > 0 ? fmt::format("{}none yet; {} to this number about another message", by, s.others)
                        : fmt::format("{}none yet", by);
}

} // namespace

std::vector<std::string> evidence_of(const doubt& d) {
    std::vector<std::string> out{answer_of(d)};
    if (d.channel == "sms") {
        out.push_back(receipt_of(d));
    } else if (d.channel == "email") {
        out.emplace_back("bounces and delivery reports: not read in this version");
    } else if (d.channel == "push") {
        out.emplace_back("look-up and receipts: providers have none");
    }
    if (d.unknown_receipts > 0) {
        out.push_back(fmt::format("receipts that say \"unknown\": {}, which proves nothing", d.unknown_receipts));
    }
    if (d.resends > 0) {
        out.emplace_back("it was sent again before: at least once, not exactly once");
    }
    return out;
}

std::string decision_of(const doubt& d, const v1::Campaign& c) {
    const auto who = d.decided_by.empty() ? std::string{"the campaign's policy"} : d.decided_by;
    if (d.state == "presumed_sent") {
        return "presumed sent by " + who + ", without evidence";
    }
    if (d.state == "unresolved") {
        return "an approver decides: " + reason(d.decided_code, d.decided_text);
    }
    const auto after = std::chrono::seconds{c.in_doubt_after_s()};
    const auto when = base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(d.since + after));
    if (c.in_doubt() == v1::DOUBT_PRESUME_SENT) {
        return "presumed sent at " + when;
    }
    if (c.in_doubt() == v1::DOUBT_HOLD || c.phase() == v1::CAMPAIGN_CANCELLED) {
        return fmt::format("unresolved at {}: {}", when,
                           c.phase() == v1::CAMPAIGN_CANCELLED ? "the campaign is cancelled" : "the policy is hold");
    }
    const std::int64_t allowed = c.has_resends() ? c.resends() : 1;
    if (d.resends >= allowed) {
        return fmt::format("unresolved at {}: it was sent again {} times, as often as the campaign allows", when,
                           d.resends);
    }
    return fmt::format("sent again at {}{}", when,
                       d.channel == "push" ? ", with the same collapse id: the device shows one" : "");
}

} // namespace semel::api
