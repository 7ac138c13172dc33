#pragma once
// Whose fault a refusal is when one answer cannot tell: the recipient's, or our configuration's. Nothing about a
// gateway follows from one recipient's refusal; the same answer to several different recipients, with nothing accepted
// in between, speaks of us. Until one or the other is found, the message waits. Pure.

#include <base/instant.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace semel::delivery {

/// Of one gateway, as one process sees it.
class blame {
  public:
    struct policy {
        std::size_t recipients = 5;       ///< that got the same answer with nothing accepted in between
        std::size_t of_one_campaign = 20; ///< of it alone: its sender or its text may be what is refused
        std::size_t of_one_domain = 100;  ///< the same, when they all have one domain and nothing was accepted lately
        std::size_t recent = 50;          ///< answers looked at together
        std::size_t too_many = 20;        ///< of them the same refusal: more than recipients' own faults
        base::duration proof = std::chrono::hours{1}; ///< so long an acceptance shows that the gateway works for us
    };
    struct refusal {
        std::string_view notification;
        std::string_view campaign;
        std::string_view domain; ///< email; else empty
        std::string_view code;
        bool again = false; ///< the message was refused so before
        bool by_us = false; ///< found before anything was sent: never the recipient's
    };
    enum class finding : unsigned char {
        open,      ///< nobody can tell yet: the message waits, by name
        recipient, ///< refused again while others are accepted
        lane,      ///< ours: once more the same answer to one who had not had it
    };

    blame() = default;
    explicit blame(policy p)
        : policy_(p) {}

    finding refused(const refusal&, base::instant now);
    void accepted(std::string_view campaign, std::string_view domain, base::instant now);

    /// The answer that speaks of us, and to how many different recipients (at most of_one_domain).
    struct suspicion {
        std::string code;
        std::size_t recipients = 0;
    };
    std::optional<suspicion> suspected(base::instant now) const;

  private:
    struct tally {
        std::set<std::string, std::less<>> recipients;
        std::set<std::string, std::less<>> domains;
    };
    void note(const refusal&);
    void note_part(std::string part, const refusal&);
    bool whole(std::string part, std::string_view code, std::size_t most) const;
    void clear_part(const std::string& part);
    bool of_us(const tally&, base::instant now) const;
    bool proven(base::instant now) const { return accepted_at_ && now - *accepted_at_ <= policy_.proof; }

    policy policy_;
    std::map<std::string, tally, std::less<>> of_lane_; // by answer, since the last acceptance
    // The same within one campaign or domain, since the last acceptance there; by "c" or "d" with its name, and answer.
    std::map<std::pair<std::string, std::string>, std::set<std::string>> of_part_;
    std::deque<std::string> recent_; // answers to first tries; empty: accepted
    std::optional<base::instant> accepted_at_;
};

} // namespace semel::delivery
