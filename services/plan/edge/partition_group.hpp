#pragma once
// A process' share of `audience`: the group hands out partitions, nothing else. Positions are kept in `progress`, so no
// record is fetched through the group. Its committed offset of a partition is a turn: the count of the transactions
// made for the partition. Each of them carries it, and so Kafka refuses whoever no longer owns the partition, and a
// commit whose answer was lost can be told from the turn that stands (kafka/transactor.hpp). One strand.

#include "kafka_place.hpp"

#include <kafka/transactor.hpp>
#include <runtime/condition.hpp>
#include <semel/v1/audience.pb.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::plan {

/// What the group gave us, for one tenure.
class share {
  public:
    share(boost::asio::any_io_executor, kafka::tenure_ptr);

    const std::vector<std::int32_t>& partitions() const noexcept { return partitions_; }
    bool owns(std::int32_t partition) const;
    /// Finish the transaction at hand, begin no other.
    bool ending() const noexcept { return of_->ending(); }
    /// Of the next transaction for the partition.
    std::uint64_t next_turn(std::int32_t partition) const;
    /// The offset that a transaction with that turn commits.
    kafka::commit turn(std::int32_t partition) const;

    /// When it ends, and whenever there may be something to do.
    runtime::condition wake;

  private:
    friend class partition_group;
    const kafka::topic_partition& place_of(std::int32_t partition) const;

    kafka::tenure_ptr of_;
    std::vector<std::int32_t> partitions_;
};
using share_ptr = std::shared_ptr<share>;

class partition_group final : kafka::tenant {
  public:
    /// Called for each share; must return soon after it is ending.
    using work = std::function<boost::asio::awaitable<void>(share_ptr)>;

    /// `role` names the group, `writer` the transactional id of this process.
    partition_group(boost::asio::any_io_executor, kafka_place, const std::string& role, const std::string& writer,
                    work);

    /// Until stop(), or an exception of Kafka or of the work.
    boost::asio::awaitable<void> run();
    void stop();
    /// Lets the present work look around.
    void wake();

    /// The share's keys of `progress` that begin with one of the prefixes, up to the last transaction that was
    /// committed for each partition. Each transaction writes its turn into one of them, for every partition of it.
    using progress = std::map<std::string, v1::Progress>;
    boost::asio::awaitable<base::result<progress>> recover(share_ptr, std::vector<std::string> prefixes);
    /// stopping: the share is no longer ours, and nothing may be said in its name.
    boost::asio::awaitable<base::result<kafka::transaction>> begin(share_ptr);

  private:
    boost::asio::awaitable<std::vector<kafka::start>> take(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> read(kafka::tenure_ptr, kafka::records) override;
    boost::asio::awaitable<void> leave(kafka::tenure_ptr) override;
    boost::asio::awaitable<void> until_stopped();
    boost::asio::awaitable<void> until_failed();
    boost::asio::awaitable<void> at_rest();

    boost::asio::any_io_executor executor_;
    kafka_place place_;
    kafka::transactor transactor_;
    work work_;
    share_ptr share_;
    bool working_ = false;
    std::exception_ptr failure_;
    bool stopped_ = false;
    runtime::condition changed_; // working_, failure_ or stopped_
};

} // namespace semel::plan
