#pragma once
// Markdown as notices use it: rendered by cmark for HTML, walked for plain text, and read for the headings that carry
// legal elements (`## What was leaked {#what_leaked}`). Slot marks pass through all of it. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

struct rendered {
    std::string text; // lines end in LF
    std::string html; // a fragment; raw HTML is left out
};
rendered render_markdown(std::string_view markdown);

/// A heading and what stands under it, down to the next heading of its level or above.
struct section {
    int line = 0; // of the heading, from 1
    int level = 1;
    std::string title;
    std::string anchor;      // empty without {#anchor}
    std::size_t begin = 0;   // of the heading's line
    std::size_t content = 0; // after it
    std::size_t end = 0;
};
std::vector<section> sections_of(std::string_view markdown);

/// What a notice must not contain.
struct forbidden {
    enum class kind : unsigned char { raw_html, image, slot_in_link };
    kind what;
    int line;
};
std::vector<forbidden> forbidden_in(std::string_view markdown);

/// Every link's target with its line.
struct link {
    std::string url;
    int line;
};
std::vector<link> links_in(std::string_view markdown);

} // namespace semel::notice
