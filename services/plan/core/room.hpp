#pragma once
// How the room of one channel is shared among campaigns. Half of it goes to all alike, so that none is starved and a
// small campaign that comes last is soon done. The other half goes by need, which is what is left against the time that
// is left: the earliest deadline comes first. Pure.

#include <base/time.hpp>

#include <map>
#include <span>
#include <string>
#include <vector>

namespace semel::plan {

/// A campaign that has messages for the channel.
struct applicant {
    std::string campaign;
    double left = 0;       // messages, about
    double wants = 0;      // of these, now: its own rate may allow fewer
    base::duration time{}; // until its deadline
};

/// The parts in the order of the applicants. What one does not want goes to the others. When all have what they want,
/// the rest is shared out too: `wants` is an estimate, and room that nobody may use is lost.
std::vector<double> divided(double room, std::span<const applicant>);

/// One channel's room from round to round. A part may be smaller than a batch: whoever has one takes a whole batch and
/// is then in debt until the others have had as much.
class shared_room {
  public:
    /// A new round: divides the room anew and keeps debts. Who does not apply is forgotten.
    void begin(double room, std::span<const applicant>);
    /// Messages that the campaign may release; not positive: none.
    double left(const std::string& campaign) const;
    void spend(const std::string& campaign, double messages);

  private:
    std::map<std::string, double> left_;
};

} // namespace semel::plan
