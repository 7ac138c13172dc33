#pragma once
// Include where a test wants to know which records its process refused.

#include <kafka/refusal.hpp>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace semel::support {

class refused_list {
  public:
    void add(const kafka::refused_record& r) {
        const std::lock_guard lock{guard_};
        all_.emplace_back(r.at.topic + "/" + std::to_string(r.at.partition) + " " + std::to_string(r.offset), r.why);
    }
    /// Where, and why.
    std::vector<std::pair<std::string, std::string>> of(const std::string& topic) const {
        const std::lock_guard lock{guard_};
        std::vector<std::pair<std::string, std::string>> out;
        for (const auto& one : all_) {
            if (one.first.starts_with(topic + "/")) {
                out.push_back(one);
            }
        }
        return out;
    }

  private:
    mutable std::mutex guard_;
    std::vector<std::pair<std::string, std::string>> all_;
};
inline refused_list& refused() {
    static refused_list all;
    return all;
}

inline const bool refusals_are_listed =
    (kafka::tell_refusals_to([](const kafka::refused_record& r) { refused().add(r); }), true);

} // namespace semel::support
