#pragma once
// Who looks at whom: what is noted of it, and who must say why first. Pure.

#include <base/fault.hpp>

#include <api/core/access.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace semel::api {

/// What shows recipients.
enum class looked_at : unsigned char { story, unreached, repeated, rejects, in_doubt, resent };
/// As the ledger keeps it: "in_doubt".
std::string_view to_string(looked_at) noexcept;

/// Why somebody looks, in their own words.
struct purpose {
    std::string reason;
    std::string case_number;
    friend bool operator==(const purpose&, const purpose&) = default;
};

inline constexpr std::size_t longest_reason = 1'000; // bytes
inline constexpr std::size_t longest_case = 200;

/// Without white space at either end. Refuses what is too long, and control characters: it is shown in tables.
base::result<purpose> purpose_of(std::string_view reason, std::string_view case_number);

/// Looking people up is an auditor's work; whoever else does it says why.
bool must_say_why(const user&) noexcept;

} // namespace semel::api
