#pragma once
// The part [next, end) of one Kafka partition that a dispatcher has reserved, and what in it is settled: the memory
// behind "each message once" (docs/exactly-once.md). Pure; one strand.
//
// The rule that everything rests on: a record may be sent only when its offset lies below an `end` that Kafka has
// *committed*. Whoever takes the partition over then knows every record that may be out.

#include <kafka/types.hpp>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace semel::delivery {

/// One bit for each offset of a range, from its first.
class bitmap {
  public:
    bitmap() = default;
    explicit bitmap(std::string bytes)
        : bytes_(std::move(bytes)) {}

    bool test(std::size_t i) const noexcept;
    void set(std::size_t i);
    /// Little-endian bits; trailing zero bytes are left out.
    const std::string& bytes() const noexcept { return bytes_; }

  private:
    std::string bytes_;
};

/// What an offset commit says about a partition. `next` is the committed offset itself.
struct range {
    kafka::offset next = 0; ///< every record below it is settled
    kafka::offset end = 0;  ///< one past the last reserved record; never below next
    bitmap settled;         ///< bit i: the record at next + i is settled
};

class window {
  public:
    /// Starts from what is committed.
    explicit window(range committed);

    enum class arrival {
        done,      ///< settled by an earlier owner: skip it
        inherited, ///< reserved and not settled by an earlier owner: may be out
        fresh,     ///< nobody may have sent it
    };
    /// A record was read. Offsets must rise; gaps (transaction markers) are normal.
    arrival arrived(kafka::offset at);
    /// Below `next`, what has not arrived is not a record.
    void passed(kafka::offset next);

    /// Asks that the next `count` unreserved records that have arrived be part of the next proposal, as far as the
    /// checkpoint has room.
    void reserve(std::size_t count);
    bool sendable(kafka::offset at) const noexcept { return at < committed_end_; }

    /// The record will not be sent any more: its outcome is in the same transaction as the next proposal. Only what is
    /// sendable can be settled: a commit says nothing about records above its end.
    void settle(kafka::offset at);

    /// What the next commit should say.
    range propose() const;
    /// The commit that said so is known to have succeeded.
    void committed(const range& said);

    bool dirty() const noexcept { return dirty_; }
    /// Arrived and not settled.
    std::size_t unsettled() const noexcept { return unsettled_; }
    /// Reserved (proposed or committed) and not settled: what a crash together with a Redis loss puts in doubt.
    std::size_t reserved() const noexcept;
    kafka::offset committed_next() const noexcept { return committed_next_; }
    /// One past the last that is reserved, committed or not.
    kafka::offset end() const noexcept { return end_; }
    /// One past what the owner before us had reserved; below it there may still be records that have not arrived.
    kafka::offset inherited_end() const noexcept { return inherited_.end; }
    bool inherited_arrived() const noexcept { return next_ >= inherited_.end; }

    /// Bits that fit into the commit's metadata string (4,096 characters of base64, less the fixed part).
    static constexpr std::int64_t max_span = 20'000;

  private:
    struct entry {
        kafka::offset at;
        bool settled;
    };
    kafka::offset low_water() const noexcept;

    std::deque<entry> entries_; // arrived, from the first that is not settled on
    kafka::offset next_;        // low water when entries_ is empty: one past the last that arrived
    kafka::offset end_;         // to be proposed
    kafka::offset committed_next_;
    kafka::offset committed_end_;
    range inherited_;
    std::size_t unsettled_ = 0;
    bool dirty_ = false;
};

} // namespace semel::delivery
