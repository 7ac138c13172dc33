#include "check.hpp"

#include "compile.hpp"
#include "content.hpp"
#include "markdown.hpp"
#include "slots.hpp"
#include "sms_text.hpp"
#include "utf8.hpp"
#include "verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace semel::notice {
namespace {

// What a real value may need beyond its default, for the worst-case estimate: a long name in a three-byte script.
constexpr std::string_view long_letter = "가";
constexpr int long_value_letters = 20;

/// Every text of the notice with its file and first line of each use.
template <class Visit>
void each_text(const notice_source& source, Visit visit) {
    for (const auto& [locale, title] : source.title) {
        visit(std::string{"notice.yaml"}, locale, title);
    }
    for (const auto& [key, text] : source.texts) {
        visit(text.file, key.first, text.title);
        visit(text.file, key.first, text.body);
    }
}

bool has_default(const slot_definition& slot, const std::string& locale) {
    return slot.defaults.contains(locale) || slot.defaults.contains("");
}

void check_email(const channel_text& text, complaints out) {
    // All sections open at once would hide nothing, but inverted ones: look at both extremes.
    segment_set every;
    for (const auto& name : names_in(text.body)) {
        if (name.is_segment) {
            every.insert(name.name);
        }
    }
    std::set<std::tuple<forbidden::kind, int>> seen;
    for (const auto& on : {segment_set{}, every}) {
        const auto flat = flatten(text.body, on);
        for (const auto& f : forbidden_in(flat.text)) {
            const auto line =
                flat.lines.empty() ? 1 : flat.lines[std::min(flat.lines.size(), static_cast<std::size_t>(f.line)) - 1];
            if (!seen.insert({f.what, line}).second) {
                continue;
            }
            switch (f.what) {
            case forbidden::kind::raw_html:
                out.error(line, "raw-html", "there is HTML in the Markdown, and it would not be sent",
                          "write Markdown; put < into `...` if it is meant as text");
                break;
            case forbidden::kind::image:
                out.error(line, "image", "there is an image; screen readers cannot read it and it can track people",
                          "say it in words");
                break;
            case forbidden::kind::slot_in_link:
                out.error(line, "slot-in-link",
                          "a slot stands inside a link, so that each person gets a link of their own",
                          "use one fixed address for everybody");
                break;
            }
        }
    }
}

v1::Delivery a_delivery(const notice_source& source, base::channel channel, std::string_view transport, bool worst) {
    v1::Delivery delivery;
    auto* address = delivery.mutable_address();
    address->set_given(channel == base::channel::email ? "somebody@example.com" : "0");
    address->set_transport(std::string{transport});
    if (worst) {
        std::string value;
        for (int i = 0; i < long_value_letters; ++i) {
            value += long_letter;
        }
        delivery.set_name(value);
        for (const auto& [name, slot] : source.slots) {
            (*delivery.mutable_slots())[name] = value;
        }
    }
    return delivery;
}

std::string segments_in_words(const notice_source& source, std::uint32_t segments) {
    std::string out;
    for (std::size_t i = 0; i < source.segments.size(); ++i) {
        if ((segments >> i & 1) != 0) {
            out += (out.empty() ? " with " : ", ") + source.segments[i];
        }
    }
    return out;
}

// Fill the fullest version with defaults (must fit) and with long values (should fit).
void check_size(const notice_source& source, const std::string& locale, base::channel channel, complaints out) {
    const auto all = static_cast<std::uint32_t>((1U << source.segments.size()) - 1);
    for (std::uint32_t version = 0; version <= 2 * all; ++version) {
        const bool supplement = version > all; // a text that is sent whole under a longer title
        const auto segments = supplement ? version - all : version;
        const auto artifact = compile_one(source, {}, locale, channel, segments, supplement);
        for (const std::string_view transport : {"apns", "fcm"}) {
            for (const bool worst : {false, true}) {
                const auto delivery = a_delivery(source, channel, transport, worst);
                const auto filled = fill(artifact, {.campaign = {},
                                                    .notification = {},
                                                    .planned_at = {},
                                                    .delivery = &delivery,
                                                    .test = false,
                                                    .give_up = std::nullopt,
                                                    .verification = std::string{verification_sample}});
                if (filled) {
                    continue;
                }
                const bool push = channel == base::channel::push;
                const auto reason =
                    fmt::format("{}{}: {}", worst ? "with values of 20 wide letters" : "with its default values",
                                segments_in_words(source, segments),
                                push ? "the push payload is over 4,096 bytes"
                                     : fmt::format("the SMS needs more than {} parts", source.sms_max_parts));
                const auto* mend =
                    push ? "shorten the body" : "shorten the text, or raise sms.max_parts in notice.yaml";
                if (worst) {
                    out.warn(1, "too-long-for-some", reason, mend);
                } else {
                    out.error(1, "too-long", reason, mend);
                }
                return;
            }
        }
    }
}

// One typographic quote doubles the price of a message that would fit GSM-7.
void warn_of_ucs2(const channel_text& text, complaints out) {
    for (const auto& n : text.body) {
        if (n.what != node::kind::text) {
            continue;
        }
        const auto outside = first_outside_gsm7(n.text);
        if (outside && *outside >= 0x2010 && *outside <= 0x2026) {
            std::string letter;
            append_utf8(letter, *outside);
            out.warn(
                n.line, "typographic",
                fmt::format("the character {} (U+{:04X}) has no place in GSM-7, so a part holds 67 letters and not 153",
                            letter, static_cast<unsigned>(*outside)),
                "write ' \" - or ... instead");
        }
    }
}

} // namespace

void check_names(const notice_source& source, std::vector<problem>& problems) {
    std::set<std::string> used;
    each_text(source, [&](const std::string& file, const std::string& locale, const nodes& text) {
        complaints out{problems, file};
        for (const auto& name : names_in(text)) {
            const auto line = file == "notice.yaml" ? source.title_line.at(locale) : name.line;
            const bool is_segment = source.segment_line.contains(name.name);
            const auto slot = source.slots.find(name.name);
            used.insert(name.name);
            if (name.is_segment && !is_segment) {
                out.error(line, "unknown-segment", fmt::format("{{{{#{}}}}} names no segment of the notice", name.name),
                          "add it to segments: in notice.yaml, or correct the name");
            } else if (!name.is_segment && is_segment) {
                out.error(line, "segment-as-slot", fmt::format("{{{{{}}}}} is a segment and has no value", name.name),
                          fmt::format("write {{{{#{0}}}}}...{{{{/{0}}}}} around what concerns it", name.name));
            } else if (!name.is_segment && slot == source.slots.end() && !stands_for_code(source, name.name)) {
                out.error(line, "unknown-slot", fmt::format("{{{{{}}}}} names no slot of the notice", name.name),
                          "add it to slots: in notice.yaml with a default for each locale, or correct the name");
            }
            if (!name.is_segment && std::ranges::find(source.leaked, name.name) != source.leaked.end() &&
                name.name != slot_name) {
                out.error(line, "AP-7",
                          fmt::format("{{{{{}}}}} would print a leaked value into the message", name.name),
                          "name the kind of data, never the value");
            }
        }
    });
    complaints yaml{problems, "notice.yaml"};
    for (const auto& [name, slot] : source.slots) {
        for (const auto& locale : source.locales) {
            if (!has_default(slot, locale)) {
                yaml.error(slot.line, "no-default",
                           fmt::format("the slot {} has no default in the locale {}", name, locale),
                           fmt::format("add default: {{{}: \"...\"}}; some rows will leave it empty", locale));
            }
        }
        if (!used.contains(name)) {
            yaml.warn(slot.line, "unused-slot", fmt::format("no text uses the slot {}", name), "remove it, or use it");
        }
    }
    for (const auto& [name, line] : source.segment_line) {
        if (!used.contains(name)) {
            yaml.warn(line, "unused-segment", fmt::format("no text says anything for the segment {}", name),
                      "write a section for it, or remove it");
        }
    }
    const auto has = [&](base::channel c) { return std::ranges::find(source.channels, c) != source.channels.end(); };
    if (has(base::channel::email) && source.sender.email.empty()) {
        yaml.error(1, "no-sender", "sender.email is missing, and there is an email text",
                   "add the address that sends it");
    }
    if (has(base::channel::sms) && source.sender.sms.empty()) {
        yaml.error(1, "no-sender", "sender.sms is missing, and there is an SMS text",
                   "add the registered sender number");
    }
}

void check_texts(const notice_source& source, std::vector<problem>& problems) {
    for (const auto& [key, text] : source.texts) {
        if (key.second == base::channel::email) {
            check_email(text, {problems, text.file});
        } else {
            check_size(source, key.first, key.second, {problems, text.file});
        }
        if (key.second == base::channel::sms) {
            warn_of_ucs2(text, {problems, text.file});
        }
    }
}

checked check(const files& folder) {
    auto parsed = parse(folder);
    checked out{.source = std::move(parsed.source), .problems = std::move(parsed.problems), .answers = {}};
    if (parsed.readable) {
        check_names(out.source, out.problems);
        // What broken texts would fill means nothing.
        if (out.ok()) {
            check_texts(out.source, out.problems);
        }
        check_elements(out.source, out.problems);
        check_wording(out.source, out.problems);
        check_consistency(out.source, out.problems);
        out.answers = answers_of(out.source);
    }
    std::ranges::sort(out.problems, {}, [](const problem& p) { return std::tie(p.file, p.line, p.id, p.reason); });
    return out;
}

} // namespace semel::notice
