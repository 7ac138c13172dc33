#include <config/reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace semel::config {

void complaints::add(const YAML::Mark& at, std::string_view key, std::string_view why) {
    lines.push_back(key.empty() ? fmt::format("{}:{}: {}", file, at.line + 1, why)
                                : fmt::format("{}:{}: {}: {}", file, at.line + 1, key, why));
}

section::section(YAML::Node node, std::string key, complaints& to)
    : node_(std::move(node))
    , key_(std::move(key))
    , to_(to) {
    if (!node_.IsMap() && !node_.IsNull()) {
        to_.add(node_.Mark(), key_, "is not a mapping: write `key: value` lines below it");
        node_ = YAML::Node{};
    }
    // yaml-cpp keeps both of two equal keys and finds the first: a second one would be ignored in silence.
    std::set<std::string> seen;
    for (const auto& entry : node_) {
        if (!entry.first.IsScalar()) {
            to_.add(entry.first.Mark(), key_, "a key is a plain word");
        } else if (!seen.insert(entry.first.Scalar()).second) {
            to_.add(entry.first.Mark(), full(entry.first.Scalar()), "stands here twice: keep one");
        } else {
            to_.places.emplace(full(entry.first.Scalar()), entry.first.Mark().line + 1);
        }
    }
}

std::string section::full(std::string_view key) const {
    return key_.empty() ? std::string{key} : key.empty() ? key_ : fmt::format("{}.{}", key_, key);
}

YAML::Node section::find(std::string_view key) {
    known_.emplace_back(key);
    for (const auto& entry : node_) {
        if (entry.first.IsScalar() && entry.first.Scalar() == key) {
            return entry.second;
        }
    }
    return YAML::Node{YAML::NodeType::Undefined};
}

bool section::has(std::string_view key) const {
    return std::any_of(node_.begin(), node_.end(),
                       [&](const auto& entry) { return entry.first.IsScalar() && entry.first.Scalar() == key; });
}

void section::complain(std::string_view key, std::string_view why) {
    for (const auto& entry : node_) {
        if (entry.first.IsScalar() && entry.first.Scalar() == key) {
            to_.add(entry.first.Mark(), full(key), why);
            return;
        }
    }
    to_.add(node_.Mark(), full(key), why);
}

void section::need(std::initializer_list<std::string_view> keys) {
    for (const auto key : keys) {
        if (!has(key)) {
            complain(key, "is missing");
        }
    }
}

std::optional<std::string> section::scalar(std::string_view key) {
    const auto node = find(key);
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
    const auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) {
        return;
    }
    const auto is_value = [](const auto& item) { return item.IsScalar() && !item.Scalar().empty(); };
    if (!node.IsSequence() || !std::all_of(node.begin(), node.end(), is_value)) {
        complain(key, "is not a list of values: write [one, another]");
        return;
    }
    out.clear();
    for (const auto& item : node) {
        out.push_back(item.Scalar());
    }
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
    const auto node = find(key);
    if (!node.IsDefined()) {
        return;
    }
    if (!node.IsSequence() || node.size() == 0) {
        complain(key, "is not a list of files: write [one, another]");
        return;
    }
    for (const auto& entry : node) {
        if (!entry.IsScalar() || entry.Scalar().empty()) {
            complain(key, "holds something that is not the name of a file");
            return;
        }
        out.push_back((folder / entry.Scalar()).lexically_normal());
    }
}

void section::inside(std::string_view key, const std::function<void(section&)>& each) {
    const auto node = find(key);
    if (node.IsDefined()) {
        section inner{node, full(key), to_};
        each(inner);
        inner.finish();
    }
}

void section::each(std::string_view key, const std::function<void(section&)>& each) {
    const auto node = find(key);
    if (!node.IsDefined() || node.IsNull()) {
        return;
    }
    if (!node.IsSequence()) {
        complain(key, "is not a list: write `- {...}` lines below it");
        return;
    }
    for (std::size_t i = 0; i < node.size(); ++i) {
        section inner{node[i], fmt::format("{}[{}]", full(key), i), to_};
        each(inner);
        inner.finish();
    }
}

void section::entries(std::string_view key,
                      const std::function<void(const std::string& name, const std::string& value)>& each) {
    const auto node = find(key);
    if (!node.IsDefined()) {
        return;
    }
    const section inner{node, full(key), to_}; // for its complaints about shape and doubles
    for (const auto& entry : inner.node_) {
        if (!entry.second.IsScalar()) {
            to_.add(entry.first.Mark(), inner.full(entry.first.IsScalar() ? entry.first.Scalar() : ""),
                    "takes one value");
        } else if (entry.first.IsScalar()) {
            each(entry.first.Scalar(), entry.second.Scalar());
        }
    }
}

void section::finish() {
    for (const auto& entry : node_) {
        if (!entry.first.IsScalar()) {
            continue;
        }
        const auto& key = entry.first.Scalar();
        if (std::ranges::find(known_, key) != known_.end()) {
            continue;
        }
        // Who writes a secret itself is told of the key for its file.
        const auto of_file = key + "_file";
        const auto guess =
            std::ranges::find(known_, of_file) != known_.end() ? std::optional{of_file} : nearest(key, known_);
        to_.add(entry.first.Mark(), full(key),
                guess ? fmt::format("is not a key here: did you mean `{}`?", *guess)
                      : fmt::format("is not a key here: these are {}", fmt::join(known_, ", ")));
    }
}

} // namespace semel::config
