#pragma once
// What waits because its campaign is paused.

#include <delivery/engine/partitions.hpp>

#include <cstdint>
#include <set>

namespace semel::delivery {

class parking {
  public:
    parking(const knowledge&, clock&, const partitions&);

    /// Its campaign is paused: it lies where it is, not reserved, and costs nothing. It expires by a time that is
    /// certain.
    bool stays(const partition&, const item&) const;

    /// What stays at the front holds what lies behind it. So when a campaign is resumed or cancelled, or something
    /// behind has passed its deadline, what was parked before is parked once more, at the end. To be called now and
    /// then.
    void send_round();

  private:
    bool any_resumed();

    const knowledge& campaigns_;
    clock& clock_;
    const partitions& partitions_;
    std::set<base::campaign_id> paused_; // as of `version_`
    std::uint64_t version_ = 0;
    base::instant looked_behind_{};
};

} // namespace semel::delivery
