#pragma once
// Reads a YAML mapping into typed values and collects every complaint, in semel.yaml's words. Inside common/config
// only.

#include <config/values.hpp>

#include <yaml/mapping.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace semel::config {

struct complaints {
    std::string file;
    std::vector<std::string> lines;
    std::map<std::string, int> places = {}; // the line of each key, from 1

    void add(int line, std::string_view key, std::string_view why);
    yaml::complain shapes(); // to this; it must live as long
};

/// One mapping. Each reader leaves the default alone when the key is absent and complains when its value will not do.
/// finish() then refuses the keys that nobody asked for.
class section {
  public:
    section(const YAML::Node& node, std::string key, complaints& to);

    void read(std::string_view key, std::string& out);
    void read(std::string_view key, bool& out);
    /// `key: [one, another]`
    void read(std::string_view key, std::vector<std::string>& out);
    void read(std::string_view key, rate& out);
    void read(std::string_view key, std::chrono::milliseconds& out, std::chrono::milliseconds least,
              std::chrono::milliseconds most);
    void read(std::string_view key, std::chrono::seconds& out, std::chrono::seconds least, std::chrono::seconds most);
    template <class Integer>
        requires std::is_integral_v<Integer>
    void read(std::string_view key, Integer& out, std::int64_t least, std::int64_t most) {
        if (const auto value = integer(key, least, most)) {
            out = static_cast<Integer>(*value);
        }
    }
    /// A path relative to `folder`.
    void read_path(std::string_view key, path& out, const path& folder);
    /// `key: [FILE, …]`, each relative to `folder`; not empty.
    void read_paths(std::string_view key, std::vector<path>& out, const path& folder);
    /// A value of one of the small languages of values.hpp.
    template <class T>
    void read_as(std::string_view key, T& out, base::result<T> (*parse)(std::string_view)) {
        if (const auto text = scalar(key)) {
            if (auto value = parse(*text)) {
                out = *std::move(value);
            } else {
                complain(key, value.error().why());
            }
        }
    }
    template <class Enum>
    void read_word(std::string_view key, Enum& out, std::initializer_list<std::pair<std::string_view, Enum>> words) {
        const auto text = scalar(key);
        if (!text) {
            return;
        }
        std::string choices;
        for (const auto& [word, value] : words) {
            if (*text == word) {
                out = value;
                return;
            }
            choices += choices.empty() ? "" : ", ";
            choices += word;
        }
        complain(key, "\"" + *text + "\" is not one of " + choices);
    }

    /// `key: {…}`; calls nothing when the key is absent.
    void inside(std::string_view key, const std::function<void(section&)>& each);
    /// `key: [{…}, {…}]`
    void each(std::string_view key, const std::function<void(section&)>& each);
    /// `key: {name: value}` with names that the file chooses.
    void entries(std::string_view key,
                 const std::function<void(const std::string& name, const std::string& value)>& each);
    /// `key: {name: [one, another]}` with names that the file chooses; no list is empty.
    void lists(std::string_view key,
               const std::function<void(const std::string& name, std::vector<std::string> values)>& each);

    bool has(std::string_view key) const { return map_.has(key); }
    /// "redis", "gateways.sms[0].smpp"
    const std::string& key() const noexcept { return map_.path(); }
    void need(std::initializer_list<std::string_view> keys);
    void complain(std::string_view key, std::string_view why);
    void finish();

  private:
    std::optional<std::string> scalar(std::string_view key);
    std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);

    complaints& to_;
    yaml::mapping map_;
};

} // namespace semel::config
