#pragma once
// A YAML map read key by key, each complaint with its line; what nobody asked for is unknown.

#include <notice/problem.hpp>
#include <notice/source.hpp>

#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

class yaml_map {
  public:
    enum presence : bool { optional, required };

    /// Nothing (and a complaint) when the text is not a YAML map.
    static std::optional<yaml_map> load(const std::string& text, complaints&);

    std::string string(std::string_view key, presence = optional) const;
    std::vector<std::string> strings(std::string_view key) const;
    std::map<std::string, std::string> string_map(std::string_view key) const;
    /// "text" or {ko: "text", en: "text"}.
    localized localised(std::string_view key, presence = optional) const;
    std::optional<yaml_map> map(std::string_view key, presence = optional) const;
    std::vector<std::string> keys() const;

    /// Of the value where it stands on its key's line or below; of this map when the key is missing.
    int line_of(std::string_view key) const;
    /// Call when all known keys have been asked for.
    void refuse_unknown() const;

  private:
    yaml_map(YAML::Node node, std::string path, complaints& out)
        : node_(std::move(node))
        , path_(std::move(path))
        , out_(&out) {}
    std::optional<YAML::Node> find(std::string_view key, presence) const;
    std::string full(std::string_view key) const;
    void wrong(std::string_view key, std::string_view what, std::string_view mend) const;

    YAML::Node node_;
    std::string path_; // "sender."
    complaints* out_;
    mutable std::set<std::string, std::less<>> asked_;
};

} // namespace semel::notice
