#pragma once
// Who carries the message of an address: the heart of "each person once". Pure.
//
// Registration keeps, for each address and wave, the smallest row that has it and the union of everybody's segments;
// and for each recipient id and wave its smallest row. Minimum and union do not care about order or repetition, so the
// register is a function of the audience alone, however often and by whomever it is built. Release asks the register
// about one row and decides; every row decides alone, and all decisions fit together.

#include <base/ids.hpp>
#include <crypto/keys.hpp>
#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>
#include <wire/identity.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace semel::plan {

/// What the register keeps for one address (or recipient id) in one wave. Row 0: nothing is known.
struct entry {
    std::uint32_t row = 0;
    std::uint32_t segments = 0;
    friend bool operator==(const entry&, const entry&) = default;
};

/// Smallest row, union of segments. Commutative, associative, idempotent; {} is neutral.
constexpr entry merged(entry a, entry b) noexcept {
    const auto row = a.row == 0 ? b.row : b.row == 0 ? a.row : std::min(a.row, b.row);
    return {row, a.segments | b.segments};
}

/// One distinct address of a recipient on one of the campaign's channels.
struct place {
    int index = 0; // in Recipient.addresses
    base::channel channel{};
    wire::dedup_key key{};
};

/// A recipient as the register sees it.
struct person {
    entry mine;
    crypto::hash128 id{}; // equal to its recipient_ref
    std::vector<place> places;
};

/// Keys of a recipient's addresses, each once; addresses on other channels do not count. malformed: a row number that
/// is 0 or does not fit 32 bits, or an empty recipient id.
base::result<person> person_of(const crypto::campaign_key&, const v1::Campaign&, const v1::Recipient&);

/// What the register answers about one address, seen from one wave.
struct standing {
    entry here;                      // this wave
    bool told_earlier = false;       // a wave before this one has the address
    std::uint32_t told_segments = 0; // the union of those waves' segments
};

enum class role : unsigned char {
    own,     ///< this row carries the message
    covered, ///< another row of this wave carries it
    told,    ///< an earlier wave carries it
};

/// What becomes of one address of one row.
struct verdict {
    std::size_t place = 0; // in person.places
    plan::role role{};
    bool supplement = false;    // a further message, with only what no earlier wave had for this address
    std::uint32_t segments = 0; // of the message: the union over everybody who has the address
    friend bool operator==(const verdict&, const verdict&) = default;
};

struct decision {
    bool rejected =
        false; // a smaller row of this wave has the same recipient id; see docs/decisions/0010-double-recipients.md
    std::vector<verdict> verdicts; // empty: unreachable. An address that was told and gets a supplement has two.
};

/// `standings` in the order of person.places. Nothing when the register cannot be what registration made of this
/// audience (an entry is missing, or larger than the row that registered itself): it was lost, and must be rebuilt.
std::optional<decision> decide(const person&, entry id, std::span<const standing> standings);

} // namespace semel::plan
