#include "answer.hpp"

#include <base/codes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace semel::push {

using delivery::verdict;
using kind = verdict::kind;

verdict our_verdict(kind what, std::string_view code, std::string text) {
    verdict v;
    v.what = what;
    v.code = std::string{code};
    v.text = std::move(text);
    return v;
}

verdict judge(const http2::failure& f) {
    const bool certain = f.sure == http2::failure::certainty::not_processed;
    return our_verdict(certain ? kind::transient : kind::unknown, certain ? codes::not_processed : codes::lost, f.why);
}

verdict judge(const base::fault& f, std::string_view code) {
    switch (f.what()) {
    case base::fault::kind::broken:
        return our_verdict(kind::lane_stop, code, f.why());
    case base::fault::kind::permanent:
        return our_verdict(kind::permanent, code, f.why());
    default:
        return our_verdict(kind::transient, code, f.why());
    }
}

std::string plain_code(std::string_view text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    return text.size() <= 64 && std::ranges::all_of(text, plain) ? std::string{text} : std::string{};
}

std::optional<std::chrono::milliseconds> retry_after(const http2::response& r) {
    const auto text = r.header_value("retry-after");
    long seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || seconds < 0) {
        return std::nullopt;
    }
    return std::chrono::seconds{std::min(seconds, 3600L)};
}

} // namespace semel::push
