#include "accounts.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace semel::api {
namespace {

using base::failed;
using base::fault;

constexpr std::string_view reads = "read";
constexpr std::size_t longest_name = 64;

bool is_small_or_digit(char ch) noexcept {
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

/// In the order of all_roles, each once.
std::vector<role> in_order(const std::vector<role>& given) {
    std::vector<role> out;
    std::ranges::copy_if(all_roles, std::back_inserter(out),
                         [&](role r) { return std::ranges::find(given, r) != given.end(); });
    return out;
}

} // namespace

base::result<void> check_user_name(std::string_view name) {
    const bool fits = !name.empty() && name.size() <= longest_name && is_small_or_digit(name.front()) &&
                      std::ranges::all_of(
                          name, [](char ch) { return is_small_or_digit(ch) || std::string_view{"._-@"}.contains(ch); });
    if (!fits) {
        return failed(
            fault::kind::malformed,
            fmt::format("a user's name has small letters, digits, '.', '_', '-' and '@', begins with a letter "
                        "or digit and has at most {} characters, such as kim or kim@example.com",
                        longest_name));
    }
    if (role_from(name)) {
        return failed(
            fault::kind::malformed,
            fmt::format("{} is a role: its name is kept for the user of tokens_dir; give the person's name", name));
    }
    return {};
}

base::result<std::vector<role>> read_roles(const std::vector<std::string>& names) {
    std::vector<role> given;
    for (const auto& name : names) {
        const auto known = role_from(name);
        if (!known) {
            return failed(
                fault::kind::malformed,
                fmt::format("a role is one of {}",
                            fmt::join(names_of(std::vector<role>(all_roles.begin(), all_roles.end())), ", ")));
        }
        given.push_back(*known);
    }
    if (given.empty()) {
        return failed(fault::kind::malformed,
                      "give at least one role; `semel users revoke` takes a user's rights away");
    }
    return in_order(given);
}

base::result<token_scope> read_scope(const std::vector<std::string>& names) {
    token_scope out;
    std::vector<std::string> roles;
    for (const auto& name : names) {
        if (name == reads) {
            out.read_only = true;
        } else {
            roles.push_back(name);
        }
    }
    if (!roles.empty()) {
        auto known = read_roles(roles);
        if (!known) {
            return failed(fault::kind::malformed, "a scope is `read`, or roles: " + known.error().why());
        }
        out.roles = std::move(*known);
    }
    return out;
}

std::vector<std::string> names_of(const std::vector<role>& roles) {
    std::vector<std::string> out;
    std::ranges::transform(roles, std::back_inserter(out), [](role r) { return std::string{to_string(r)}; });
    return out;
}

std::vector<std::string> names_of(const token_scope& scope) {
    auto out = names_of(scope.roles);
    if (scope.read_only) {
        out.emplace_back(reads);
    }
    return out;
}

base::result<std::chrono::days> read_life(std::optional<std::int64_t> days) {
    if (!days) {
        return usual_life;
    }
    if (*days < 1 || *days > longest_life.count()) {
        return failed(fault::kind::malformed,
                      fmt::format("a token lives from 1 to {} days; make another when it ends", longest_life.count()));
    }
    return std::chrono::days{*days};
}

user within(const token_scope& scope, std::string name, const std::vector<role>& roles) {
    user out{.name = std::move(name), .roles = roles, .read_only = scope.read_only};
    if (!scope.roles.empty()) {
        std::erase_if(out.roles, [&](role r) { return std::ranges::find(scope.roles, r) == scope.roles.end(); });
    }
    return out;
}

std::string token_text(std::string_view random_bytes) {
    return "semel_" + base::to_hex(random_bytes);
}

} // namespace semel::api
