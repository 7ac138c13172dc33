#pragma once
// What the next transaction will say besides its offsets: events and retry records, each bound to the partition whose
// range it settles. One strand.

#include <delivery/engine/partition.hpp>
#include <semel/v1/events.pb.h>

#include <cstddef>
#include <string>
#include <vector>

namespace semel::delivery {

struct outgoing {
    partition_ptr source;           // whose settlement this is part of
    v1::Event event = {};           // kind unspecified: none
    kafka::topic_partition to = {}; // of `record`; topic empty: none
    std::string key = {};
    std::string record = {};
    bool evidence = false; // true even if the partition is lost: a gateway's answer
};

class outbox {
  public:
    void add(outgoing);
    /// There is more to commit than waiting for the next round is worth.
    void hurry();
    bool hurried() const noexcept { return hurried_; }
    fact pressed; // it is hurried

    /// All that may be said now; what is another owner's to decide is left out for good.
    std::vector<outgoing> take();
    /// Before all else: they were not said.
    void put_back(std::vector<outgoing>);

  private:
    std::vector<outgoing> waiting_;
    bool hurried_ = false;
};

/// Takes out what must not be emitted because its partition was lost: another owner decides about it now.
void keep_evidence_only_of_lost(std::vector<outgoing>&);

} // namespace semel::delivery
