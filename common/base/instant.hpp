#pragma once
// Time for waiting: a step of the wall clock does not move it. It means nothing to another process, nor after a
// restart.

#include <base/time.hpp>

#include <chrono>

namespace semel::base {

using instant = std::chrono::time_point<std::chrono::steady_clock, duration>;

inline instant instant_now() noexcept {
    return std::chrono::time_point_cast<duration>(std::chrono::steady_clock::now());
}

} // namespace semel::base
