#pragma once
// Whether a notice folder may be sent: its form (every file, slot and segment is there and fits) and its words (what
// the law of its jurisdictions requires, what misleads, what teaches people to fall for phishing). Pure.
// The facts behind the rules, with their sources, are in docs/decisions/0009-notice-rules.md.

#include <notice/packs.hpp>
#include <notice/source.hpp>

#include <string>
#include <vector>

namespace semel::notice {

struct checked {
    notice_source source;
    std::vector<problem> problems;    // by file and line
    std::vector<pack_answer> answers; // of the notice's jurisdictions

    /// No errors: compile() may run. Warnings are for people to judge.
    bool ok() const noexcept { return !has_errors(problems); }
};

checked check(const files&);

/// One check() is made of these; each looks at a source that parse() could read.
void check_names(const notice_source&, std::vector<problem>&);    // slots and segments
void check_texts(const notice_source&, std::vector<problem>&);    // raw HTML, images, sizes
void check_elements(const notice_source&, std::vector<problem>&); // the rule packs
void check_wording(const notice_source&, std::vector<problem>&);  // words, links, numbers
/// Whether the texts say the same as each other and as notice.yaml.
void check_consistency(const notice_source&, std::vector<problem>&);

} // namespace semel::notice
