#include "follow_up_view.hpp"

#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

constexpr auto right = text_table::align::right;
constexpr auto left = text_table::align::left;

std::string number(const json::object& from, std::string_view key) {
    return with_separators(number_of(from, key));
}

std::string count_of(std::int64_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", with_separators(n), n == 1 ? one : many);
}

} // namespace

std::string follow_up_text(const json::object& campaign) {
    const auto& f = object_of(campaign, "follow_up");
    if (f.empty()) {
        return {};
    }
    const auto channel = text_of(f, "channel");
    const auto segment = text_of(f, "segment");
    auto out = fmt::format("follows   {}: {}{}{}\n", one_line(text_of(f, "of")), one_line(text_of(f, "outcome")),
                           channel.empty() ? "" : " by " + one_line(channel),
                           segment.empty() ? "" : ", with " + one_line(segment));
    if (!f.contains("people")) {
        const auto reason = text_of(f, "reason");
        return out + fmt::format("frozen    {}\n", reason.empty() ? "not yet" : "nobody: " + one_line(reason));
    }
    std::string position;
    for (const auto& [partition, next] : object_of(f, "position")) {
        position += fmt::format(" {}:{}", std::string_view{partition},
                                number_of(object_of(f, "position"), std::string_view{partition}));
    }
    return out + fmt::format("frozen    {} in {}, sha256 {}\n          from its ledger at events{}\n",
                             count_of(number_of(f, "people"), "person", "people"),
                             count_of(number_of(f, "rows"), "row", "rows"), one_line(text_of(f, "sha256")),
                             one_line(position));
}

std::string incident_text(const json::object& incident) {
    if (incident.empty()) {
        return {};
    }
    text_table table{{{"campaign", left},
                      {"follows", left},
                      {"state", left},
                      {"rows", right},
                      {"reached", right},
                      {"failed", right},
                      {"unreachable", right},
                      {"in doubt", right},
                      {"outstanding", right}}};
    for (const auto& item : list_of(incident, "campaigns")) {
        const auto& c = as_object(item);
        const auto& lines = object_of(c, "coverage");
        const auto of = text_of(c, "follow_up_of");
        table.add({text_of(c, "id"), of.empty() ? "-" : fmt::format("{} ({})", of, text_of(c, "outcome")),
                   text_of(c, "state"), number(c, "rows"), number(lines, "reached"), number(lines, "failed"),
                   number(lines, "unreachable"), number(lines, "in_doubt"), number(lines, "outstanding")});
    }
    const auto name = text_of(incident, "incident");
    const auto& told = object_of(incident, "told");
    auto out = fmt::format("\n{}{}", name.empty() ? "" : "incident  " + one_line(name) + "\n", table.to_string());
    if (list_of(incident, "family").size() > 1) {
        out += fmt::format("told over the campaigns that follow one another: {} never so far, {} once, {} twice by "
                           "intent",
                           number(told, "never"), number(told, "once"), number(told, "twice"));
        out += number_of(told, "more") == 0 ? "\n" : fmt::format(", {} more often\n", number(told, "more"));
    }
    return out;
}

} // namespace semel::cli::campaign
