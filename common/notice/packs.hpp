#pragma once
// What each law wants a notice to say, as data: the packs of common/notice/rules/, compiled in. Which of a pack's rows
// hold depends on the kind of notice and on the day of awareness: a duty follows the law of that day. Pure.

#include <notice/problem.hpp>
#include <notice/source.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

/// For what was learned of from `from` and before `until`; an open end holds for ever.
struct in_force {
    std::optional<base::timestamp> from, until;
    bool on(const std::optional<base::timestamp>& aware_at) const noexcept;
};

/// A section that the notice must have, or words that it must say.
struct element {
    std::string id, law;
    std::string anchor; // of the section; none: the whole email
    std::vector<kind> kinds;
    severity how_bad = severity::error;
    in_force when;
    std::string what;
    bool by_words = false;                                   // what must be said: word_rules::say of this id
    bool items = false;                                      // the section names all that leaked
    std::map<std::string, std::string, std::less<>> heading; // word for word, by language
};

/// People must be told within so many hours of the awareness.
struct duty {
    std::string law;
    std::chrono::hours within{};
    std::vector<kind> kinds;
    in_force when;
    std::map<std::string, std::string, std::less<>> delays; // ground -> in words
};

/// One of these sets of data must have leaked for the law to ask anything; a set has one of each group.
struct trigger {
    std::string law, otherwise;
    std::vector<std::vector<std::vector<std::string>>> any;
    bool met_by(const std::vector<std::string>& leaked) const;
};

struct exact_title {
    std::string id, law, language, text;
};

struct posting_rule {
    std::string id, law;
    std::chrono::days least{};
};

struct pack {
    std::string name; // as `jurisdictions` names it; none: holds everywhere
    std::string law;
    std::vector<element> elements;
    std::vector<duty> duties;
    std::optional<notice::trigger> trigger;
    std::optional<exact_title> title;
    std::optional<posting_rule> posting;
};

/// All packs. They are part of the program: one that does not read is a broken build and throws.
const std::vector<pack>& built_in_packs();
pack read_pack(const std::string& yaml);
/// Nothing for a jurisdiction without a pack.
const pack* pack_named(std::string_view);

/// What a pack says of a notice before any text is looked at. "Not triggered" is not "passed": nothing was asked.
enum class standing : unsigned char { applies, not_triggered, not_in_force, undecided };
std::string_view to_string(standing) noexcept;

struct pack_answer {
    std::string pack, law;
    notice::standing standing = standing::applies;
    std::string why; // a sentence without its full stop; none when it applies
};
/// In the order of the notice's jurisdictions; those without a pack are left out.
std::vector<pack_answer> answers_of(const notice_source&);
/// The packs whose texts must be checked: those that apply, those that cannot be decided, and those of no jurisdiction.
std::vector<const pack*> packs_for(const notice_source&);

} // namespace semel::notice
