#include "router.hpp"

#include "url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>

namespace semel::http {

namespace {

/// "/a/b" -> "a", "b"; "/" -> "".
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> segments;
    path.remove_prefix(1);
    for (;;) {
        const auto slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == path.npos) {
            return segments;
        }
        path.remove_prefix(slash + 1);
    }
}

bool is_parameter(std::string_view segment) {
    return segment.starts_with('{') && segment.ends_with('}');
}

bool harmless(std::string_view segment) {
    return segment != "." && segment != ".." && std::ranges::none_of(segment, [](char c) {
               return c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
           });
}

/// Equal but for the names of parameters.
bool same_shape(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::ranges::equal(a, b, [](const std::string& x, const std::string& y) {
        return x == y || (is_parameter(x) && is_parameter(y));
    });
}

} // namespace

std::size_t route_table::add(std::string_view method, std::string_view pattern) {
    if (!pattern.starts_with('/')) {
        throw std::invalid_argument{fmt::format("the route \"{}\" does not start with a slash", pattern)};
    }
    route added{.method = std::string{method}, .segments = {}};
    for (const auto segment : split(pattern)) {
        added.segments.emplace_back(segment);
    }
    for (const auto& r : routes_) {
        if (r.method == method && same_shape(r.segments, added.segments)) {
            throw std::invalid_argument{fmt::format("the route {} {} is there already", method, pattern)};
        }
    }
    routes_.push_back(std::move(added));
    return routes_.size() - 1;
}

std::vector<std::string> route_table::list() const {
    std::vector<std::string> all;
    for (const auto& r : routes_) {
        all.push_back(fmt::format("{} /{}", r.method, fmt::join(r.segments, "/")));
    }
    return all;
}

route_table::match route_table::find(std::string_view method, std::string_view path) const {
    if (!path.starts_with('/')) {
        return bad_path{};
    }
    std::vector<std::string> segments;
    for (const auto raw : split(path)) {
        auto decoded = percent_decode(raw);
        if (!decoded || !harmless(*decoded)) {
            return bad_path{};
        }
        segments.push_back(std::move(*decoded));
    }
    const auto fits = [&](const route& r) {
        return std::ranges::equal(r.segments, segments, [](const std::string& pattern, const std::string& given) {
            return is_parameter(pattern) ? !given.empty() : pattern == given;
        });
    };
    // Of two patterns that fit, the one with the earlier literal segment: /campaigns/new before /campaigns/{id}.
    const auto more_literal = [](const route& a, const route& b) {
        return std::ranges::lexicographical_compare(a.segments, b.segments, {}, is_parameter, is_parameter);
    };
    std::optional<std::size_t> best;
    std::set<std::string_view> others;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const auto& r = routes_[i];
        if (!fits(r)) {
            continue;
        }
        if (r.method != method) {
            others.insert(r.method);
        } else if (!best || more_literal(r, routes_[*best])) {
            best = i;
        }
    }
    if (!best) {
        if (others.empty()) {
            return no_such_path{};
        }
        return wrong_method{fmt::format("{}", fmt::join(others, ", "))};
    }
    found result{.route = *best, .values = {}};
    for (std::size_t i = 0; i < segments.size(); ++i) {
        if (const std::string_view pattern = routes_[*best].segments[i]; is_parameter(pattern)) {
            result.values.emplace(pattern.substr(1, pattern.size() - 2), std::move(segments[i]));
        }
    }
    return result;
}

} // namespace semel::http
