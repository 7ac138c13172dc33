#include "source.hpp"

#include "locale.hpp"
#include "utf8.hpp"
#include "yaml_reader.hpp"

#include <fmt/format.h>
#include <unicode/unicode.hpp>

#include <algorithm>
#include <array>
#include <set>

namespace semel::notice {
namespace {

constexpr std::size_t most_segments = 6; // 2^6 artifacts for each locale and channel

constexpr std::array<std::pair<std::string_view, kind>, 6> kinds{{{"breach", kind::breach},
                                                                  {"preliminary", kind::preliminary},
                                                                  {"supplement", kind::supplement},
                                                                  {"follow-up", kind::follow_up},
                                                                  {"possibility", kind::possibility},
                                                                  {"not-leaked", kind::not_leaked}}};
constexpr std::array channels{base::channel::email, base::channel::push, base::channel::sms};

std::string_view extension_of(base::channel c) noexcept {
    switch (c) {
    case base::channel::email:
        return "md";
    case base::channel::push:
        return "yaml";
    default:
        return "txt";
    }
}

struct text_name {
    base::channel channel;
    std::string locale;
};
std::optional<text_name> text_name_of(std::string_view file) {
    for (const auto c : channels) {
        const auto head = std::string{base::to_string(c)} + ".";
        const auto tail = "." + std::string{extension_of(c)};
        if (file.starts_with(head) && file.ends_with(tail) && file.size() > head.size() + tail.size()) {
            return text_name{c, std::string{file.substr(head.size(), file.size() - head.size() - tail.size())}};
        }
    }
    return std::nullopt;
}

// One form for all files: LF, no byte order mark, valid UTF-8, no characters that people cannot see.
std::string clean_source(std::string_view bytes, complaints& out) {
    if (bytes.starts_with("\xef\xbb\xbf")) {
        bytes.remove_prefix(3);
    }
    std::string text;
    text.reserve(bytes.size());
    int line = 1;
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const auto before = rest;
        const auto c = take_code_point(rest);
        const auto size = before.size() - rest.size();
        if (c == '\r' && rest.starts_with('\n')) {
            continue;
        }
        if (c == 0xfffd && size != 3) {
            out.error(line, "encoding", "the line is not UTF-8", "save the file as UTF-8");
            return {};
        }
        const bool plain = c == '\n' || c == '\t' || clean_value(before.substr(0, size)) == before.substr(0, size);
        if (!plain) {
            out.error(line, "invisible",
                      fmt::format("there is an invisible character (U+{:04X})", static_cast<unsigned>(c)),
                      "delete it and type the word again");
            continue;
        }
        line += c == '\n' ? 1 : 0;
        text += before.substr(0, size);
    }
    return unicode::composed(text); // what reaches people, and what the rules' words are looked for in
}

class reader {
  public:
    explicit reader(const files& folder)
        : folder_(folder) {}

    parsed_source run() {
        if (const auto it = folder_.find("notice.yaml"); it == folder_.end()) {
            complaints{problems_, "notice.yaml"}.error(0, "no-notice-yaml", "the folder has no notice.yaml",
                                                       "add one; notices/README.md shows what it says");
        } else {
            complaints out{problems_, it->first};
            notice_yaml(it->second, out);
        }
        for (const auto& [file, bytes] : folder_) {
            text_file(file, bytes);
        }
        if (readable_) {
            locales_and_channels();
        }
        return {std::move(source_), std::move(problems_), readable_};
    }

  private:
    void notice_yaml(std::string_view bytes, complaints& out) {
        const auto root = yaml_map::load(clean_source(bytes, out), out);
        if (!root) {
            return;
        }
        readable_ = true;
        kind_of(*root, out);
        titles(*root, out);
        source_.jurisdictions = root->strings("jurisdictions");
        source_.jurisdictions_line = root->line_of("jurisdictions");
        source_.aware_at = time_at(*root, "aware_at", yaml_map::required, out);
        sender(*root, out);
        contact(*root, out);
        if (const auto facts = root->map("facts")) {
            facts->string("happened");
            source_.leaked = facts->strings("leaked");
            source_.not_leaked = facts->strings("not_leaked");
            source_.facts_line = root->line_of("facts");
            facts->refuse_unknown();
        }
        delay(*root, out);
        posting(*root, out);
        segments(*root, out);
        slots(*root, out);
        if (const auto locales = root->map("locales", yaml_map::required)) {
            source_.default_locale = locales->string("default", yaml_map::required);
            source_.fallback = locales->string_map("fallback");
            locales->refuse_unknown();
            locales_line_ = root->line_of("locales");
        }
        sms(*root, out);
        source_.supplement_prefix = root->localised("supplement_prefix");
        wanted_channels_ = root->strings("channels");
        channels_line_ = root->line_of("channels");
        root->refuse_unknown();
    }

    void sender(const yaml_map& root, complaints& out) {
        const auto from = root.map("sender", yaml_map::required);
        if (!from) {
            return;
        }
        source_.sender.organisation = from->localised("organisation", yaml_map::required);
        source_.sender.email = from->string("email");
        source_.sender.sms = from->string("sms");
        email_at(*from, "email", source_.sender.email, out);
        phone_at(*from, "sms", source_.sender.sms, out);
        from->refuse_unknown();
    }

    void contact(const yaml_map& root, complaints& out) {
        const auto whom = root.map("contact", yaml_map::required);
        if (!whom) {
            return;
        }
        source_.contact.department = whom->localised("department", yaml_map::required);
        source_.contact.phone = whom->string("phone");
        source_.contact.email = whom->string("email");
        source_.contact.numbers = whom->strings("numbers");
        email_at(*whom, "email", source_.contact.email, out);
        phone_at(*whom, "phone", source_.contact.phone, out);
        for (const auto& number : source_.contact.numbers) {
            phone_at(*whom, "numbers", number, out);
        }
        whom->refuse_unknown();
    }

    void sms(const yaml_map& root, complaints& out) {
        const auto given = root.map("sms");
        if (!given) {
            return;
        }
        const auto parts = given->string("max_parts");
        const auto number = std::atoi(parts.c_str());
        if (!parts.empty() && (number < 1 || number > 255 || fmt::format("{}", number) != parts)) {
            out.error(given->line_of("max_parts"), "bad-max-parts", "sms.max_parts is not a number from 1 to 255",
                      "write how many parts one SMS may have, like 6");
        } else if (!parts.empty()) {
            source_.sms_max_parts = static_cast<unsigned>(number);
        }
        given->refuse_unknown();
    }

    void kind_of(const yaml_map& root, complaints& out) {
        const auto word = root.string("kind", yaml_map::required);
        const auto it = std::ranges::find(kinds, std::string_view{word}, &std::pair<std::string_view, kind>::first);
        if (it != kinds.end()) {
            source_.kind = it->second;
        } else if (!word.empty()) {
            out.error(root.line_of("kind"), "bad-kind", "kind is not one that Semel knows",
                      "write breach, preliminary, supplement, follow-up, possibility or not-leaked");
        }
    }

    static std::optional<base::timestamp> time_at(const yaml_map& map, std::string_view key, yaml_map::presence p,
                                                  complaints& out) {
        const auto at = map.string(key, p);
        const auto time = base::from_rfc3339(at);
        if (!at.empty() && !time) {
            out.error(map.line_of(key), "bad-time", fmt::format("{} is not a time", key),
                      "write it with its zone, like 2026-11-18T09:00:00+09:00");
        }
        return time;
    }

    void delay(const yaml_map& root, complaints& out) {
        if (const auto delayed = root.map("delayed")) {
            source_.delayed = {.ground = delayed->string("ground", yaml_map::required),
                               .until = time_at(*delayed, "until", yaml_map::optional, out),
                               .line = root.line_of("delayed")};
            delayed->refuse_unknown();
        }
    }

    void posting(const yaml_map& root, complaints& out) {
        if (const auto posted = root.map("posting")) {
            const auto from = time_at(*posted, "from", yaml_map::required, out);
            const auto until = time_at(*posted, "until", yaml_map::required, out);
            if (from && until) {
                source_.posted = {.from = *from, .until = *until, .line = root.line_of("posting")};
            }
            posted->refuse_unknown();
        }
    }

    void titles(const yaml_map& root, complaints& out) {
        const auto title = root.map("title", yaml_map::required);
        if (!title) {
            return;
        }
        for (const auto& [locale, text] : root.string_map("title")) {
            const auto line = title->line_of(locale);
            if (!is_locale(locale)) {
                out.error(line, "bad-locale", "title has a key that is not a language tag of BCP 47",
                          "write one like ko or zh-Hant");
                continue;
            }
            auto pieces = parse_mustache(text, out, line);
            if (text.find('\n') != std::string::npos || std::ranges::any_of(names_in(pieces), &used_name::is_segment)) {
                out.error(line, "bad-title", "a title is one line without sections",
                          "say it in one line; put what concerns a segment into the text");
            }
            source_.title[locale] = std::move(pieces);
            source_.title_line[locale] = line;
        }
    }

    void segments(const yaml_map& root, complaints& out) {
        source_.segments = root.strings("segments");
        const auto line = root.line_of("segments");
        std::set<std::string> seen;
        for (const auto& name : source_.segments) {
            source_.segment_line[name] = line;
            if (!seen.insert(name).second) {
                out.error(line, "double-segment", fmt::format("the segment {} is named twice", name), "remove one");
            }
        }
        if (source_.segments.size() > most_segments) {
            out.error(line, "too-many-segments",
                      fmt::format("{} segments would make {} versions of each text; {} are allowed",
                                  source_.segments.size(), "2^" + std::to_string(source_.segments.size()),
                                  most_segments),
                      "join facts that call for the same advice");
            source_.segments.resize(most_segments);
        }
    }

    void slots(const yaml_map& root, complaints& out) {
        const auto slots = root.map("slots");
        if (!slots) {
            return;
        }
        for (const auto& name : slots->keys()) {
            auto& slot = source_.slots[name];
            slot.line = slots->line_of(name);
            if (const auto definition = slots->map(name)) {
                slot.defaults = definition->localised("default").all();
                definition->refuse_unknown();
            }
            if (source_.segment_line.contains(name)) {
                out.error(slot.line, "slot-is-segment", fmt::format("{} is a slot and a segment", name),
                          "give one of them another name");
            }
        }
    }

    static void email_at(const yaml_map& map, std::string_view key, std::string_view value, complaints& out) {
        const auto at = value.find('@');
        const bool good = at != value.npos && at > 0 && value.find('.', at) != value.npos && value.back() != '.' &&
                          std::ranges::count(value, '@') == 1 && std::ranges::all_of(value, [](char c) {
                              return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                     std::string_view{"@.-_+"}.contains(c);
                          });
        if (!value.empty() && !good) {
            out.error(map.line_of(key), "bad-email", fmt::format("{} is not a plain email address", key),
                      "write it like notice@example.com (an international domain in its xn-- form)");
        }
    }

    static void phone_at(const yaml_map& map, std::string_view key, std::string_view value, complaints& out) {
        const auto digits = std::ranges::count_if(value, [](char c) { return c >= '0' && c <= '9'; });
        const bool good = digits >= 3 && digits <= 15 && std::ranges::all_of(value, [](char c) {
                              return (c >= '0' && c <= '9') || std::string_view{"+-() ."}.contains(c);
                          });
        if (!value.empty() && !good) {
            out.error(map.line_of(key), "bad-phone", fmt::format("{} has something that is not a phone number", key),
                      "write 3 to 15 digits, with + - ( ) . or spaces between, in quotes");
        }
    }

    void text_file(const std::string& file, std::string_view bytes) {
        complaints out{problems_, file};
        const auto name = text_name_of(file);
        if (!name) {
            if (file != "notice.yaml" && !file.starts_with("README")) {
                out.warn(0, "unused-file", "nothing uses this file",
                         "remove it, or name it email.LOCALE.md, push.LOCALE.yaml or sms.LOCALE.txt");
            }
            return;
        }
        if (!is_locale(name->locale)) {
            out.error(0, "bad-locale", "the locale in the file's name is not a language tag of BCP 47",
                      "name the file after a language, like email.ko.md or email.zh-Hant.md");
            return;
        }
        if (normal_locale(name->locale) != name->locale) {
            out.error(0, "bad-locale", "the locale in the file's name is not written the usual way",
                      fmt::format("rename it to {}.{}.{}", base::to_string(name->channel), normal_locale(name->locale),
                                  extension_of(name->channel)));
        }
        channel_text text;
        text.file = file;
        const auto clean = clean_source(bytes, out);
        if (name->channel == base::channel::push) {
            push_text(clean, text, out);
        } else {
            if (clean.find_first_not_of(" \t\n") == std::string::npos) {
                out.error(1, "empty-text", "the file says nothing", "write the text, or remove the file");
            }
            text.body = parse_mustache(clean, out);
        }
        source_.texts.emplace(std::pair{name->locale, name->channel}, std::move(text));
    }

    static void push_text(const std::string& bytes, channel_text& text, complaints& out) {
        const auto root = yaml_map::load(bytes, out);
        if (!root) {
            return;
        }
        text.title = parse_mustache(root->string("title", yaml_map::required), out, root->line_of("title"));
        text.body = parse_mustache(root->string("body", yaml_map::required), out, root->line_of("body"));
        text.data = root->string_map("data");
        for (const auto& [key, value] : text.data) {
            if (key == "idem" || key == "from" || key == "message_type" || key == "aps" || key.starts_with("google") ||
                key.starts_with("gcm")) {
                out.error(root->line_of("data"), "reserved-key", fmt::format("the data key {} is reserved", key),
                          "choose another key");
            }
        }
        root->refuse_unknown();
    }

    // Every locale must say it on every channel: somebody will need that combination.
    void locales_and_channels() {
        std::set<std::string> locales;
        std::set<base::channel> found;
        for (const auto& [key, text] : source_.texts) {
            locales.insert(key.first);
            found.insert(key.second);
        }
        complaints out{problems_, "notice.yaml"};
        for (const auto& name : wanted_channels_) {
            if (const auto c = base::channel_from(name)) {
                found.insert(*c);
            } else {
                out.error(channels_line_, "bad-channel", "channels names one that Semel does not have",
                          "choose from email, push and sms");
            }
        }
        if (locales.empty()) {
            out.error(0, "no-text", "the folder has no text to send",
                      "add email.LOCALE.md, push.LOCALE.yaml or sms.LOCALE.txt");
        }
        for (const auto& [locale, title] : source_.title) {
            locales.insert(locale);
        }
        source_.locales.assign(locales.begin(), locales.end());
        source_.channels.assign(found.begin(), found.end());
        for (const auto& locale : source_.locales) {
            for (const auto c : source_.channels) {
                if (!source_.texts.contains({locale, c})) {
                    const auto file = fmt::format("{}.{}.{}", base::to_string(c), locale, extension_of(c));
                    complaints{problems_, file}.error(
                        0, "missing-file",
                        fmt::format("there is no {} text in the locale {}", base::to_string(c), locale),
                        "write it; each locale needs every channel that another one has");
                }
            }
            if (!source_.title.contains(locale)) {
                out.error(0, "missing-title", fmt::format("the title is missing in the locale {}", locale),
                          "add it under title: in notice.yaml");
            }
        }
        if (!source_.default_locale.empty() && !locales.contains(source_.default_locale)) {
            out.error(locales_line_, "missing-locale", "the default locale has no text",
                      "write its files, or choose another");
        }
        for (const auto& [from, to] : source_.fallback) {
            if (!locales.contains(to) && !source_.fallback.contains(to)) {
                out.error(locales_line_, "missing-locale", fmt::format("the fallback of {} has no text", from),
                          "choose a locale that the notice has");
            }
        }
    }

    const files& folder_;
    notice_source source_;
    std::vector<problem> problems_;
    std::vector<std::string> wanted_channels_;
    int channels_line_ = 0;
    int locales_line_ = 0;
    bool readable_ = false; // notice.yaml is a map
};

} // namespace

std::string_view to_string(kind k) noexcept {
    return std::ranges::find(kinds, k, &std::pair<std::string_view, kind>::second)->first;
}

const std::string& localized::in(const std::string& locale) const {
    static const std::string nothing;
    if (const auto it = by_locale_.find(locale); it != by_locale_.end()) {
        return it->second;
    }
    const auto it = by_locale_.find("");
    return it == by_locale_.end() ? nothing : it->second;
}

parsed_source parse(const files& folder) {
    return reader{folder}.run();
}

} // namespace semel::notice
