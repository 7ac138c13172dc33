#pragma once
// What becomes of a message: an event, perhaps a retry record, and its bit in the range.

#include <delivery/core/settlement.hpp>
#include <delivery/engine/counters.hpp>
#include <delivery/engine/outbox.hpp>
#include <delivery/engine/partitions.hpp>

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace semel::delivery {

/// Where a message was when its settlement was found, and what the gateway said besides.
struct answer {
    std::string gateway = {}; ///< empty: no gateway has seen it
    std::string message_id = {};
    std::string content_sha256 = {}; ///< of the bytes that went
    bool late = false;               ///< the range has gone on without it: evidence, for receipts
};

/// A message whose last bytes are out and whose answer has not come.
struct flight {
    partition_ptr source;
    const item* message = nullptr; // of the delivery that waits for the answer
    std::string gateway;
    std::string content_sha256;
    base::instant since;
    bool awaiting = false; ///< settled already; the answer will be an event of its own
};

class outcomes {
  public:
    struct place {
        base::channel channel = base::channel::email;
        std::string prefix;                // of topics
        std::int32_t partitions = 1;       // of each retry.*
        std::vector<std::string> gateways; // in the order of their lanes
    };
    outcomes(place, clock&, telemetry::logger&, counters&, outbox&);

    void settle(const partition_ptr&, const item&, settlement, answer = {});
    /// What cannot be read goes to dead-letter, with its bytes.
    void bury(const partition_ptr&, const item&, const std::string& why);

    /// In the air until destroyed.
    class airborne {
      public:
        airborne(outcomes&, flight);
        airborne(const airborne&) = delete;
        airborne& operator=(const airborne&) = delete;
        ~airborne();
        /// Whether the answer would be evidence only: its record is settled, or another's.
        bool late() const noexcept;

      private:
        outcomes& of_;
        std::list<flight>::iterator here_;
    };
    std::size_t in_flight() const noexcept { return flights_.size(); }
    /// Those without an answer for so long are settled as awaiting, so that they block nothing.
    void settle_overdue(base::instant since_before, bool closing_only);
    /// This process ends, and its connections with it: no answer will come.
    void settle_at_end();

  private:
    v1::Event event_of(v1::EventKind, const v1::Dispatch&, std::string_view discriminator = {}) const;
    outgoing outgoing_of(const partition_ptr&, const item&, const settlement&, const answer&);
    std::int32_t retry_place(std::int32_t of_source, std::string_view gateway) const;
    void settle_awaiting(flight&);
    void close_range(partition&, kafka::offset);

    place place_;
    clock& clock_;
    telemetry::logger& log_;
    counters& count_;
    outbox& outbox_;
    std::list<flight> flights_;
};

} // namespace semel::delivery
