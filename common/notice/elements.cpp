// What each jurisdiction requires a notice to say, as a table: one row, one element, in force for what was learned of
// between two dates. An element is there when an email's heading carries its anchor and something stands below it.
#include "check.hpp"
#include "markdown.hpp"
#include "rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::notice {
namespace {

constexpr unsigned bit(kind k) {
    return 1U << static_cast<unsigned>(k);
}
constexpr unsigned full = bit(kind::breach) | bit(kind::follow_up);
constexpr unsigned facts_unknown = bit(kind::preliminary);
constexpr unsigned possibly = bit(kind::possibility);
constexpr unsigned any = full | facts_unknown | possibly | bit(kind::supplement) | bit(kind::not_leaked);

constexpr std::int64_t since_ever = 0;
constexpr std::int64_t kr_2026 = 1'789'052'400; // 2026-09-11T00:00:00+09:00: Act 21445, Decree 36671

struct element {
    std::string_view id;
    std::string_view jurisdiction;
    std::string_view anchor;
    unsigned kinds;
    severity how_bad;
    std::int64_t aware_from_s; // Unix time
    std::string_view what;
    bool by_words = false; // what the section must say: rules/*.yaml
};

constexpr std::array elements{
    element{"KR-1", "KR-PIPA", "what_leaked", full | possibly, severity::error, since_ever,
            "the items of personal data that leaked"},
    element{"KR-2", "KR-PIPA", "what_happened", full | possibly, severity::error, since_ever,
            "when and how it happened"},
    element{"KR-3", "KR-PIPA", "what_you_can_do", full | facts_unknown | possibly, severity::error, since_ever,
            "what people can do to keep the harm small"},
    element{"KR-4", "KR-PIPA", "what_we_do", full | facts_unknown | possibly, severity::error, since_ever,
            "what the organisation does about it"},
    element{"KR-4", "KR-PIPA", "remedies", full | facts_unknown, severity::error, since_ever,
            "how people obtain redress for damage"},
    element{"KR-5", "KR-PIPA", "contact", any, severity::error, since_ever,
            "the department that takes reports of damage, and how to reach it"},
    element{"KR-6", "KR-PIPA", "remedies", full | facts_unknown, severity::finding, kr_2026,
            "the rights to damages (Art. 39), statutory damages (Art. 39-2) and mediation (Art. 43)", true},
    element{"EU-1", "EU-GDPR", "what_happened", full | facts_unknown, severity::error, since_ever,
            "the nature of the breach in plain words"},
    element{"EU-2", "EU-GDPR", "contact", any, severity::error, since_ever, "the data protection contact"},
    element{"EU-3", "EU-GDPR", "consequences", full, severity::error, since_ever, "the likely consequences"},
    element{"EU-4", "EU-GDPR", "what_we_do", full | facts_unknown, severity::error, since_ever,
            "the measures taken and proposed"},
    element{"EU-5", "EU-GDPR", "what_you_can_do", full | facts_unknown, severity::warning, since_ever,
            "advice on what people can do themselves"},
    element{"UK-1", "UK-GDPR", "what_happened", full | facts_unknown, severity::error, since_ever,
            "the nature of the breach in plain words"},
    element{"UK-2", "UK-GDPR", "contact", any, severity::error, since_ever, "the data protection contact"},
    element{"UK-3", "UK-GDPR", "consequences", full, severity::error, since_ever, "the likely consequences"},
    element{"UK-4", "UK-GDPR", "what_we_do", full | facts_unknown, severity::error, since_ever,
            "the measures taken and proposed"},
};

constexpr std::array<std::string_view, 7> anchors{"what_happened", "what_leaked",  "what_you_can_do", "what_we_do",
                                                  "remedies",      "consequences", "contact"};

class email_checker {
  public:
    email_checker(const notice_source& source, const std::string& locale, const channel_text& text,
                  std::vector<problem>& problems)
        : source_(source)
        , locale_(locale)
        , out_(problems, text.file)
        , flat_(flatten(text.body, {}))
        , sections_(sections_of(flat_.text)) {}

    void run() {
        known_anchors();
        for (const auto& rule : elements) {
            const bool applies =
                std::ranges::find(source_.jurisdictions, rule.jurisdiction) != source_.jurisdictions.end() &&
                (rule.kinds & bit(source_.kind)) != 0 && aware() >= rule.aware_from_s;
            if (applies) {
                one(rule);
            }
        }
    }

  private:
    std::int64_t aware() const { return source_.aware_at ? base::to_us(*source_.aware_at) / 1'000'000 : kr_2026; }

    int source_line(const section& s) const { return flat_.line_at(s.begin); }

    void known_anchors() {
        std::set<std::string> seen;
        for (const auto& s : sections_) {
            if (s.anchor.empty()) {
                continue;
            }
            if (std::ranges::find(anchors, s.anchor) == anchors.end()) {
                out_.error(source_line(s), "unknown-anchor", fmt::format("{{#{}}} is not a legal element", s.anchor),
                           fmt::format("use one of {}", fmt::join(anchors, ", ")));
            } else if (!seen.insert(s.anchor).second) {
                out_.error(source_line(s), "double-anchor", fmt::format("{{#{}}} stands on two headings", s.anchor),
                           "leave it on the heading whose section fills the element");
            } else if (content_of(s).find_first_not_of(" \t\n") == std::string_view::npos) {
                out_.error(source_line(s), "empty-section", "the section under this heading says nothing",
                           "write it, or remove the heading");
            }
        }
    }

    std::string_view content_of(const section& s) const {
        return std::string_view{flat_.text}.substr(s.content, s.end - s.content);
    }

    void one(const element& rule) {
        const auto found = std::ranges::find(sections_, rule.anchor, &section::anchor);
        if (found == sections_.end()) {
            if (!rule.by_words) { // the element's own row says that the section is missing
                say(rule, 1,
                    fmt::format("{} requires {}, and no heading carries {{#{}}}", rule.jurisdiction, rule.what,
                                rule.anchor),
                    fmt::format("write that section and put {{#{}}} after its heading", rule.anchor));
            }
            return;
        }
        if (rule.by_words) {
            words(rule, *found);
        }
    }

    void words(const element& rule, const section& where) {
        const auto& wanted = built_in_rules().say.find(rule.id)->second;
        const auto language = std::string_view{locale_}.substr(0, locale_.find('-'));
        const auto known = wanted.groups.find(language);
        if (known == wanted.groups.end()) {
            return;
        }
        for (const auto* group : unsaid(lower_ascii(content_of(where)), known->second)) {
            say(rule, source_line(where),
                fmt::format("{} requires {}, and this section does not say \"{}\"", rule.jurisdiction, rule.what,
                            fmt::join(*group, "|")),
                wanted.mend_in(language));
        }
    }

    void say(const element& rule, int line, std::string reason, std::string mend) {
        out_.say(rule.how_bad, line, std::string{rule.id}, std::move(reason), std::move(mend));
    }

    const notice_source& source_;
    const std::string& locale_;
    complaints out_;
    flat_text flat_;
    std::vector<section> sections_;
};

} // namespace

void check_elements(const notice_source& source, std::vector<problem>& problems) {
    complaints yaml{problems, "notice.yaml"};
    for (const auto& name : source.jurisdictions) {
        if (std::ranges::find(elements, name, &element::jurisdiction) == elements.end()) {
            yaml.error(source.jurisdictions_line, "unknown-jurisdiction",
                       fmt::format("there is no rule pack for {}", name), "use KR-PIPA, EU-GDPR or UK-GDPR");
        }
    }
    if (source.jurisdictions.empty()) {
        yaml.warn(0, "no-jurisdiction", "no jurisdiction is named, so no legal element is checked",
                  "add jurisdictions: [KR-PIPA] or others");
    }
    bool full_text = false;
    for (const auto& [key, text] : source.texts) {
        if (key.second == base::channel::email) {
            full_text = true;
            email_checker{source, key.first, text, problems}.run();
        }
    }
    if (!full_text && !source.texts.empty() && !source.jurisdictions.empty()) {
        yaml.warn(0, "CH-FULL", "no channel carries the whole text: a push or an SMS cannot hold what the law requires",
                  "add email.LOCALE.md for each locale, or say where the full text stands");
    }
    if (source.channels.size() == 1) {
        yaml.warn(0, "EU-D3", "the notice has one channel only; people without it are not reached",
                  "add another channel");
    }
}

} // namespace semel::notice
