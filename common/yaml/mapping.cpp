#include "mapping.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace semel::yaml {

namespace {

int line_at(const YAML::Mark& mark) {
    return mark.line + 1;
}

} // namespace

std::optional<YAML::Node> document_in(const std::string& text, const complain& to) {
    try {
        const auto documents = YAML::LoadAll(text);
        if (documents.size() > 1) {
            to({.what = flaw::second_document, .line = line_at(documents[1].Mark()), .key = {}});
        }
        return documents.empty() ? YAML::Node{} : documents.front();
    } catch (const YAML::Exception& e) {
        to({.what = flaw::not_yaml, .line = line_at(e.mark), .key = {}, .detail = e.msg});
        return std::nullopt;
    }
}

mapping::mapping(const YAML::Node& node, std::string path, const complain& to)
    : path_(std::move(path))
    , line_(line_at(node.Mark())) {
    if (!node.IsMap()) {
        if (!node.IsNull()) {
            to({.what = flaw::not_a_mapping, .line = line_, .key = path_});
        }
        return;
    }
    std::set<std::string> seen;
    for (const auto& one : node) {
        const auto line = line_at(one.first.Mark());
        if (!one.first.IsScalar()) {
            to({.what = flaw::strange_key, .line = line, .key = path_});
            continue;
        }
        const auto& key = one.first.Scalar();
        if (!seen.insert(key).second) {
            to({.what = flaw::double_key, .line = line, .key = full(key)});
        }
        entries_.push_back({.key = key, .line = line, .value = one.second});
    }
}

const mapping::entry* mapping::look_up(std::string_view key) const {
    const auto found = std::ranges::find(entries_, key, &entry::key);
    return found == entries_.end() ? nullptr : &*found;
}

bool mapping::has(std::string_view key) const {
    return look_up(key) != nullptr;
}

YAML::Node mapping::find(std::string_view key) const {
    if (std::ranges::find(asked_, key) == asked_.end()) {
        asked_.emplace_back(key);
    }
    const auto* found = look_up(key);
    return found != nullptr ? found->value : YAML::Node{YAML::NodeType::Undefined};
}

int mapping::line_of(std::string_view key) const {
    const auto* found = look_up(key);
    return found != nullptr ? found->line : line_;
}

std::string mapping::full(std::string_view key) const {
    return path_.empty() ? std::string{key} : key.empty() ? path_ : path_ + "." + std::string{key};
}

std::vector<mapping::entry> mapping::unknown() const {
    std::vector<entry> out;
    std::ranges::copy_if(entries_, std::back_inserter(out),
                         [&](const entry& e) { return std::ranges::find(asked_, e.key) == asked_.end(); });
    return out;
}

std::optional<std::vector<std::string>> texts_in(const YAML::Node& list) {
    if (!list.IsSequence()) {
        return std::nullopt;
    }
    std::vector<std::string> out;
    for (const auto& item : list) {
        if (!item.IsScalar()) {
            return std::nullopt;
        }
        out.push_back(item.Scalar());
    }
    return out;
}

} // namespace semel::yaml
