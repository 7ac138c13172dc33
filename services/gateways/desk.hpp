#pragma once
// What the sessions of one listener share: how messages are treated, what was accepted, the counts. One thread.

#include "behaviour.hpp"
#include "journal.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace semel::gateways {

/// How many lie within one second, exactly, whatever second that is.
class rate_window {
  public:
    using clock = std::chrono::steady_clock;
    void add(clock::time_point now);
    bool room(unsigned most, clock::time_point now);
    std::size_t most() const noexcept { return most_; }
    void forget_most() noexcept { most_ = 0; }

  private:
    void drop(clock::time_point now);
    std::deque<clock::time_point> recent_;
    std::size_t most_ = 0;
};

struct accepted_message {
    std::uint64_t connection = 0;
    std::string_view id, address, gateway_message_id, content;
    std::string_view more; // further members: `,"envid":"..."`
    course::fate fate = course::fate::accept;
};

struct receipt_counts {
    std::uint64_t sent = 0, acknowledged = 0, pending = 0;
};

/// For message ids: no run of the process has a number that an earlier one had, nor any two listeners.
std::uint64_t next_message_number();

class desk {
  public:
    struct settings {
        gateways::kind kind = kind::smtp;
        std::uint16_t port = 0;
        std::filesystem::path folder;
        std::uint64_t keep_content = 0; // of so many messages
        behaviour first;
        std::uint64_t seed = 1;
    };
    explicit desk(settings);

    const std::string& name() const noexcept { return name_; } // "smtp-2525"
    gateways::kind kind() const noexcept { return settings_.kind; }
    const behaviour& now() const noexcept { return behaviour_; }
    void behave(behaviour b) { behaviour_ = std::move(b); }
    /// What restore_behaviour() goes back to.
    void keep_behaviour() { settings_.first = behaviour_; }
    void seed(std::uint64_t s) noexcept { settings_.seed = s; }
    void restore_behaviour() { behaviour_ = settings_.first; }
    void forget_counts();
    void forget_tries() { tries_.clear(); }
    json::object counts() const;

    /// `key`: what stays the same when the message is sent again.
    course decide(std::string_view key, std::string_view address);
    /// Draws for what follows a message (its receipt).
    chance dice_for(std::string_view key) const noexcept;
    /// False beyond max_accepted_per_second: the caller refuses then.
    bool has_room() {
        return behaviour_.most_per_second == 0 || window_.room(behaviour_.most_per_second, clock::now());
    }
    void throttled(std::string_view answer);
    /// Notes it; must be flushed before an answer leaves.
    void accept(const accepted_message&);
    void flush() { journal_.flush(); }
    void refused(std::string_view answer) { ++refusals_[std::string{answer}]; }
    /// A request that breaks the protocol. Of the text only what names the rule: no address.
    void violation(std::string text);
    void was_reset() noexcept { ++resets_; }

    std::uint64_t connected() noexcept {
        ++open_;
        ++connections_;
        return ++last_number_; // the file goes on with it whatever the counts do
    }
    void disconnected() noexcept { --open_; }
    receipt_counts& receipts() noexcept { return receipts_; }

  private:
    using clock = rate_window::clock;
    settings settings_;
    std::string name_;
    behaviour behaviour_;
    journal journal_;
    rate_window window_;
    std::unordered_map<std::uint64_t, std::uint32_t> tries_; // of messages that were not simply accepted
    std::map<std::string, std::uint64_t> refusals_;
    std::uint64_t accepted_ = 0, silent_ = 0, resets_ = 0, violations_ = 0, throttled_ = 0;
    std::string last_violation_;
    std::uint64_t open_ = 0, connections_ = 0, last_number_ = 0;
    receipt_counts receipts_;
};

} // namespace semel::gateways
