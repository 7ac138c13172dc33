#pragma once
// Internal: from "for so long" to "until then".

#include <chrono>

namespace semel::runtime {

/// steady_clock::time_point cannot hold now() + milliseconds::max().
inline std::chrono::steady_clock::time_point deadline_in(std::chrono::milliseconds wait) {
    using clock = std::chrono::steady_clock;
    const auto now = clock::now();
    const auto most = std::chrono::floor<std::chrono::milliseconds>(clock::time_point::max() - now);
    return wait < most ? now + wait : clock::time_point::max();
}

} // namespace semel::runtime
