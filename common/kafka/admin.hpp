#pragma once
// Topics, groups and the checks at start-up. Blocking; for tools and start-up code, never for an io thread.

#include <base/fault.hpp>
#include <base/topic_spec.hpp>
#include <kafka/cluster.hpp>
#include <kafka/types.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace semel::kafka {

using base::topic_spec;

class admin {
  public:
    explicit admin(cluster);
    ~admin();

    base::result<void> wait_until_ready(std::chrono::milliseconds deadline);
    /// Creates what is missing; a topic that exists with fewer partitions or another cleanup policy is a fault.
    base::result<void> create_topics(std::span<const topic_spec>);
    base::result<void> delete_topics(std::span<const std::string>);
    /// Writes offset 0 for each partition of the topics for which the group has none. The group must be empty.
    base::result<void> write_first_offsets(const std::string& group, std::span<const topic_spec>);
    base::result<std::map<std::string, std::string>> topic_config(const std::string& topic);
    base::result<std::map<std::string, std::string>> broker_config();
    base::result<std::int32_t> partitions(const std::string& topic);
    /// Gives back the room of the records below these offsets. For good: only what nobody will read again.
    base::result<void> delete_records(std::span<const start> below);
    /// Where each partition ends. Asks no group, and so needs no right on one.
    base::result<std::vector<start>> ends(const std::string& topic);
    /// Committed offset (-1: none) and end offset for each partition.
    struct lag {
        topic_partition at;
        offset committed = 0;
        offset end = 0;
        std::string metadata;
    };
    base::result<std::vector<lag>> group_lag(const std::string& group, const std::string& topic);

  private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace semel::kafka
