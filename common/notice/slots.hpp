#pragma once
// What the compiler and fill() must agree on.

#include <cstddef>
#include <string>
#include <string_view>

namespace semel::notice {

/// The audience's `name` column, which is not an extra column.
inline constexpr std::string_view slot_name = "name";
/// Slots that fill() knows by itself. No notice and no audience can name them: a slot's name has no dot.
inline constexpr std::string_view slot_idem = "semel.idem";           // the notification in hex
inline constexpr std::string_view slot_test_mark = "semel.test_mark"; // "[TEST] " or nothing

inline constexpr std::size_t most_push_bytes = 4'096; // APNs' and FCM's limit

/// The inside of a JSON string.
void append_json_escaped(std::string& out, std::string_view value);

} // namespace semel::notice
