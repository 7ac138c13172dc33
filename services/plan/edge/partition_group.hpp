#pragma once
// A process' share of `audience`: the group hands out partitions, nothing else. Positions are kept in `progress`, so no
// record is fetched through the group. Its committed offset of a partition is a turn: the count of the transactions
// made for the partition. Each of them carries it, and so Kafka refuses whoever no longer owns the partition. One
// strand.

#include "kafka_place.hpp"

#include <kafka/consumer.hpp>
#include <runtime/condition.hpp>
#include <semel/v1/audience.pb.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace semel::plan {

/// One assignment. The membership is taken once, here: fresh metadata would let Kafka accept offsets of partitions that
/// are not ours any more.
struct share {
    explicit share(boost::asio::any_io_executor e)
        : wake(std::move(e)) {}

    std::vector<std::int32_t> partitions;
    std::shared_ptr<const kafka::membership> as;
    bool ending = false;     // finish the transaction at hand, begin no other
    runtime::condition wake; // when ending is set, and whenever there may be something to do

    bool owns(std::int32_t partition) const;
};

class partition_group {
  public:
    /// Called for each assignment; must return soon after share.ending is set.
    using work = std::function<boost::asio::awaitable<void>(std::shared_ptr<share>)>;

    partition_group(boost::asio::any_io_executor, kafka_place, std::string group, work);

    /// Until stop(), or an exception of Kafka or of the work.
    boost::asio::awaitable<void> run();
    void stop();
    /// Lets the present work look around.
    void wake();

    /// The share's turns, and its keys of `progress` that begin with one of the prefixes: read in this order, after all
    /// transactions of former owners are decided, and up to the last one that was committed. Each
    /// transaction writes its turn into one of them, for every partition of it.
    struct position {
        std::map<std::int32_t, std::uint64_t> turns;
        std::map<std::string, v1::Progress> progress;
    };
    boost::asio::awaitable<base::result<position>> recover(std::shared_ptr<share>, std::vector<std::string> prefixes);

  private:
    boost::asio::awaitable<void> take(const kafka::assigned&);
    boost::asio::awaitable<void> leave();

    boost::asio::any_io_executor executor_;
    kafka_place place_;
    std::string topic_;
    kafka::consumer consumer_;
    work work_;
    std::shared_ptr<share> share_;
    bool working_ = false;
    std::exception_ptr failure_;
    runtime::condition idle_;
    bool stopped_ = false;
    runtime::condition stopping_;
};

} // namespace semel::plan
