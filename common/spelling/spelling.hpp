#pragma once
// How far a slip of the keyboard leads from one word to another. Pure; byte by byte.

#include <cstddef>
#include <optional>
#include <string_view>

namespace semel::spelling {

/// Letters left out, put in, replaced or swapped with their neighbour.
std::size_t slips(std::string_view a, std::string_view b);

/// slips(), when there are so few that the one word may be meant by the other: one in a short word, two in a longer
/// one. Words of one or two letters are near to nothing.
std::optional<std::size_t> nearness(std::string_view word, std::string_view meant);

} // namespace semel::spelling
