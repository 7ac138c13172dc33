#pragma once
// Gives back the room of a partition's oldest records. Partitions are shared by campaigns, and Kafka deletes only what
// lies below an offset: so up to the first record that somebody still needs, found by reading. One strand.

#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <string>

namespace semel::kafka {

class sweeper {
  public:
    using needed = std::function<bool(const record&)>;

    /// Whoever answers `needed` must be sure for good: what is not needed is gone. A record that cannot be told must be
    /// needed.
    sweeper(boost::asio::any_io_executor, cluster, needed);

    /// For each partition: deletes what lies below its offset (the low water of who reads it) and below the first
    /// record that is needed. What is deleted is not read again; a second of reading for one partition and call at
    /// most. A fault leaves what it did not come to.
    boost::asio::awaitable<base::result<void>> sweep(std::vector<start> below);

  private:
    boost::asio::awaitable<base::result<offset>> first_needed(start below);

    needed needed_;
    reader reader_;
    admin admin_;
    std::map<topic_partition, offset> deleted_;
    boost::asio::thread_pool thread_{1}; // last: its work uses what is above
};

} // namespace semel::kafka
