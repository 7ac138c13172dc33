#include <config/reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace semel::config {

namespace {

std::string words_of(const yaml::complaint& c) {
    switch (c.what) {
    case yaml::flaw::not_yaml:
        return fmt::format("is not YAML: {}", c.detail);
    case yaml::flaw::second_document:
        return "a second document begins here: only one can hold";
    case yaml::flaw::not_a_mapping:
        return "is not a mapping: write `key: value` lines below it";
    case yaml::flaw::strange_key:
        return "a key is a plain word";
    case yaml::flaw::double_key:
        return "stands here twice: keep one";
    }
    return {};
}

bool has_empty(const std::vector<std::string>& values) {
    return std::ranges::any_of(values, [](const auto& v) { return v.empty(); });
}

} // namespace

void complaints::add(int line, std::string_view key, std::string_view why) {
    lines.push_back(key.empty() ? fmt::format("{}:{}: {}", file, line, why)
                                : fmt::format("{}:{}: {}: {}", file, line, key, why));
}

yaml::complain complaints::shapes() {
    return [this](const yaml::complaint& c) { add(c.line, c.key, words_of(c)); };
}

section::section(const YAML::Node& node, std::string key, complaints& to)
    : to_(to)
    , map_(node, std::move(key), to.shapes()) {
    for (const auto& entry : map_.entries()) {
        to_.places.emplace(map_.full(entry.key), entry.line);
    }
}

void section::complain(std::string_view key, std::string_view why) {
    to_.add(map_.line_of(key), map_.full(key), why);
}

void section::need(std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        if (!has(key)) {
            complain(key, "is missing");
        }
    }
}

std::optional<std::string> section::scalar(std::string_view key) {
    const auto node = map_.find(key);
    if (!node.IsDefined()) {
        return std::nullopt;
    }
    if (!node.IsScalar() || node.Scalar().empty()) {
        complain(key, node.IsScalar() || node.IsNull() ? "has no value: give it one or take the line out"
                                                       : "takes one value, not a list or mapping");
        return std::nullopt;
    }
    return node.Scalar();
}

std::optional<std::int64_t> section::integer(std::string_view key, std::int64_t least, std::int64_t most) {
    const auto text = scalar(key);
    if (!text) {
        return std::nullopt;
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || end != text->data() + text->size() || value < least || value > most) {
        complain(key, fmt::format("\"{}\" is not a whole number from {} to {}", *text, least, most));
        return std::nullopt;
    }
    return value;
}

void section::read(std::string_view key, std::string& out) {
    if (auto text = scalar(key)) {
        out = *std::move(text);
    }
}

void section::read(std::string_view key, bool& out) {
    read_word<bool>(key, out, {{"true", true}, {"false", false}});
}

void section::read(std::string_view key, std::vector<std::string>& out) {
    const auto node = map_.find(key);
    if (!node.IsDefined() || node.IsNull()) {
        return;
    }
    auto values = yaml::texts_in(node);
    if (!values || has_empty(*values)) {
        complain(key, "is not a list of values: write [one, another]");
        return;
    }
    out = std::move(*values);
}

void section::read(std::string_view key, rate& out) {
    read_as<rate>(key, out, parse_rate);
}

void section::read(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least,
                   std::chrono::milliseconds most) {
    auto value = out;
    read_as<std::chrono::milliseconds>(key, value, parse_duration);
    if (value < least || value > most) {
        complain(key, fmt::format("must be from {} ms to {} ms", least.count(), most.count()));
    } else {
        out = value;
    }
}

void section::read(std::string_view key, std::chrono::seconds& out, std::chrono::seconds least,
                   std::chrono::seconds most) {
    std::chrono::milliseconds value = out;
    read(key, value, least, most);
    out = std::chrono::ceil<std::chrono::seconds>(value);
}

void section::read_path(std::string_view key, path& out, const path& folder) {
    if (const auto text = scalar(key)) {
        out = (folder / *text).lexically_normal();
    }
}

void section::read_paths(std::string_view key, std::vector<path>& out, const path& folder) {
    const auto node = map_.find(key);
    if (!node.IsDefined()) {
        return;
    }
    if (!node.IsSequence() || node.size() == 0) {
        complain(key, "is not a list of files: write [one, another]");
        return;
    }
    const auto names = yaml::texts_in(node);
    if (!names || has_empty(*names)) {
        complain(key, "holds something that is not the name of a file");
        return;
    }
    for (const auto& name : *names) {
        out.push_back((folder / name).lexically_normal());
    }
}

void section::inside(std::string_view key, const std::function<void(section&)>& each) {
    const auto node = map_.find(key);
    if (node.IsDefined()) {
        section inner{node, map_.full(key), to_};
        each(inner);
        inner.finish();
    }
}

void section::each(std::string_view key, const std::function<void(section&)>& each) {
    const auto node = map_.find(key);
    if (!node.IsDefined() || node.IsNull()) {
        return;
    }
    if (!node.IsSequence()) {
        complain(key, "is not a list: write `- {...}` lines below it");
        return;
    }
    for (std::size_t i = 0; i < node.size(); ++i) {
        section inner{node[i], fmt::format("{}[{}]", map_.full(key), i), to_};
        each(inner);
        inner.finish();
    }
}

void section::entries(std::string_view key,
                      const std::function<void(const std::string& name, const std::string& value)>& each) {
    const auto node = map_.find(key);
    if (!node.IsDefined()) {
        return;
    }
    const section inner{node, map_.full(key), to_}; // for its complaints about shape and doubles
    for (const auto& entry : inner.map_.entries()) {
        if (entry.value.IsScalar()) {
            each(entry.key, entry.value.Scalar());
        } else {
            to_.add(entry.line, inner.map_.full(entry.key), "takes one value");
        }
    }
}

void section::lists(std::string_view key,
                    const std::function<void(const std::string& name, std::vector<std::string> values)>& each) {
    const auto node = map_.find(key);
    if (!node.IsDefined()) {
        return;
    }
    const section inner{node, map_.full(key), to_}; // for its complaints about shape and doubles
    for (const auto& entry : inner.map_.entries()) {
        auto values = yaml::texts_in(entry.value);
        if (values && !values->empty() && !has_empty(*values)) {
            each(entry.key, std::move(*values));
        } else {
            to_.add(entry.line, inner.map_.full(entry.key), "is not a list of values: write [one, another]");
        }
    }
}

void section::finish() {
    const auto& known = map_.asked();
    for (const auto& entry : map_.unknown()) {
        // Who writes a secret itself is told of the key for its file.
        const auto of_file = entry.key + "_file";
        const auto guess =
            std::ranges::find(known, of_file) != known.end() ? std::optional{of_file} : nearest(entry.key, known);
        to_.add(entry.line, map_.full(entry.key),
                guess ? fmt::format("is not a key here: did you mean `{}`?", *guess)
                      : fmt::format("is not a key here: these are {}", fmt::join(known, ", ")));
    }
}

} // namespace semel::config
