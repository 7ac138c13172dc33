#include "deadline.hpp"

#include <notice/deadline.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace semel::api {
namespace {

using namespace std::chrono_literals;

constexpr auto default_length = std::chrono::days{7};
constexpr auto least_left = 24h;

std::string in_words(base::timestamp at) {
    return base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(at));
}

std::int64_t hours(base::duration d) {
    return std::chrono::floor<std::chrono::hours>(d).count();
}

base::timestamp beginning(const v1::Campaign& c, base::timestamp now) {
    return std::max(now, base::from_us(c.start_us()));
}

/// From where the law counts.
std::string basis_of(const notice::legal_deadline& law) {
    return law.delayed_by.empty() ? fmt::format("{} hours after aware_at", law.within.count())
                                  : "the end of " + law.delayed_by;
}

void give(v1::Campaign& c, base::timestamp at, std::string basis) {
    c.set_deadline_us(base::to_us(std::chrono::floor<std::chrono::seconds>(at)));
    c.set_deadline_basis(std::move(basis));
}

} // namespace

void set_default_deadline(v1::Campaign& c, const notice::notice_source& source, base::timestamp now) {
    if (c.deadline_us() != 0) {
        return;
    }
    const auto from = beginning(c, now);
    const auto* since = from > now ? "the start" : "the creation";
    const auto law = notice::legal_deadline_of(source);
    if (law && law->at >= from + least_left) {
        give(c, law->at, fmt::format("{}, by {}", basis_of(*law), law->jurisdiction));
    } else if (law) {
        give(c, from + default_length,
             fmt::format("7 days after {}; the {} hours of {} {} at {}", since, law->within.count(), law->jurisdiction,
                         law->at < now ? "ended" : "leave less than a day, they end", in_words(law->at)));
    } else {
        give(c, from + default_length,
             fmt::format("7 days after {}; no law that the notice names counts in hours", since));
    }
}

void renew_default_deadline(v1::Campaign& c, base::timestamp now) {
    const auto from = beginning(c, now);
    if (c.deadline_basis().empty() || base::from_us(c.deadline_us()) >= from + least_left) {
        return;
    }
    give(c, from + default_length,
         fmt::format("7 days after {}; of the deadline before, {}, less than a day was left",
                     from > now ? "the start" : "the launch", in_words(base::from_us(c.deadline_us()))));
}

std::optional<std::string> legal_warning(const notice::notice_source& source, const v1::Campaign& c,
                                         base::timestamp now) {
    const auto law = notice::legal_deadline_of(source);
    if (!law) {
        return std::nullopt;
    }
    const auto duty =
        fmt::format("{} wants people told {}, by {}", law->jurisdiction,
                    law->delayed_by.empty() ? fmt::format("within {} hours of aware_at", law->within.count())
                                            : "at once after " + law->delayed_by,
                    in_words(law->at));
    if (now > law->at) {
        return fmt::format("{}: missed by {} hours, unless an earlier notice was in time. It goes out all the same",
                           duty, hours(now - law->at));
    }
    if (c.deadline_us() == 0 || base::from_us(c.deadline_us()) > law->at) {
        return fmt::format("{}, in {} hours: the campaign's own deadline is later and does not watch over that", duty,
                           hours(law->at - now));
    }
    return std::nullopt;
}

} // namespace semel::api
