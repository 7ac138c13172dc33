#pragma once
// Whom a follow-up tells: the people of another campaign, or a part of them, as that one's ledger has them at one
// moment. What comes out is the file that becomes the follow-up's audience, as if somebody had uploaded it. Pure.

#include <base/fault.hpp>
#include <base/ids.hpp>
#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>

#include <api/core/coverage.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api {

/// The part of the people that is meant, by what became of them.
enum class outcome : unsigned char { all, reached, failed, in_doubt, unreachable };
/// As the command line spells them: "in-doubt".
std::optional<outcome> outcome_from(std::string_view) noexcept;
std::string_view to_string(outcome) noexcept;

struct follow_up_terms {
    api::outcome outcome = api::outcome::all;
    std::string segment = {};                  // of the parent's notice; empty: with it or without
    std::optional<base::channel> channel = {}; // the outcome is that on this channel alone; nothing: over all of them
};
follow_up_terms terms_of(const v1::FollowUp&);
/// "those that are reached by email, with entrance_code".
std::string in_words(const follow_up_terms&);

/// Whether the people of this campaign can be told of now. Refuses what nobody could mean, and what is not known yet.
base::result<void> may_follow(const v1::Campaign& parent, const coverage&, const follow_up_terms&);

/// The rows of the parent's ledger (ledger.people), person by person.
class follow_up_rows {
  public:
    struct source {
        v1::Campaign parent;
        std::string sender;                // of the parent's mails: their Message-IDs end in its domain
        std::vector<std::string> segments; // of the follow-up's notice
        std::vector<std::string> slots;    // likewise
        follow_up_terms terms;
    };
    explicit follow_up_rows(source);

    struct row {
        std::string ref; // recipient_ref in the parent
        std::uint32_t wave = 0;
        std::string line;        // of its person
        v1::Recipient recipient; // opened
        std::string links;       // what became of its messages
    };
    /// `broken`: the row is not what the ledger writes.
    base::result<void> take(row);
    /// After the last row.
    void finish();

    /// The lines (NDJSON) of the people that have become complete since the last time.
    std::string lines();
    std::uint64_t people() const noexcept { return people_; }
    std::uint64_t rows() const noexcept { return rows_; }

  private:
    struct message {
        base::channel channel{};
        int line = 0; // as the ledger numbers them
        std::string notification;
    };
    struct known_row {
        row is;
        std::vector<message> messages;
    };
    static base::result<std::vector<message>> messages_of(std::string_view links);
    bool is_meant() const;
    std::string_view line_on(base::channel) const;
    std::string segments() const;
    void append(const known_row&, const std::vector<const v1::Address*>&);
    std::string thread_of(const known_row&) const;

    source from_;
    std::vector<known_row> person_; // the rows of the one whose rows are still coming
    std::string lines_;
    std::uint64_t people_ = 0, rows_ = 0;
};

} // namespace semel::api
