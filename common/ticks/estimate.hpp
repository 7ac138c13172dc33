#pragma once
// What the broker's clock shows, judged by records that serve no other end. The broker appended each of them after we
// sent it and before we heard of it. Both ends are read on the steady clock, so that a step of this host's wall clock
// moves nothing, and is seen at once. Pure.

#include <base/instant.hpp>
#include <base/known_time.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace semel::ticks {

struct tick {
    base::instant sent;
    base::timestamp appended; ///< by the broker's clock, in whole milliseconds
    base::instant told;
};

/// The time lies between these.
struct span {
    base::timestamp earliest;
    base::timestamp latest;
};

class estimate {
  public:
    /// What took longer says too little.
    static constexpr base::duration slowest = std::chrono::seconds{5};
    /// Without a newer tick nothing is known any more.
    static constexpr base::duration kept = std::chrono::seconds{60};

    /// In the order in which they were told. One that contradicts those before it is right: a clock was set, or this
    /// host slept.
    void take(const tick&);
    std::optional<span> at(base::instant now) const;

  private:
    /// The broker's clock minus the steady one.
    struct bounds {
        base::duration low;
        base::duration high;
        base::instant as_of;
    };
    static bounds aged(const bounds&, base::instant now);

    std::optional<bounds> known_;
};

/// So far a host's clock may be from the broker's.
inline constexpr base::duration tolerance = std::chrono::seconds{2};

/// How far this host's clock is ahead (negative: behind), if that is certainly more than the tolerance.
std::optional<base::duration> difference(const span& broker, base::timestamp wall);
/// Only where both clocks agree there is a time to decide by: which of two is wrong, nobody can know.
base::known_time judge(const std::optional<span>& broker, base::timestamp wall);

/// "2 h 5 min ahead of", "3.1 s behind".
std::string in_words(base::duration ahead);

} // namespace semel::ticks
