#pragma once
// A YAML mapping that is read key by key, with the line of everything, and what is wrong with its shape. Who reads it
// says that in words of its own (config/reader.hpp, notice/yaml_reader.hpp). Pure; outside bytes.

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::yaml {

enum class flaw {
    not_yaml,        ///< `detail`: the parser's words
    second_document, ///< only one can hold
    not_a_mapping,
    strange_key, ///< no plain word
    double_key,  ///< yaml-cpp keeps both and finds the first: the second would be ignored in silence
};
struct complaint {
    flaw what = flaw::not_yaml;
    int line = 1;    // from 1
    std::string key; // in full, "gateways.sms[0].name"; empty: the file
    std::string detail = {};
};
using complain = std::function<void(const complaint&)>;

/// The document in a text; null when it is empty, nothing (and a complaint) when it is no YAML.
std::optional<YAML::Node> document_in(const std::string& text, const complain&);

class mapping {
  public:
    struct entry {
        std::string key;
        int line = 1;
        YAML::Node value;
    };

    /// A null is an empty mapping. `path`: its key in full; empty for a document. Complains about its shape.
    mapping(const YAML::Node&, std::string path, const complain&);

    const std::string& path() const noexcept { return path_; }
    /// In the file's order; strange keys left out, doubles not.
    const std::vector<entry>& entries() const noexcept { return entries_; }
    bool has(std::string_view key) const;
    /// Asks for a key; undefined when it is not there.
    YAML::Node find(std::string_view key) const;
    /// Of the key; of the mapping when it is not there.
    int line_of(std::string_view key) const;
    /// "gateways.sms[0].name"
    std::string full(std::string_view key) const;

    /// What find() was called with.
    const std::vector<std::string>& asked() const noexcept { return asked_; }
    /// What nobody has asked for.
    std::vector<entry> unknown() const;

  private:
    const entry* look_up(std::string_view key) const;

    std::string path_;
    int line_ = 1;
    std::vector<entry> entries_;
    mutable std::vector<std::string> asked_;
};

/// Of a list of plain values; nothing when it is something else.
std::optional<std::vector<std::string>> texts_in(const YAML::Node&);

} // namespace semel::yaml
