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
/// The code by which a notice is checked (correlation/verification_code): {{verification}} in a text, unless the notice
/// has a slot of its own with that name, as old ones may.
inline constexpr std::string_view slot_verification = "semel.verification";
inline constexpr std::string_view verification_word = "verification";
/// As long as every code, and none itself.
inline constexpr std::string_view verification_sample = "2345-6789-ABCD";

inline constexpr std::size_t most_push_bytes = 4'096; // APNs' and FCM's limit

/// The inside of a JSON string.
void append_json_escaped(std::string& out, std::string_view value);
/// Text in HTML, and inside quoted attributes.
void append_html_escaped(std::string& out, std::string_view value);

} // namespace semel::notice
