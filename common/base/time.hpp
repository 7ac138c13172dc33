#pragma once
// Wall-clock time travels as microseconds since the epoch; waiting is done on a steady clock by the edges. Pure code
// takes `now` as an argument.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace semel::base {

using timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using duration = std::chrono::microseconds;

timestamp now() noexcept;

constexpr std::int64_t to_us(timestamp t) noexcept {
    return t.time_since_epoch().count();
}
constexpr timestamp from_us(std::int64_t us) noexcept {
    return timestamp{std::chrono::microseconds{us}};
}

/// "2026-11-24T03:13:45.123456Z" (the fraction only when it is not zero).
std::string to_rfc3339(timestamp t);
/// RFC 3339 with a zone ("Z" or "+09:00"), seconds and fraction optional.
std::optional<timestamp> from_rfc3339(std::string_view text);
/// RFC 5322 section 3.3, in UTC: "Tue, 24 Nov 2026 03:13:45 +0000".
std::string to_rfc5322(timestamp t);
/// "30m", "90s", "6h", "3d", "250ms".
std::optional<duration> parse_duration(std::string_view text);

} // namespace semel::base
