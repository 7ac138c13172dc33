#pragma once
// Which refusals are written down: each by itself while they are few; of a flood one a second, which says how many it
// stands for. Otherwise strangers could fill the disk. Pure; one strand.

#include <chrono>
#include <cstdint>
#include <optional>

namespace semel::api {

class denial_record {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    struct limits {
        int burst = 60;
        std::chrono::milliseconds every{1'000};
    };

    denial_record() = default;
    explicit denial_record(limits l)
        : limits_(l) {}

    /// One more refusal. How many an entry stands for that is written now; nothing: it is counted in the next.
    std::optional<std::int64_t> denied(time_point now);

  private:
    limits limits_;
    time_point paid_{}; // until when the entries so far use up what is allowed
    std::int64_t unwritten_ = 0;
};

} // namespace semel::api
