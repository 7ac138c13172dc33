#include "rules.hpp"

#include "rule_yaml.hpp"

#include <algorithm>
#include <stdexcept>

namespace semel::notice {
namespace {

constexpr std::size_t longest_sentence_bytes = 600; // bytes; keeps the search linear in the text

using namespace rule_yaml;

words_by_language words_of(const YAML::Node& node) {
    words_by_language out;
    for (const auto& language : node) {
        out[language.first.as<std::string>()] = texts(language.second);
    }
    return out;
}

words_to_say say_of(const YAML::Node& rule, const std::string& law) {
    words_to_say out;
    out.at_least = rule["at_least"].as<std::size_t>(0);
    out.law = text_or(rule, "law", law);
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
    const auto law = text_or(root, "law", {});
    for (const auto& rule : root["avoid"]) {
        to.avoid.push_back({.id = text(rule, "id"),
                            .language = text(rule, "language"),
                            .how_bad = severity_of(rule),
                            .kinds = kinds_of(rule),
                            .any = texts(rule["any"]),
                            .reason = text(rule, "reason"),
                            .mend = text(rule, "mend"),
                            .law = text_or(rule, "law", law),
                            .unless_denied = rule["unless_denied"].as<bool>(false)});
    }
    for (const auto& rule : root["instead"]) {
        to.instead.push_back({.id = text(rule, "id"),
                              .language = text(rule, "language"),
                              .any = texts(rule["any"]),
                              .beside = texts(rule["beside"]),
                              .except = texts(rule["except"]),
                              .reason = text(rule, "reason"),
                              .mend = text(rule, "mend"),
                              .law = text_or(rule, "law", law)});
    }
    for (const auto& rule : root["say"]) {
        to.say[text(rule, "id")] = say_of(rule, law);
    }
    for (const auto& item : root["items"]) {
        to.items[item.first.as<std::string>()] = words_of(item.second);
    }
    for (const auto& one : root["agencies"]) {
        to.agencies.push_back({.numbers = texts(one["numbers"]), .names = words_of(one["names"])});
    }
    for (const auto& [key, words] : {std::pair{"negations", &to.negations}, std::pair{"leaks", &to.leaks}}) {
        if (root[key]) {
            *words = words_of(root[key]);
        }
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

std::vector<const std::vector<std::string>*> unsaid(std::string_view text, const words_to_say& rule,
                                                    const std::string& language) {
    const auto known = rule.groups.find(language);
    if (known == rule.groups.end()) {
        return {};
    }
    auto out = unsaid(text, known->second);
    const bool enough = rule.at_least != 0 && known->second.size() - out.size() >= rule.at_least;
    return enough ? std::vector<const std::vector<std::string>*>{} : out;
}

} // namespace semel::notice
