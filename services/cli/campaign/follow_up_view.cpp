#include "follow_up_view.hpp"

#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

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

} // namespace semel::cli::campaign
