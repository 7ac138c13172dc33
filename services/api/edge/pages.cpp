#include "pages.hpp"

#include <api/edge/api.hpp>
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string_view>

namespace semel::api {
namespace {

constexpr std::int64_t largest_page = 1'000;
constexpr std::size_t longest_filter = 100; // no user and no campaign has a longer name

base::result<std::int64_t> number_or(const http::request& r, std::string_view name, std::int64_t otherwise,
                                     std::int64_t largest) {
    const auto text = r.query_value(name);
    if (text.empty()) {
        return otherwise;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > largest) {
        return base::failed(base::fault::kind::malformed,
                            fmt::format("{} must be a number from 1 to {}", name, largest));
    }
    return number;
}

} // namespace

base::result<page_request> page_of(const http::request& r) {
    const page_request usual;
    const auto before = number_or(r, "before", usual.before, std::numeric_limits<std::int64_t>::max());
    const auto limit = number_or(r, "limit", usual.limit, largest_page);
    if (!before || !limit) {
        return base::failed(before ? limit.error() : before.error());
    }
    return page_request{.before = *before, .limit = *limit};
}

base::result<std::string> filter_of(const http::request& r, std::string_view name) {
    auto text = std::string{r.query_value(name)};
    if (text.size() > longest_filter || !is_utf8(text)) {
        return base::failed(base::fault::kind::malformed,
                            fmt::format("{} must be text of at most {} characters", name, longest_filter));
    }
    return text;
}

base::result<std::string> whose(const http::request& r, const user& who) {
    auto one = filter_of(r, "user");
    if (!one) {
        return one;
    }
    if (!r.query.contains("everybody")) {
        return one->empty() ? who.name : *one;
    }
    if (r.query_value("everybody") != "yes" || !one->empty()) {
        return base::failed(base::fault::kind::malformed, "ask for one user, or for everybody=yes");
    }
    return std::string{};
}

json::value next_page(const page_request& page, std::size_t got, std::int64_t last_number) {
    return static_cast<std::int64_t>(got) < page.limit ? json::value(nullptr) : json::value(last_number);
}

} // namespace semel::api
