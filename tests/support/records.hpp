#pragma once
// Include where a test, or a process that a test starts, uses Kafka: all of them then share one key, and what they
// write is believed by what they read. What is refused is counted.

#include <crypto/hash.hpp>
#include <kafka/trust.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace semel::support {

inline crypto::key_ring records_ring() {
    static const crypto::key_ring ring{{*crypto::key256::from(base::as_view(crypto::sha256("semel's tests")))}};
    return ring;
}

/// What this process refused so far: where, and why.
class refused_list {
  public:
    void add(const kafka::refused_record& r) {
        const std::lock_guard lock{guard_};
        all_.emplace_back(r.at.topic + "/" + std::to_string(r.at.partition) + " " + std::to_string(r.offset), r.why);
    }
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

inline const bool records_are_believed =
    (kafka::trust(records_ring(), [](const kafka::refused_record& r) { refused().add(r); }), true);

} // namespace semel::support
