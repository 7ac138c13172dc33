#pragma once
// A made-up audience: person i is a function of (seed, i), so any prefix can be made again without storing anything.
// Mail goes to example domains and tokens are hashes. Korea sets no mobile numbers aside for fiction, so the phone
// numbers are of the kind that people have: never point a real SMS gateway at it. The proportions are those of a shop
// with 33.7 million accounts. Pure.
//
// What two people share is known by construction (mailbox 7 is mailbox 7, however it is spelled), not by Semel's own
// canonical forms: the oracle judges them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace semel::people {

enum class flaw : unsigned char {
    none,
    no_id,           ///< rejected at import
    unknown_segment, ///< rejected at import
    not_utf8,        ///< rejected at import
    double_id,       ///< the id of an earlier row: rejected by plan
};

struct token {
    std::uint64_t id = 0;
    std::string text; // "apns:..." or "fcm:..."
};

struct person {
    people::flaw flaw = flaw::none;
    std::string recipient_id, email, phone, locale, name, country, segments;
    std::vector<token> push;
    std::optional<std::uint64_t> mailbox, number; // nothing: none given, or not usable
    unsigned unusable = 0;                        // addresses given that cannot be used
};

struct choices {
    std::uint64_t seed = 1;
    bool messy = false; // spellings, broken addresses, broken rows, names from hell
    bool email = true, phone = true, push = true;
};

/// index from 1.
person make(const choices&, std::uint64_t index);

/// What Semel must find in an audience.
class oracle {
  public:
    void see(const person&);
    /// Distinct addresses count those of rows that are neither rejected nor double.
    std::string json() const;

    std::uint64_t rows = 0, rejected = 0, double_ids = 0, unreachable = 0, left_out = 0;
    std::uint64_t entrance_codes = 0;
    std::unordered_set<std::uint64_t> mailboxes, numbers, tokens;
};

/// Lines of the two formats, with their line break. A CSV header comes first.
std::string_view csv_header() noexcept;
void append_csv(std::string& out, const person&);
void append_ndjson(std::string& out, const person&);

} // namespace semel::people
