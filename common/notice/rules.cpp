#include "rules.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace semel::notice {
namespace {

constexpr std::size_t longest_sentence_bytes = 600; // bytes; keeps the search linear in the text

std::vector<std::string> texts(const YAML::Node& list) {
    return list.as<std::vector<std::string>>(std::vector<std::string>{});
}

std::string text(const YAML::Node& of, const char* key) {
    if (!of[key]) {
        throw std::runtime_error{std::string{"a rule has no "} + key};
    }
    return of[key].as<std::string>();
}

severity severity_of(const std::string& word) {
    constexpr std::array<std::pair<std::string_view, severity>, 3> known{
        {{"warning", severity::warning}, {"finding", severity::finding}, {"error", severity::error}}};
    const auto* found = std::ranges::find(known, std::string_view{word}, &std::pair<std::string_view, severity>::first);
    if (found == known.end()) {
        throw std::runtime_error{"a rule's severity is none of warning, finding, error"};
    }
    return found->second;
}

kind kind_of(const std::string& word) {
    for (const auto k :
         {kind::breach, kind::preliminary, kind::supplement, kind::follow_up, kind::possibility, kind::not_leaked}) {
        if (to_string(k) == word) {
            return k;
        }
    }
    throw std::runtime_error{"a rule names a kind of notice that does not exist"};
}

words_to_say say_of(const YAML::Node& rule) {
    words_to_say out;
    for (const auto& language : rule["groups"]) {
        auto& groups = out.groups[language.first.as<std::string>()];
        for (const auto& group : language.second) {
            groups.push_back(texts(group));
        }
    }
    for (const auto& mend : rule["mend"]) {
        out.mend[mend.first.as<std::string>()] = mend.second.as<std::string>();
    }
    if (out.groups.empty() || !out.mend.contains("other")) {
        throw std::runtime_error{"a rule of what to say has no groups or no mend for other languages"};
    }
    return out;
}

} // namespace

const std::string& words_to_say::mend_in(std::string_view language) const {
    const auto found = mend.find(language);
    return found == mend.end() ? mend.find("other")->second : found->second;
}

void add_rules(word_rules& to, const std::string& yaml) {
    const auto root = YAML::Load(yaml);
    if (text(root, "source").empty() || text(root, "date").empty()) {
        throw std::runtime_error{"a file of rules does not say where they are from and of which date"};
    }
    for (const auto& rule : root["avoid"]) {
        words_to_avoid one{.id = text(rule, "id"),
                           .language = text(rule, "language"),
                           .how_bad = severity_of(text(rule, "severity")),
                           .kinds = {},
                           .any = texts(rule["any"]),
                           .reason = text(rule, "reason"),
                           .mend = text(rule, "mend")};
        for (const auto& word : texts(rule["kinds"])) {
            one.kinds.push_back(kind_of(word));
        }
        to.avoid.push_back(std::move(one));
    }
    for (const auto& rule : root["instead"]) {
        to.instead.push_back({.id = text(rule, "id"),
                              .language = text(rule, "language"),
                              .any = texts(rule["any"]),
                              .beside = texts(rule["beside"]),
                              .except = texts(rule["except"]),
                              .reason = text(rule, "reason"),
                              .mend = text(rule, "mend")});
    }
    for (const auto& rule : root["say"]) {
        to.say[text(rule, "id")] = say_of(rule);
    }
}

const word_rules& built_in_rules() {
    static const auto all = [] {
        word_rules out;
        for (const auto file : rule_files()) {
            add_rules(out, std::string{file});
        }
        return out;
    }();
    return all;
}

std::size_t find_pattern(std::string_view text, std::string_view pattern) noexcept {
    constexpr std::string_view gap = " * ";
    const auto at = pattern.find(gap);
    if (at == std::string_view::npos) {
        return text.find(pattern);
    }
    const auto first = pattern.substr(0, at), then = pattern.substr(at + gap.size());
    for (auto found = text.find(first); found != std::string_view::npos; found = text.find(first, found + 1)) {
        const auto rest = text.substr(found + first.size(), longest_sentence_bytes);
        // A line may end in the middle of a sentence; an empty one ends the paragraph.
        const auto sentence = rest.substr(0, std::min({rest.find(". "), rest.find("\n\n"), rest.find("。")}));
        if (find_pattern(sentence, then) != std::string_view::npos) {
            return found;
        }
    }
    return std::string_view::npos;
}

std::string lower_ascii(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::vector<const std::vector<std::string>*> unsaid(std::string_view text,
                                                    const std::vector<std::vector<std::string>>& groups) {
    std::vector<const std::vector<std::string>*> out;
    for (const auto& group : groups) {
        const bool said = std::ranges::any_of(
            group, [&](const std::string& pattern) { return find_pattern(text, pattern) != std::string_view::npos; });
        if (!said) {
            out.push_back(&group);
        }
    }
    return out;
}

} // namespace semel::notice
