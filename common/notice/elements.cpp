// What the packs require an email to have: sections that carry an anchor and say something, word for word headings,
// words.
#include "check.hpp"
#include "markdown.hpp"
#include "packs.hpp"
#include "rules.hpp"
#include "text_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::notice {
namespace {

constexpr std::array<std::string_view, 7> anchors{"what_happened", "what_leaked",  "what_you_can_do", "what_we_do",
                                                  "remedies",      "consequences", "contact"};

std::string law_of(const pack& p, const std::string& law) {
    return p.name.empty() ? law : p.name + " " + law;
}

class email_checker {
  public:
    email_checker(const notice_source& source, const std::string& locale, const channel_text& text,
                  std::vector<problem>& problems)
        : source_(source)
        , language_(language_of(locale))
        , out_(problems, text.file)
        , flat_(flatten(text.body, {}))
        , whole_(lower_ascii(flatten(text.body, {source.segments.begin(), source.segments.end()}).text))
        , sections_(sections_of(flat_.text)) {}

    void run() {
        known_anchors();
        for (const auto* p : packs_for(source_)) {
            for (const auto& rule : p->elements) {
                if (std::ranges::find(rule.kinds, source_.kind) != rule.kinds.end() && rule.when.on(source_.aware_at)) {
                    one(*p, rule);
                }
            }
            title(*p);
        }
    }

  private:
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

    void one(const pack& p, const element& rule) {
        if (rule.anchor.empty()) {
            words(p, rule, whole_, 1);
            return;
        }
        const auto found = std::ranges::find(sections_, rule.anchor, &section::anchor);
        if (found == sections_.end()) {
            if (!rule.by_words) { // the element's own row says that the section is missing
                say(p, rule, 1,
                    fmt::format("{} requires {}, and no heading carries {{#{}}}", p.name, rule.what, rule.anchor),
                    fmt::format("write that section and put {{#{}}} after its heading", rule.anchor));
            }
            return;
        }
        const auto content = lower_ascii(content_of(*found));
        if (rule.by_words) {
            words(p, rule, content, source_line(*found));
        }
        if (rule.items) {
            items(p, rule, content, source_line(*found));
        }
        heading(p, rule, *found);
    }

    void words(const pack& p, const element& rule, std::string_view content, int line) {
        const auto& wanted = built_in_rules().say.at(rule.id);
        const auto missing = unsaid(content, wanted, std::string{language_});
        const auto& who = p.name.empty() ? p.law : p.name;
        if (wanted.at_least != 0 && !missing.empty()) {
            say(p, rule, line,
                fmt::format("{} wants {}, and this says less than {} things that people can do or look for", who,
                            rule.what, wanted.at_least),
                wanted.mend_in(language_));
            return;
        }
        for (const auto* group : missing) {
            say(p, rule, line,
                fmt::format("{} requires {}, and this does not say \"{}\"", who, rule.what, fmt::join(*group, "|")),
                wanted.mend_in(language_));
        }
    }

    // What the incident's own facts list and this section does not name. That it is empty is said once, elsewhere.
    void items(const pack& p, const element& rule, std::string_view content, int line) {
        if (content.find_first_not_of(" \t\n") == std::string_view::npos) {
            return;
        }
        const auto named = items_in(content, language_);
        for (const auto& item : source_.leaked) {
            const auto known = built_in_rules().items.find(item);
            if (known != built_in_rules().items.end() && known->second.contains(language_) && !named.contains(item)) {
                out_.say(std::min(rule.how_bad, severity::finding), line, rule.id, law_of(p, rule.law),
                         fmt::format("facts.leaked has {}, and this section does not name it", item),
                         "name every item that leaked");
            }
        }
    }

    void heading(const pack& p, const element& rule, const section& s) {
        const auto exact = rule.heading.find(language_);
        if (exact != rule.heading.end() && s.title != exact->second) {
            say(p, rule, source_line(s), fmt::format("{} prescribes another heading for {}", p.name, rule.what),
                fmt::format("write \"{}\", and keep {{#{}}} behind it", exact->second, rule.anchor));
        }
    }

    // The subject, or a first heading over everything.
    void title(const pack& p) {
        if (!p.title || p.title->language != language_) {
            return;
        }
        const bool on_top =
            std::ranges::any_of(sections_, [&](const section& s) { return s.level == 1 && s.title == p.title->text; });
        bool subject = false;
        for (const auto& [locale, title] : source_.title) {
            subject = subject || (language_of(locale) == language_ && flatten(title, {}).text == p.title->text);
        }
        if (!on_top && !subject) {
            out_.say(severity::error, 1, p.title->id, law_of(p, p.title->law),
                     fmt::format("{} prescribes the title \"{}\"", p.name, p.title->text),
                     "make it the title in notice.yaml, or the text's first heading (# ...)");
        }
    }

    void say(const pack& p, const element& rule, int line, std::string reason, std::string mend) {
        out_.say(rule.how_bad, line, rule.id, law_of(p, rule.law), std::move(reason), std::move(mend));
    }

    const notice_source& source_;
    std::string_view language_;
    complaints out_;
    flat_text flat_;
    std::string whole_; // with all segments, in lower case
    std::vector<section> sections_;
};

std::string pack_names() {
    std::string out;
    for (const auto& p : built_in_packs()) {
        if (!p.name.empty()) {
            out += (out.empty() ? "" : ", ") + p.name;
        }
    }
    return out;
}

void jurisdictions(const notice_source& source, complaints yaml) {
    for (const auto& name : source.jurisdictions) {
        if (pack_named(name) == nullptr) {
            yaml.error(source.jurisdictions_line, "unknown-jurisdiction",
                       fmt::format("there is no rule pack for {}", name), fmt::format("use {}", pack_names()));
        }
    }
    if (source.jurisdictions.empty()) {
        yaml.warn(0, "no-jurisdiction", "no jurisdiction is named, so no legal element is checked",
                  "add jurisdictions: [KR-PIPA] or others");
    }
    for (const auto& answer : answers_of(source)) {
        const auto* p = pack_named(answer.pack);
        const bool readable = !p->title || std::ranges::any_of(source.locales, [&](const std::string& locale) {
            return language_of(locale) == p->title->language;
        });
        if (answer.standing == standing::applies && !readable) {
            yaml.say(severity::error, source.jurisdictions_line, p->title->id, law_of(*p, p->title->law),
                     fmt::format("{} prescribes title and headings in a language that no text has", p->name),
                     fmt::format("add email.{}.md", p->title->language));
        }
        if (answer.standing == standing::undecided) {
            yaml.warn(source.facts_line, p->name, answer.why, "list in facts.leaked what leaked");
        }
    }
}

} // namespace

void check_elements(const notice_source& source, std::vector<problem>& problems) {
    complaints yaml{problems, "notice.yaml"};
    jurisdictions(source, yaml);
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
