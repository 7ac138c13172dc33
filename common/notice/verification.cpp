#include "verification.hpp"

#include "markdown.hpp"
#include "slots.hpp"
#include "utf8.hpp"

#include <algorithm>

namespace semel::notice {
namespace {

bool names_code(const notice_source& source, const nodes& text) {
    return std::ranges::any_of(names_in(text),
                               [&](const used_name& n) { return !n.is_segment && stands_for_code(source, n.name); });
}

std::string trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\n");
    return from == text.npos ? std::string{}
                             : std::string{text.substr(from, text.find_last_not_of(" \t\n") - from + 1)};
}

class publisher {
  public:
    publisher(const notice_source& source, base::channel channel, std::string_view code)
        : source_(source)
        , channel_(channel)
        , code_(code) {}

    /// A title, which is never Markdown.
    std::string line(const nodes& text) const {
        const auto flat = flatten(text, {});
        return trimmed(closed(flat.text, flat.slots));
    }
    /// As the channel's readers see it.
    std::string body(const flat_text& flat) const {
        const auto shown = channel_ == base::channel::email ? render_markdown(flat.text).text : flat.text;
        return trimmed(closed(shown, flat.slots));
    }

  private:
    /// Without open slots.
    std::string closed(std::string_view text, const std::vector<std::string>& slots) const {
        std::string out;
        while (!text.empty()) {
            auto after = text;
            const auto c = take_code_point(after);
            if (c < slot_mark || c - slot_mark >= slots.size()) {
                out += text.substr(0, text.size() - after.size());
            } else {
                out += stands_for_code(source_, slots[c - slot_mark]) ? code_ : blank;
            }
            text = after;
        }
        return out;
    }

    const notice_source& source_;
    base::channel channel_;
    std::string_view code_;
};

} // namespace

bool stands_for_code(const notice_source& source, std::string_view name) {
    return name == verification_word && !source.slots.contains(std::string{name});
}

bool shows_code(const notice_source& source, const std::string& locale, base::channel channel) {
    const auto text = source.texts.find({locale, channel});
    if (text == source.texts.end()) {
        return false;
    }
    const auto title = source.title.find(locale);
    const bool in_subject =
        channel == base::channel::email && title != source.title.end() && names_code(source, title->second);
    return in_subject || names_code(source, text->second.title) || names_code(source, text->second.body);
}

public_text public_text_of(const notice_source& source, const std::string& locale, base::channel channel,
                           std::string_view code) {
    const publisher out{source, channel, code};
    const auto& text = source.texts.at({locale, channel});
    public_text shown;
    shown.name = out.line(source.title.at(locale));
    shown.heading = channel == base::channel::email  ? shown.name
                    : channel == base::channel::push ? out.line(text.title)
                                                     : std::string{};
    shown.body = out.body(flatten(text.body, {}));
    for (const auto& segment : source.segments) {
        if (auto added = out.body(flatten_sections_only(text.body, {segment})); !added.empty()) {
            shown.passages.push_back(std::move(added));
        }
    }
    return shown;
}

} // namespace semel::notice
