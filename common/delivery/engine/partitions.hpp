#pragma once
// The partitions that are ours, and how many of their records lie in memory.

#include <delivery/engine/partition.hpp>
#include <telemetry/log.hpp>

#include <cstddef>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::delivery {

class partitions {
  public:
    /// `fetched`: records of one partition in memory, at most.
    partitions(log_reader&, clock&, telemetry::logger&, std::size_t fetched);

    void add(const std::vector<partition_ptr>&);
    void remove(const std::vector<partition_ptr>&);
    partition_ptr find(const kafka::topic_partition&) const;
    const std::vector<partition_ptr>& all() const noexcept { return order_; }
    /// The next in turn. There must be one.
    partition_ptr next() noexcept;

    void enqueue(partition&, item);
    item take_front(partition&);

    /// This process is not the owner after all, whatever the group says.
    void lose(partition&, std::string_view why);

    /// Something of what a workload counts has ended, or a rebuild has.
    fact work_ended;

  private:
    void balance_fetching(partition&);

    log_reader& reader_;
    clock& clock_;
    telemetry::logger& log_;
    std::size_t fetched_;
    std::map<kafka::topic_partition, partition_ptr> by_place_;
    std::vector<partition_ptr> order_; // round robin over them
    std::size_t last_given_ = 0;       // index into order_
};

/// Counts one more of a partition's workload for as long as it lives.
class at_work {
  public:
    at_work(partitions& all, partition_ptr of, std::size_t workload::* what)
        : all_(&all)
        , of_(std::move(of))
        , what_(what) {
        ++(of_->load.*what_);
    }
    at_work(at_work&&) = default;
    at_work& operator=(at_work&&) = delete;
    ~at_work() {
        if (of_) { // not moved from
            --(of_->load.*what_);
            all_->work_ended.changed();
        }
    }

  private:
    partitions* all_;
    partition_ptr of_;
    std::size_t workload::* what_;
};

} // namespace semel::delivery
