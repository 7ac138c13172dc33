#include "settings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace semel::api {
namespace {

using namespace std::chrono_literals;

// Typing the command and sending it takes a while.
constexpr auto just_now = 5min;
constexpr auto a_year = std::chrono::days{366};

auto refused(std::string why) {
    return base::failed(base::fault::kind::malformed, std::move(why));
}

} // namespace

base::result<std::vector<std::string>> judge_settings(const v1::Campaign& c, base::timestamp now) {
    const auto start = base::from_us(c.start_us());
    const auto deadline = base::from_us(c.deadline_us());
    const bool starts_later = c.start_us() != 0;
    std::vector<std::string> warnings;
    if (starts_later && start < now - just_now) {
        warnings.push_back(fmt::format("start: {} is past (it is {}): sending begins with the launch",
                                       base::to_rfc3339(start), base::to_rfc3339(now)));
    }
    if (starts_later && start > now + a_year) {
        warnings.push_back(
            fmt::format("start: {} is more than a year away: is the year right?", base::to_rfc3339(start)));
    }
    if (c.deadline_us() == 0) {
        return warnings;
    }
    if (deadline <= now && c.deadline_basis().empty()) {
        return refused(fmt::format("deadline: {} is past (it is {}), so nothing would be sent: choose a later one, or "
                                   "none",
                                   base::to_rfc3339(deadline), base::to_rfc3339(now)));
    }
    if (starts_later && start >= deadline) {
        return refused(fmt::format("start: {} is not before the deadline {}, so nothing would be sent: choose an "
                                   "earlier start or a later deadline",
                                   base::to_rfc3339(start), base::to_rfc3339(deadline)));
    }
    const auto begins = std::max(now, start);
    if (deadline > begins && std::chrono::seconds{c.in_doubt_after_s()} >= deadline - begins) {
        warnings.push_back(fmt::format("in_doubt_after: evidence is waited for until after the deadline {}: what is in "
                                       "doubt is then not sent again",
                                       base::to_rfc3339(deadline)));
    }
    return warnings;
}

} // namespace semel::api
