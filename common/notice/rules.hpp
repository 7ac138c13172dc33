#pragma once
// Which words a notice is held against: data, one file a pack in common/notice/rules/, compiled in. Pure.

#include <notice/problem.hpp>
#include <notice/source.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// Words that should not stand in a text of these kinds.
struct words_to_avoid {
    std::string id, language; // no language: all
    severity how_bad = severity::warning;
    std::vector<kind> kinds; // none: all
    std::vector<std::string> any;
    std::string reason, mend;
    std::string law;
    bool unless_denied = false; // a sentence that says "never" or "do not" may have them
};

/// A word that should not stand alone where another is meant.
struct word_instead {
    std::string id, language;
    std::vector<std::string> any, beside, except;
    std::string reason, mend;
    std::string law;
};

/// What must be said: a pattern of each group, by language.
struct words_to_say {
    std::map<std::string, std::vector<std::vector<std::string>>, std::less<>> groups;
    std::map<std::string, std::string, std::less<>> mend; // by language, "other" for the rest
    std::size_t at_least = 0;                             // of so many groups; 0: of each
    std::string law;

    const std::string& mend_in(std::string_view language) const;
};

using words_by_language = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Whose numbers these are.
struct agency {
    std::vector<std::string> numbers;
    words_by_language names;
};

struct word_rules {
    std::vector<words_to_avoid> avoid;
    std::vector<word_instead> instead;
    std::map<std::string, words_to_say, std::less<>> say;        // by rule id
    std::map<std::string, words_by_language, std::less<>> items; // by the name in facts.leaked
    words_by_language negations, leaks;
    std::vector<agency> agencies;
};

/// All packs. They are part of the program: one that does not read is a broken build and throws.
const word_rules& built_in_rules();
/// Of one file; throws std::runtime_error with what is wrong.
void add_rules(word_rules&, const std::string& yaml);

/// Where a pattern stands: plain text, or "A * B" for A and then B in the same sentence. Text and pattern in lower
/// case.
std::size_t find_pattern(std::string_view text, std::string_view pattern) noexcept;

/// The groups of which the text has no pattern. The text in lower case.
std::vector<const std::vector<std::string>*> unsaid(std::string_view text,
                                                    const std::vector<std::vector<std::string>>& groups);
/// What is still to be said for the rule: nothing when enough groups are there.
std::vector<const std::vector<std::string>*> unsaid(std::string_view text, const words_to_say&,
                                                    const std::string& language);
std::string lower_ascii(std::string_view text);

/// The files as they are, for built_in_rules().
const std::vector<std::string_view>& rule_files();

} // namespace semel::notice
