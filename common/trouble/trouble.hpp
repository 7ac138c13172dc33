#pragma once
// What stands still, in words: a lane, a connection, a clock. Each process says it of itself; `semel status` shows it.
// Pure. The way between them is in board.hpp.

#include <base/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::trouble {

enum class kind : std::uint8_t {
    stopped,   ///< a gateway refuses us for its configuration
    suspected, ///< different recipients get the same refusal, and nothing is accepted
    failing,   ///< a gateway mostly fails: its breaker is open
    throttled, ///< a gateway asked for fewer, or later
    redis,     ///< Redis is away, or answers errors
    kafka,
    clock, ///< this host's clock differs from the broker's
    other,
};
std::string_view to_string(kind) noexcept;

struct entry {
    std::string subject; ///< the gateway's name; empty: the process itself
    kind what = kind::other;
    base::timestamp since{};
    std::string words; ///< what is the matter and what to do; no address, no name of a person, no secret
    std::optional<double> limit_per_s = {}; ///< in force, of a lane
};

/// As one process told it.
struct report {
    std::string service;  ///< "email"
    std::string instance; ///< "email-2"
    std::vector<entry> entries;
};

/// What was there before keeps its `since`; what is new has `at`.
std::vector<entry> carry(const std::vector<entry>& before, std::vector<entry> now, base::timestamp at);

std::string encode(const report&);
/// Hostile until parsed: nothing for what is not a report. Words are cut and made printable.
std::optional<report> decode(std::string_view);

/// The same trouble of several processes of a service once, since the first of them saw it; ordered by service and
/// subject.
std::vector<report> merged(std::vector<report>);

} // namespace semel::trouble
