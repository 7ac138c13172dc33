#include "yaml_reader.hpp"

#include <fmt/format.h>

namespace semel::notice {
namespace {

yaml::complain shapes(complaints& to) {
    return [&to](const yaml::complaint& c) {
        switch (c.what) {
        case yaml::flaw::not_yaml:
            to.error(c.line, "yaml", fmt::format("the file is not YAML: {}", c.detail),
                     "check indentation, quotes and brackets on this line and the one before");
            break;
        case yaml::flaw::second_document:
            to.error(c.line, "yaml", "a second document begins here", "keep one: remove the line of dashes");
            break;
        case yaml::flaw::not_a_mapping:
            to.error(1, "yaml", "the file is not a map of keys", "write lines like `key: value`");
            break;
        case yaml::flaw::strange_key:
            to.error(c.line, "wrong-type", "a key is not a plain word", "write lines like `key: value`");
            break;
        case yaml::flaw::double_key:
            to.error(c.line, "double-key", fmt::format("{} stands twice", c.key), "remove one");
            break;
        }
    };
}

} // namespace

yaml_map::yaml_map(const YAML::Node& node, std::string path, complaints& out)
    : map_(node, std::move(path), shapes(out))
    , out_(&out) {}

std::optional<yaml_map> yaml_map::load(const std::string& text, complaints& out) {
    const auto say = shapes(out);
    const auto root = yaml::document_in(text, say);
    if (!root) {
        return std::nullopt;
    }
    if (!root->IsMap()) {
        say({.what = yaml::flaw::not_a_mapping, .key = {}});
        return std::nullopt;
    }
    return yaml_map{*root, "", out};
}

std::optional<YAML::Node> yaml_map::find(std::string_view key, presence p) const {
    const auto value = map_.find(key);
    if (value.IsDefined() && !value.IsNull()) {
        return value;
    }
    if (p == required) {
        out_->error(map_.line_of({}), "missing-key", fmt::format("{} is missing", map_.full(key)),
                    "add it; notices/README.md says what each key means");
    }
    return std::nullopt;
}

void yaml_map::wrong(std::string_view key, std::string_view what, std::string_view mend) const {
    out_->error(line_of(key), "wrong-type", fmt::format("{} is {}", map_.full(key), what), std::string{mend});
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
    if (!value) {
        return {};
    }
    auto texts = yaml::texts_in(*value);
    if (!texts) {
        wrong(key, value->IsSequence() ? "a list with something that is not text" : "no list",
              "write it as [one, two]");
        return {};
    }
    return *std::move(texts);
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
    return yaml_map{*value, map_.full(key), *out_};
}

std::vector<std::string> yaml_map::keys() const {
    std::vector<std::string> out;
    for (const auto& entry : map_.entries()) {
        map_.find(entry.key);
        out.push_back(entry.key);
    }
    return out;
}

int yaml_map::line_of(std::string_view key) const {
    return map_.line_of(key);
}

void yaml_map::refuse_unknown() const {
    for (const auto& entry : map_.unknown()) {
        out_->error(entry.line, "unknown-key", fmt::format("{} is not a key that Semel knows", map_.full(entry.key)),
                    "check its spelling, or remove it");
    }
}

} // namespace semel::notice
