#pragma once
// A YAML mapping of a notice read key by key, each complaint as a problem with its line and its mend.

#include <notice/problem.hpp>
#include <notice/source.hpp>

#include <yaml/mapping.hpp>

#include <map>
#include <optional>
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
    yaml_map(const YAML::Node&, std::string path, complaints&);
    std::optional<YAML::Node> find(std::string_view key, presence) const;
    void wrong(std::string_view key, std::string_view what, std::string_view mend) const;

    yaml::mapping map_;
    complaints* out_;
};

} // namespace semel::notice
