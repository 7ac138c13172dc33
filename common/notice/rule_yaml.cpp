#include "rule_yaml.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace semel::notice::rule_yaml {

std::string text(const YAML::Node& of, const char* key) {
    if (!of[key]) {
        throw std::runtime_error{std::string{"a rule has no "} + key};
    }
    return of[key].as<std::string>();
}

std::string text_or(const YAML::Node& of, const char* key, const std::string& otherwise) {
    return of[key] ? of[key].as<std::string>() : otherwise;
}

std::vector<std::string> texts(const YAML::Node& list) {
    return list.as<std::vector<std::string>>(std::vector<std::string>{});
}

severity severity_of(const YAML::Node& rule) {
    const auto word = text(rule, "severity");
    for (const auto s : {severity::warning, severity::finding, severity::error}) {
        if (to_string(s) == word) {
            return s;
        }
    }
    throw std::runtime_error{"a rule's severity is none of warning, finding, error"};
}

std::vector<kind> kinds_of(const YAML::Node& rule) {
    constexpr std::array all{kind::breach,    kind::preliminary, kind::supplement,
                             kind::follow_up, kind::possibility, kind::not_leaked};
    std::vector<kind> out;
    for (const auto& word : texts(rule["kinds"])) {
        const auto* found = std::ranges::find(all, word, [](kind k) { return to_string(k); });
        if (found == all.end()) {
            throw std::runtime_error{"a rule names a kind of notice that does not exist"};
        }
        out.push_back(*found);
    }
    return out;
}

std::optional<base::timestamp> time_of(const YAML::Node& rule, const char* key) {
    if (!rule[key]) {
        return std::nullopt;
    }
    const auto at = base::from_rfc3339(rule[key].as<std::string>());
    if (!at) {
        throw std::runtime_error{std::string{"a rule's "} + key + " is not a time"};
    }
    return at;
}

} // namespace semel::notice::rule_yaml
