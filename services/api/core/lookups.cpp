#include "lookups.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::api {
namespace {

base::result<std::string> cleaned(std::string_view text, std::string_view what, std::size_t longest) {
    constexpr std::string_view white = " \t";
    const auto from = std::min(text.find_first_not_of(white), text.size());
    text = text.substr(from, text.find_last_not_of(white) + 1 - from);
    if (text.size() > longest) {
        return base::failed(base::fault::kind::malformed, fmt::format("{} has more than {} bytes", what, longest));
    }
    if (std::ranges::any_of(text, [](unsigned char ch) { return ch < 0x20 || ch == 0x7f; })) {
        return base::failed(base::fault::kind::malformed, fmt::format("{} must be one line of text", what));
    }
    return std::string{text};
}

} // namespace

std::string_view to_string(looked_at what) noexcept {
    switch (what) {
    case looked_at::story:
        return "story";
    case looked_at::unreached:
        return "unreached";
    case looked_at::repeated:
        return "repeated";
    case looked_at::rejects:
        return "rejects";
    case looked_at::in_doubt:
        return "in_doubt";
    case looked_at::resent:
        return "resent";
    }
    return "story";
}

base::result<purpose> purpose_of(std::string_view reason, std::string_view case_number) {
    auto why = cleaned(reason, "the reason", longest_reason);
    if (!why) {
        return base::failed(why.error());
    }
    auto of = cleaned(case_number, "the case number", longest_case);
    if (!of) {
        return base::failed(of.error());
    }
    return purpose{.reason = std::move(*why), .case_number = std::move(*of)};
}

bool must_say_why(const user& who) noexcept {
    return !has(who, role::auditor);
}

} // namespace semel::api
