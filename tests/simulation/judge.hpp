#pragma once
// Knows what gateways accepted, what the operator did and what was committed, and holds each step against it as it
// happens: the invariants of the chaos checker (tests/chaos/README.md has their names). What must hold in the end it
// says in the end.

#include "world.hpp"

#include <base/ids.hpp>
#include <delivery/core/checkpoint.hpp>
#include <delivery/engine/ports.hpp>
#include <delivery/message.hpp>
#include <semel/v1/delivery.pb.h>
#include <semel/v1/events.pb.h>

#include <ledger/core/notification_state.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace semel::simulation {

struct ending {
    std::vector<std::string> breaches; ///< none: all is well
    std::size_t accepted = 0, failed = 0, in_doubt = 0, awaiting = 0;
    std::size_t resent = 0;
    std::size_t deaths = 0;
    std::uint64_t fingerprint = 0;
};

class judge {
  public:
    explicit judge(world& in)
        : world_(in) {}

    /// Must be told, by this campaign, with this date.
    void planned(const v1::Dispatch&);
    void paused(const std::string& campaign, bool);
    void cancelled(const std::string& campaign);

    /// A gateway accepted it of this process.
    void accepted(process by, const delivery::outbound&);
    /// Read from `events` or from retry.*, once committed.
    void told(const v1::Event&);
    void put_off(const v1::Dispatch&);

    /// A head was made, or is another one than before.
    void head_written(const kafka::topic_partition& at) { of(at).head_written = ++steps_; }
    void committed(const kafka::commit&);
    void claimed(const kafka::topic_partition&, std::uint64_t owner, std::string_view marker);

    /// Of each acceptance.
    std::function<void(const delivery::outbound&)> on_accepted;

    void surprised(std::string what) { complain("", std::move(what)); }
    bool broken() const noexcept { return !breaches_.empty(); }
    /// Of everybody it is known what became of them.
    bool all_told() const noexcept { return untold_ == 0; }
    /// No doubt is open that a late answer, a report or a policy may still settle.
    bool nothing_in_doubt() const;
    /// Of everybody the coverage says an end, though it may be a doubt that an approver decides.
    bool all_settled() const;
    /// All that must hold in the end.
    ending close();

  private:
    struct person {
        std::string campaign;
        std::int64_t planned_at_us = 0;
        std::vector<std::uint32_t> accepted; // attempts, at gateways
        std::string content;                 // of the first message that was accepted
        ledger::notification_state state;    // as the ledger has it, and the coverage counts it
        std::set<std::uint32_t> deferred, put_off, resent;
        std::optional<instant> accepted_since, reported_since; // events say so
        bool of_one_part = true;                               // as all of its doubts say
        int said_accepted = 0, said_in_doubt = 0, said_awaiting = 0;
        bool told = false;
        bool failed() const noexcept { return line_of(state) == ledger::line::failed; }
        /// The campaign is not done before it is.
        bool is_outstanding() const noexcept {
            const auto line = line_of(state);
            return line == ledger::line::outstanding || line == ledger::line::retrying ||
                   line == ledger::line::doubtful;
        }
    };
    struct intention {
        std::optional<instant> stopped_at; ///< paused or cancelled since then
        std::optional<instant> cancelled_at;
    };
    struct ownership {
        std::uint64_t head_written = 0; // a step
        struct said {
            std::uint64_t at = 0; // a step
            std::uint64_t transaction = 0;
            std::string marker;
        };
        std::map<std::uint64_t, said> said_by; // owner
    };
    void compare(const kafka::topic_partition&, const delivery::checkpoint&);
    ownership& of(const kafka::topic_partition& at) { return owned_[at]; }
    void complain(std::string_view notification, std::string what);
    void hear(person&, const v1::Event&);
    void hear_resent(person&, const v1::Event&);
    void hold_failure(const std::string& notification, const person&);
    static void count(const person&, ending&);
    void close_one(const std::string& notification, const person&);

    world& world_;
    std::unordered_map<std::string, person> people_;
    std::map<std::string, intention> campaigns_;
    std::map<kafka::topic_partition, ownership> owned_;
    std::set<std::string> heard_; // ids of events: evidence may be told twice, under one id
    std::vector<std::string> breaches_;
    std::uint64_t steps_ = 0;
    std::size_t untold_ = 0;
};

} // namespace semel::simulation
