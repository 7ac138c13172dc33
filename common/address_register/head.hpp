#pragma once
// The head that stands beside a campaign's register in Redis: what plan builds the register under, and api reads to say
// what of it is there. Pure.

#include <base/ids.hpp>
#include <semel/v1/campaign.pb.h>

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace semel::address_register {

/// A span as the head marks it: of which wave, in which partition of `audience`, up to which offset.
struct mark {
    std::uint32_t wave = 0;
    std::uint32_t partition = 0;
    std::int64_t end = 0;
    friend auto operator<=>(const mark&, const mark&) = default;
};
/// The head's field for the mark ("WAVE:PARTITION") and its value (the end offset).
std::pair<std::string, std::string> to_field(const mark&);

struct head {
    std::string marker;
    std::string server; // to_string of the server it was made on
    std::map<std::string, std::string> finished;

    /// Of HGETALL's fields; nothing when there is no marker: there is no head.
    static std::optional<head> from_fields(const std::map<std::string, std::string>&);
    bool has(const mark&) const;
};

/// The key under which Redis has it.
std::string head_key(const base::campaign_id&);

/// A wave's phase allows registering: it is sealed or further, and not dropped.
bool is_sealed(const v1::Wave&);
bool is_dropped(const v1::Wave&);

} // namespace semel::address_register
