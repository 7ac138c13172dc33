#include "yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::notice {
namespace {

int line(const YAML::Node& node) {
    return node.Mark().line + 1;
}

} // namespace

std::optional<yaml_map> yaml_map::load(const std::string& text, complaints& out) {
    try {
        auto root = YAML::Load(text);
        if (root.IsMap()) {
            return yaml_map{std::move(root), "", out};
        }
        out.error(1, "yaml", "the file is not a map of keys", "write lines like `key: value`");
    } catch (const YAML::Exception& e) {
        out.error(e.mark.line + 1, "yaml", fmt::format("the file is not YAML: {}", e.msg),
                  "check indentation, quotes and brackets on this line and the one before");
    }
    return std::nullopt;
}

std::string yaml_map::full(std::string_view key) const {
    return path_ + std::string{key};
}

std::optional<YAML::Node> yaml_map::find(std::string_view key, presence p) const {
    asked_.emplace(key);
    for (const auto& entry : node_) {
        if (entry.first.IsScalar() && entry.first.Scalar() == key && !entry.second.IsNull()) {
            return entry.second;
        }
    }
    if (p == required) {
        out_->error(node_.IsDefined() ? line(node_) : 1, "missing-key", fmt::format("{} is missing", full(key)),
                    "add it; notices/README.md says what each key means");
    }
    return std::nullopt;
}

void yaml_map::wrong(std::string_view key, std::string_view what, std::string_view mend) const {
    out_->error(line_of(key), "wrong-type", fmt::format("{} is {}", full(key), what), std::string{mend});
}

std::string yaml_map::string(std::string_view key, presence p) const {
    const auto value = find(key, p);
    if (!value) {
        return {};
    }
    if (!value->IsScalar()) {
        wrong(key, "no text", "write one text, in quotes");
        return {};
    }
    return value->Scalar();
}

std::vector<std::string> yaml_map::strings(std::string_view key) const {
    const auto value = find(key, optional);
    std::vector<std::string> out;
    if (!value) {
        return out;
    }
    if (!value->IsSequence()) {
        wrong(key, "no list", "write it as [one, two]");
        return out;
    }
    for (const auto& item : *value) {
        if (item.IsScalar()) {
            out.push_back(item.Scalar());
        } else {
            wrong(key, "a list with something that is not text", "write it as [one, two]");
        }
    }
    return out;
}

std::map<std::string, std::string> yaml_map::string_map(std::string_view key) const {
    const auto value = find(key, optional);
    std::map<std::string, std::string> out;
    if (!value) {
        return out;
    }
    if (!value->IsMap()) {
        wrong(key, "no map", "write it as {one: \"...\", two: \"...\"}");
        return out;
    }
    for (const auto& entry : *value) {
        if (entry.first.IsScalar() && entry.second.IsScalar()) {
            out[entry.first.Scalar()] = entry.second.Scalar();
        } else {
            wrong(key, "a map with something that is not text", "write it as {one: \"...\", two: \"...\"}");
        }
    }
    return out;
}

localized yaml_map::localised(std::string_view key, presence p) const {
    localized out;
    const auto value = find(key, p);
    if (value && value->IsScalar()) {
        out.set("", value->Scalar());
    } else if (value) {
        for (auto& [locale, text] : string_map(key)) {
            out.set(locale, text);
        }
    }
    return out;
}

std::optional<yaml_map> yaml_map::map(std::string_view key, presence p) const {
    const auto value = find(key, p);
    if (!value) {
        return std::nullopt;
    }
    if (!value->IsMap()) {
        wrong(key, "no map of keys", "write its keys indented below it, or as {key: value}");
        return std::nullopt;
    }
    return yaml_map{*value, full(key) + ".", *out_};
}

std::vector<std::string> yaml_map::keys() const {
    std::vector<std::string> out;
    for (const auto& entry : node_) {
        if (entry.first.IsScalar()) {
            out.push_back(entry.first.Scalar());
            asked_.insert(out.back());
        }
    }
    return out;
}

int yaml_map::line_of(std::string_view key) const {
    for (const auto& entry : node_) {
        if (entry.first.IsScalar() && entry.first.Scalar() == key) {
            return line(entry.first);
        }
    }
    return line(node_);
}

void yaml_map::refuse_unknown() const {
    std::set<std::string> seen;
    for (const auto& entry : node_) {
        if (!entry.first.IsScalar()) {
            continue;
        }
        const auto& key = entry.first.Scalar();
        if (!asked_.contains(key)) {
            out_->error(line(entry.first), "unknown-key", fmt::format("{} is not a key that Semel knows", full(key)),
                        "check its spelling, or remove it");
        } else if (!seen.insert(key).second) {
            out_->error(line(entry.first), "double-key", fmt::format("{} stands twice", full(key)), "remove one");
        }
    }
}

} // namespace semel::notice
