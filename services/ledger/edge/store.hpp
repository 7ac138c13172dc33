#pragma once
// One batch of events, one PostgreSQL transaction: first the Kafka offsets move from where they must be, then
// everything else. Blocking; runs on the pool's thread.

#include <kafka/types.hpp>

#include <ledger/core/batch.hpp>

#include <map>
#include <string>

#include <pqxx/pqxx>

namespace semel::ledger {

/// The part of one partition that a batch holds: [from, to).
struct stretch {
    kafka::offset from = 0;
    kafka::offset to = 0;
};
using stretches = std::map<std::int32_t, stretch>; // by partition of one topic

enum class written : unsigned char {
    now,
    before, ///< the same batch was written, by us: an earlier commit's answer was lost
    moved,  ///< PostgreSQL stands elsewhere: another ledger wrote; nothing was done
};

class store {
  public:
    explicit store(std::string topic);

    /// Everything or nothing. Throws pqxx exceptions; repeating the call is safe after each of them.
    written write(pqxx::connection&, const batch&, const stretches&);
    /// Where to go on reading; 0 for a partition that nobody has read.
    std::map<std::int32_t, kafka::offset> positions(pqxx::connection&, const std::vector<std::int32_t>&);

  private:
    int number_of(pqxx::connection&, const std::string& campaign);

    std::string topic_;
    std::map<std::string, int> numbers_; // campaigns never lose theirs
};

} // namespace semel::ledger
