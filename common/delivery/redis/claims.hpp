#pragma once
// The claims of a dispatcher in Redis: taken just before the bytes that make a gateway accept, given an outcome just
// after its answer (docs/exactly-once.md). One partition's head and claims share a hash tag.
//
//   {d:TOPIC:PARTITION}:head       owner, marker, run_id, replid, closing
//   {d:TOPIC:PARTITION}:c:BLOCK    notification+attempt -> what core/claim_value.hpp says; a block is 1,024 offsets
//
// One strand. Requests of one partition that are made while another of it is under way travel together.

#include <delivery/core/checkpoint.hpp>
#include <delivery/core/claim_value.hpp>
#include <redis/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::delivery {

/// Names a claim: where its record stands, and what it is for.
struct claim_ref {
    kafka::offset at = 0;
    std::string field;       // notification id and attempt
    std::uint32_t parts = 1; // of the message
};

enum class claim_answer : unsigned char {
    mine,        ///< release the last bytes
    stale,       ///< the head is not the one we wrote: nothing was claimed; Redis lost it, or we lost the partition
    taken,       ///< it was claimed before: it may be out
    unreachable, ///< not known whether it was claimed: ask again
};

struct head {
    std::uint64_t owner = 0;
    delivery::marker marker{};
    redis::server_identity server;
    friend bool operator==(const head&, const head&) = default;
};

/// The claims of one partition under one owner.
class claims {
  public:
    claims(boost::asio::any_io_executor, redis::client&, const kafka::topic_partition&);
    ~claims();

    /// Taking over: writes our owner number into the head, or a new head with `fresh` where there is none. Answers
    /// what stood there before (nothing: no head); `permanent` when a larger owner stands there.
    boost::asio::awaitable<base::result<std::optional<head>>> raise(std::uint64_t owner, marker fresh);
    /// After a loss, while we live: a new head and all open claims in one script. `permanent`: a larger owner.
    boost::asio::awaitable<base::result<void>> rebuild(const head&,
                                                       std::vector<std::pair<claim_ref, std::string>> open);
    /// What the claims say, in the order asked; nothing: unclaimed. `malformed`: the head is not this one, so an absent
    /// claim proves nothing. Writes nothing: a head made here would make lost claims look like none.
    boost::asio::awaitable<base::result<std::vector<std::optional<std::string>>>> look_up(const head&,
                                                                                          std::vector<claim_ref>);

    /// The head that take() must find. Set after the commit that followed the writing of it.
    void use(const head&);
    /// `gateway`: where it is about to go, so that a resend can stay with it. `again`: asked for before without an
    /// answer, so a claim of this owner is this one; otherwise it is another record's of the same message.
    boost::asio::awaitable<claim_answer> take(claim_ref, std::string gateway, bool again);
    /// Sends the outcome off; evidence, so nobody waits for it.
    void note(claim_ref, const claim_outcome&);
    /// Forgets the blocks that lie wholly below `next`, whose commit is known to have succeeded.
    void drop_below(kafka::offset next);

    static constexpr kafka::offset block_size = 1'024;

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::delivery
