#pragma once
// Users and their tokens: what a name, a role, a scope and a life may be. Pure.

#include <base/fault.hpp>

#include <api/core/access.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api {

/// What a token is for: fewer roles than its user has, only reading, or both. Empty: all that the user may.
struct token_scope {
    std::vector<role> roles = {};
    bool read_only = false;
    friend bool operator==(const token_scope&, const token_scope&) = default;
};

inline constexpr std::chrono::days usual_life{90};
inline constexpr std::chrono::days longest_life{366};

/// A name that a person can have: a letter or digit first, then those, '.', '_', '-' and '@'; small letters only, so
/// that "Kim" and "kim" are not two people. Names of roles are kept for the users of tokens_dir.
base::result<void> check_user_name(std::string_view);

/// Each once, in the order of all_roles. Refuses what is not a role, and an empty list.
base::result<std::vector<role>> read_roles(const std::vector<std::string>& names);
/// ["read"], ["operator"], ["operator", "read"], []
base::result<token_scope> read_scope(const std::vector<std::string>& names);
std::vector<std::string> names_of(const std::vector<role>&);
std::vector<std::string> names_of(const token_scope&);

/// 90 days unless it is said.
base::result<std::chrono::days> read_life(std::optional<std::int64_t> days);

/// Who asks with a token of this scope. A role that the user has lost since is lost for the token too.
user within(const token_scope&, std::string name, const std::vector<role>& roles);

/// 256 bits as text, recognisable for those who search for secrets that leaked.
std::string token_text(std::string_view random_bytes);

} // namespace semel::api
