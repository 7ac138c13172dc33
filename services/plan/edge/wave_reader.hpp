#pragma once
// The records of one wave in some partitions of `audience`, opened and hashed. Records of other waves that lie between
// are passed over; a record that nobody can read is handed out as such, never skipped. One strand; the opening and
// hashing, most of the work, has a thread of its own, so that Kafka and Redis need not wait for it.

#include "kafka_place.hpp"

#include <catalog/catalog.hpp>
#include <kafka/consumer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <plan/core/leader.hpp>

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace semel::plan {

struct chunk {
    std::int32_t partition = 0;
    kafka::offset offset = 0;
    v1::AudienceChunk content;
    std::vector<person> people; // one for each recipient of the content
    std::string unreadable;     // why; then content and people are empty
    std::string raw;            // the record as it came, when it is unreadable
    std::uint64_t rows = 0;     // as the record says
};

/// [next, end) of a partition.
struct stretch {
    std::int32_t partition = 0;
    kafka::offset next = 0;
    kafka::offset end = 0;
    /// A chunk that begins behind this row is left unread, with all that follow it in the partition.
    std::uint64_t last_row = std::numeric_limits<std::uint64_t>::max();
    friend bool operator==(const stretch&, const stretch&) = default;
};

class wave_reader {
  public:
    wave_reader(boost::asio::any_io_executor, const kafka_place&);

    /// Goes on with what is fetched already where these stretches are what was left of the last ones: to begin anew
    /// costs tenths of a second, and megabytes that Kafka sends twice.
    void start(catalog::campaign_ptr, const v1::Wave&, const std::vector<stretch>&);
    /// Up to `at_most` chunks in offset order of each partition; empty when every stretch has been read.
    boost::asio::awaitable<std::vector<chunk>> next(std::size_t at_most);
    /// By partition, where the next chunk begins behind its stretch's last row: where release stands once all chunks
    /// before that one are released.
    const std::map<std::int32_t, kafka::offset>& held() const noexcept { return held_; }
    /// How often start() has begun to fetch anew.
    std::uint64_t begun() const noexcept { return begun_; }

  private:
    bool goes_on(const catalog::campaign&, std::uint32_t upload, const std::map<std::int32_t, stretch>&) const;
    bool reading() const;
    void assign();
    void take(const kafka::record&);
    struct raw_chunk {
        std::int32_t partition = 0;
        kafka::offset offset = 0;
        v1::AudienceRecord record;
        std::string unreadable;
        std::string raw;
    };
    static chunk open(const catalog::campaign&, raw_chunk);

    std::string topic_;
    kafka::reader reader_;
    catalog::campaign_ptr campaign_;
    std::uint32_t upload_ = 0;              // that the wave came from: its records carry this number
    std::map<std::int32_t, stretch> asked_; // less what next() has given away
    std::map<std::int32_t, stretch> left_;  // stretches that are not read to their end
    std::deque<raw_chunk> fetched_;
    std::map<std::int32_t, kafka::offset> behind_last_; // of each stretch: one past the last chunk of the wave
    std::map<std::int32_t, kafka::offset> held_;
    std::uint64_t begun_ = 0;
    boost::asio::thread_pool opener_{1};
};

} // namespace semel::plan
