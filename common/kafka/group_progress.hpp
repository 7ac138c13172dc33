#pragma once
// How far a group is in some partitions, asked for again and again: over connections that stay, and with two requests
// a reading however many partitions there are. Blocking; never on an io thread, and one call at a time.

#include <base/fault.hpp>
#include <kafka/cluster.hpp>
#include <kafka/types.hpp>

#include <memory>
#include <string>
#include <vector>

namespace semel::kafka {

class group_progress {
  public:
    group_progress(cluster, std::string group, std::vector<topic_partition>);
    ~group_progress();

    struct position {
        topic_partition at;
        offset committed = 0; ///< 0: nothing yet
        offset end = 0;
    };
    /// In the order of the partitions. Does not insist: who asks again and again may be told that Kafka is away.
    base::result<std::vector<position>> read();

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::kafka
