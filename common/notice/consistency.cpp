// Whether the texts of a notice say the same: over channels and languages, and against what notice.yaml registers. All
// of it is read by machine, so it is a finding: a person judges.
#include "check.hpp"
#include "deadline.hpp"
#include "markdown.hpp"
#include "packs.hpp"
#include "rules.hpp"
#include "text_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::notice {
namespace {

constexpr std::array<std::string_view, 4> languages_with_dates{"ko", "en", "ja", "zh"};

/// One text as it can be compared.
struct said {
    const channel_text* source = nullptr;
    std::string locale;
    std::string_view language;
    base::channel channel{};
    flat_text flat;
    std::string low;
    std::vector<written_date> dates;
    std::set<std::string> phones; // the last digits: +82 and 0 are the same
};

std::string last_digits(std::string_view phone) {
    constexpr std::size_t enough = 8;
    const auto digits = digits_of(phone);
    return digits.size() > enough ? digits.substr(digits.size() - enough) : digits;
}

std::string_view section_of(const said& text, std::string_view anchor, std::vector<section>& sections) {
    sections = sections_of(text.flat.text);
    const auto found = std::ranges::find(sections, anchor, &section::anchor);
    return found == sections.end() ? std::string_view{}
                                   : std::string_view{text.low}.substr(found->content, found->end - found->content);
}

class comparison {
  public:
    comparison(const notice_source& source, std::vector<problem>& problems)
        : source_(source)
        , problems_(problems) {
        const segment_set every{source.segments.begin(), source.segments.end()};
        for (const auto& [key, text] : source.texts) {
            said one{.source = &text,
                     .locale = key.first,
                     .language = language_of(key.first),
                     .channel = key.second,
                     .flat = flatten(text.body, every),
                     .low = {},
                     .dates = {},
                     .phones = {}};
            one.low = lower_ascii(one.flat.text);
            one.dates = dates_in(one.low);
            for (const auto& n : phones_in(one.low)) {
                one.phones.insert(last_digits(n.text));
            }
            texts_.push_back(std::move(one));
        }
    }

    void run() {
        facts();
        for (const auto& text : texts_) {
            denied_items(text);
            names(text);
            agencies(text);
            for (const auto& other : texts_) {
                const bool other_language = other.channel == text.channel && other.locale != text.locale;
                const bool shorter = other.locale == text.locale && other.channel == base::channel::email &&
                                     text.channel != base::channel::email;
                if (other_language || shorter) {
                    compare(text, other);
                }
            }
        }
    }

  private:
    complaints out(const said& text) { return {problems_, text.source->file}; }

    void facts() {
        complaints yaml{problems_, "notice.yaml"};
        for (const auto* list : {&source_.leaked, &source_.not_leaked}) {
            for (const auto& item : *list) {
                if (!built_in_rules().items.contains(item)) {
                    yaml.warn(source_.facts_line, "AP-4",
                              fmt::format(
                                  "facts name {}, for which Semel knows no words, so no text is held against it", item),
                              "use a name that notices/README.md lists, or have somebody compare the texts");
                }
            }
        }
        for (const auto& item : source_.leaked) {
            if (std::ranges::find(source_.not_leaked, item) != source_.not_leaked.end()) {
                yaml.error(source_.facts_line, "AP-4",
                           fmt::format("facts say that {} leaked and that it did not", item), "keep one");
            }
        }
        if (!is_known_delay(source_)) {
            yaml.error(source_.delayed->line, "unknown-delay",
                       fmt::format("no law of the notice knows the ground {}", source_.delayed->ground),
                       "KR-PIPA knows containment and force-majeure, US-CA law-enforcement and scope");
        }
        for (const auto* p : packs_for(source_)) {
            if (p->posting && source_.posted && source_.posted->until - source_.posted->from < p->posting->least) {
                yaml.say(severity::finding, source_.posted->line, p->posting->id, p->name + " " + p->posting->law,
                         fmt::format("the notice stands on the site for less than {} days", p->posting->least.count()),
                         fmt::format("leave it there, easy to find, for at least {} days", p->posting->least.count()));
            }
        }
    }

    // A sentence that says of an item of facts.not_leaked that it leaked: in the list of what leaked, and anywhere in a
    // short text.
    void denied_items(const said& text) {
        std::vector<section> sections;
        const bool whole = text.channel != base::channel::email;
        const auto content = whole ? std::string_view{text.low} : section_of(text, "what_leaked", sections);
        const auto& rules = built_in_rules();
        for (const auto& s : sentences_in(content)) {
            const bool leaked = !whole || says_any(s.text, rules.leaks, text.language);
            if (!leaked || says_any(s.text, rules.negations, text.language)) {
                continue;
            }
            for (const auto& item : items_in(s.text, text.language)) {
                if (std::ranges::find(source_.not_leaked, item) != source_.not_leaked.end()) {
                    const auto at = static_cast<std::size_t>(content.data() - text.low.data()) + s.at;
                    out(text).say(severity::finding, text.flat.line_at(at), "AP-4", consistency,
                                  fmt::format("this says that {} leaked, and facts.not_leaked has it", item),
                                  "correct the text or the facts");
                }
            }
        }
    }

    void names(const said& text) {
        const auto& organisation = source_.sender.organisation.in(text.locale);
        if (text.channel != base::channel::push && !organisation.empty() && !text.flat.text.contains(organisation)) {
            out(text).say(severity::finding, 1, "AP-2", consistency,
                          "the text does not name the organisation as notice.yaml registers it",
                          fmt::format("write {} in it", organisation));
        }
        std::vector<section> sections;
        const auto& department = source_.contact.department.in(text.locale);
        const auto contact = section_of(text, "contact", sections);
        if (!contact.empty() && !department.empty() && !contact.contains(lower_ascii(department))) {
            const auto at = static_cast<std::size_t>(contact.data() - text.low.data());
            out(text).say(severity::warning, text.flat.line_at(at), "AP-2", consistency,
                          "the section does not name the department as notice.yaml registers it",
                          fmt::format("write {} in it", department));
        }
    }

    void agencies(const said& text) {
        for (const auto& s : sentences_in(text.low)) {
            for (const auto& n : phones_in(s.text)) {
                bool named = false, owner = false, known = false;
                for (const auto& agency : built_in_rules().agencies) {
                    const bool its = std::ranges::any_of(
                        agency.numbers, [&](const std::string& one) { return digits_of(one) == digits_of(n.text); });
                    const bool here = says_any(s.text, agency.names, text.language);
                    named = named || here;
                    known = known || its;
                    owner = owner || (its && here);
                }
                if (known && named && !owner) {
                    out(text).say(severity::finding, text.flat.line_at(s.at + n.at), "AP-2", consistency,
                                  "the sentence gives one authority the number of another", "check whose number it is");
                }
            }
        }
    }

    // What this text says and the other, which ought to, does not.
    void compare(const said& text, const said& other) {
        const auto readable = [](const said& one) {
            return std::ranges::find(languages_with_dates, one.language) != languages_with_dates.end();
        };
        std::set<std::string> missing;
        for (const auto& date : text.dates) {
            if (readable(other) &&
                std::ranges::none_of(other.dates, [&](const auto& d) { return same_day(d, date); })) {
                missing.insert("the date " + to_text(date));
            }
        }
        for (const auto& phone : text.phones) {
            if (!other.phones.contains(phone)) {
                missing.insert("a telephone number that ends in " + phone);
            }
        }
        for (const auto& what : missing) {
            out(text).say(severity::finding, 1, "AP-4", consistency,
                          fmt::format("this says {}, and {} does not", what, other.source->file),
                          "make both say the same");
        }
    }

    static constexpr const char* consistency = "the same facts on every channel and in every language";
    const notice_source& source_;
    std::vector<problem>& problems_;
    std::vector<said> texts_;
};

} // namespace

void check_consistency(const notice_source& source, std::vector<problem>& problems) {
    comparison{source, problems}.run();
}

} // namespace semel::notice
