#pragma once
// How the files of rules/ are read. They are part of the program: what is wrong with one throws std::runtime_error.

#include <notice/problem.hpp>
#include <notice/source.hpp>

#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <vector>

namespace semel::notice::rule_yaml {

std::string text(const YAML::Node& of, const char* key); // must be there
std::string text_or(const YAML::Node& of, const char* key, const std::string& otherwise);
std::vector<std::string> texts(const YAML::Node& list);
severity severity_of(const YAML::Node& rule);
std::vector<kind> kinds_of(const YAML::Node& rule);
std::optional<base::timestamp> time_of(const YAML::Node& rule, const char* key);

} // namespace semel::notice::rule_yaml
