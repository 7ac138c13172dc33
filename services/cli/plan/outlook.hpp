#pragma once
// When a campaign would be done at given rates, whether that is before its deadline, and what would help. As release
// does it: each channel goes its own way, and a campaign's own rate is shared out so that all end together. Pure.

#include <base/time.hpp>

#include <cli/plan/load.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace semel::cli::plan {

/// Submissions a second that go through it, in all. The part "" of a channel is the channel as a whole.
using rates = std::map<part, double>;

struct question {
    plan::load load;
    plan::rates rates;
    unsigned sms_parts = 1; ///< submissions of one message: an SMS counts part by part
    double own_rate = 0;    ///< of the campaign, messages a second; 0: none
    base::timestamp begins;
    std::optional<base::timestamp> deadline;
};

/// How one thing that messages pass through fares.
struct course {
    std::uint64_t addresses = 0, messages = 0, submissions = 0;
    std::string narrowest;      ///< the part whose rate decides; empty: the whole
    double per_second = 0;      ///< 0: nobody knows
    double narrow_messages = 0; ///< submissions that pass the narrowest part
    std::optional<base::timestamp> done;
    std::optional<double> needs; ///< the rate at which it would be done by the deadline
    bool late = false;
};

struct outlook {
    std::map<base::channel, course> channels; ///< those that have messages
    std::optional<course> own;                ///< the campaign's own rate
    std::optional<base::channel> slowest;     ///< nothing: the campaign's own rate decides, or nobody knows
    std::optional<base::timestamp> done;      ///< of everything
    std::optional<bool> in_time;              ///< nothing without a deadline, or when that cannot be said
};

outlook foresee(const question&);

} // namespace semel::cli::plan
