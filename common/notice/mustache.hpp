#pragma once
// The part of mustache that notices are written in: {{slot}}, {{#segment}}...{{/segment}}, {{^segment}}...{{/segment}}
// and {{! comment}}. A text stays in pieces, because an artifact leaves its slots open
// (docs/decisions/0003-mustache-subset.md).

#include <notice/problem.hpp>

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

struct node {
    enum class kind : unsigned char { text, slot, section, inverted };
    kind what = kind::text;
    std::string text; // the literal, or the name
    int line = 1;
    std::vector<node> children; // of a section
};
using nodes = std::vector<node>;

/// Problems are reported with lines counted from `first_line`; what could be read is returned all the same.
nodes parse_mustache(std::string_view text, complaints&, int first_line = 1);

/// A text for one set of segments. Slots stand in it as one private-use character each: slot_mark + index in `slots`.
struct flat_text {
    std::string text;
    std::vector<std::string> slots;
    std::vector<int> lines; // the source line of each line of `text`

    int line_at(std::size_t offset) const noexcept;
};
inline constexpr char32_t slot_mark = 0xe000;
inline constexpr std::size_t most_slots = 1'000; // different ones in one text

using segment_set = std::set<std::string, std::less<>>;

flat_text flatten(const nodes&, const segment_set&);
/// Only what stands inside the sections of these segments.
flat_text flatten_sections_only(const nodes&, const segment_set&);

/// Puts [begin, end) of another text behind this one, after an empty line.
void append(flat_text& to, const flat_text& from, std::size_t begin, std::size_t end);

/// Each slot and segment with the line of its first use.
struct used_name {
    std::string name;
    int line = 0;
    bool is_segment = false;
};
std::vector<used_name> names_in(const nodes&);

} // namespace semel::notice
