#pragma once
// How long a process that writes transactions tries in vain before it starts anew: the one policy of the transactor and
// of the delivery engine. Pure.

#include <runtime/retry.hpp>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

namespace semel::kafka {

/// What counts is the time between tries that Kafka has refused, not the time that a try takes. A Kafka that is away
/// makes one try long: then a new process could only wait as well. One that answers and commits nothing for so long may
/// mean us: a new process has a new client, and reads back what stands.
class patience {
  public:
    struct limits {
        runtime::retry::pace between{.first = std::chrono::milliseconds{100}, .longest = std::chrono::seconds{2}};
        std::chrono::milliseconds whole = std::chrono::minutes{1};
    };
    /// `who` tries: "group receipts".
    patience(std::string who, limits l, std::uint32_t seed = std::random_device{}())
        : who_(std::move(who))
        , whole_(l.whole)
        , pauses_(l.between, seed) {}

    /// One more was in vain: how long to wait before the next. Throws std::runtime_error when that is enough.
    std::chrono::milliseconds failed();
    void committed() noexcept;

  private:
    std::string who_;
    std::chrono::milliseconds whole_;
    runtime::retry pauses_;
    std::chrono::milliseconds used_{0};
};

} // namespace semel::kafka
