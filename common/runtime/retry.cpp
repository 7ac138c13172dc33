#include "retry.hpp"

#include <algorithm>

namespace semel::runtime {

std::chrono::milliseconds retry::next() {
    const auto most = std::min(most_, pace_.longest).count();
    most_ = std::min(2 * most_, pace_.longest);
    return std::chrono::milliseconds{std::uniform_int_distribution{most / 2, most}(random_)};
}

} // namespace semel::runtime
