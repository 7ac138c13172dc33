#include "approval_view.hpp"

#include <cli/campaign/follow_up_view.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

std::string addresses_of(const json::object& wave) {
    std::string out;
    const auto* addresses = wave.if_contains("addresses");
    if (addresses == nullptr || !addresses->is_object()) {
        return out;
    }
    for (const auto& [channel, count] : addresses->get_object()) {
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ",
                           with_separators(number_of(addresses->get_object(), channel)), one_line(channel));
    }
    return out;
}

std::string waves_to_approve(const json::object& approval) {
    constexpr auto right = text_table::align::right;
    text_table table{{{"wave", right},
                      {"rows", right},
                      {"rejected", right},
                      {"people", right},
                      {"unreachable", right},
                      {"addresses"}}};
    each(approval, "waves", [&](const json::object& wave) {
        const auto number = [&](std::string_view key) { return with_separators(number_of(wave, key)); };
        table.add({number("wave"), number("rows"), number("rejected"), number("recipients"), number("unreachable"),
                   addresses_of(wave)});
    });
    return table.to_string();
}

std::string findings_text(const json::object& approval) {
    std::string out;
    each(approval, "findings", [&](const json::object& finding) {
        const auto accepted = text_of(finding, "accepted");
        out += fmt::format("{}:{}: {} {}: {}{}\n", one_line(text_of(finding, "file")), number_of(finding, "line"),
                           one_line(text_of(finding, "severity")), one_line(text_of(finding, "rule")),
                           one_line(text_of(finding, "reason")),
                           accepted.empty() ? "" : " (accepted: " + one_line(accepted) + ")");
    });
    return out;
}

std::string heading_of(const json::object& text) {
    std::string segments;
    if (const auto* list = text.if_contains("segments"); list != nullptr && list->is_array()) {
        for (const auto& segment : list->get_array()) {
            segments += segment.is_string() ? ", " + one_line(segment.get_string()) : "";
        }
    }
    const auto* supplement = text.if_contains("supplement");
    const bool adds = supplement != nullptr && supplement->is_bool() && supplement->get_bool();
    return fmt::format("--- {}, {}{}{} ({})\n", one_line(text_of(text, "channel")), one_line(text_of(text, "locale")),
                       segments, adds ? ", only what is new" : "", one_line(text_of(text, "sha256")).substr(0, 12));
}

} // namespace

std::string approval_line(const json::object& approval) {
    std::int64_t people = 0, rows = 0, waves = 0;
    each(approval, "waves", [&](const json::object& wave) {
        people += number_of(wave, "recipients");
        rows += number_of(wave, "rows");
        ++waves;
    });
    return fmt::format("{} people in {} rows of {} wave{}", with_separators(people), with_separators(rows), waves,
                       waves == 1 ? "" : "s");
}

std::string approval_text(const json::object& approval) {
    auto out = fmt::format("{}  {}  made by {}\n{}\n{}\n", one_line(text_of(approval, "id")),
                           one_line(text_of(approval, "name")), one_line(text_of(approval, "creator")),
                           follow_up_text(approval), waves_to_approve(approval));
    if (const auto findings = findings_text(approval); !findings.empty()) {
        out += findings + '\n';
    }
    each(approval, "texts",
         [&](const json::object& text) { out += heading_of(text) + printable(text_of(text, "summary")) + '\n'; });
    return out +
           fmt::format("to approve: {}\ndigest {}\n", approval_line(approval), one_line(text_of(approval, "digest")));
}

} // namespace semel::cli::campaign
