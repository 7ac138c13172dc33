// What PostgreSQL answers about a campaign, held against a model that looks at all its events at once.

#include "store_rig.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace semel::ledger {
namespace {

/// The same answers from the set of all events, computed the plain way.
struct model {
    std::map<std::string, notification_state> messages;
    std::set<std::string> planned;
    std::map<std::string, std::set<std::string>> people; // and their messages
    std::set<std::pair<std::uint32_t, std::uint64_t>> doubles;
    std::set<std::string> delivered;
    std::set<std::pair<std::string, std::string>> covered;

    explicit model(const std::vector<v1::Event>& events) {
        std::map<std::string, std::string> carriers;
        for (const auto& e : events) {
            if (const auto state = state_of(e)) {
                auto& m = messages[e.notification()];
                m = merge(m, *state);
            }
            if (e.kind() == v1::EVENT_RECIPIENT_REPEATED) {
                doubles.emplace(e.wave(), e.row());
            }
            if (e.kind() == v1::EVENT_RECIPIENT) {
                people[e.recipient_ref()];
            }
            for (const auto& link : e.links()) {
                messages[link.notification()];
                if (link.role() == v1::Link::OWN) {
                    planned.insert(link.notification());
                    carriers[link.notification()] = e.recipient_ref();
                }
                if (e.kind() == v1::EVENT_RECIPIENT) {
                    people[e.recipient_ref()].insert(link.notification());
                    if (link.role() != v1::Link::OWN) {
                        covered.emplace(link.notification(), e.recipient_ref());
                    }
                }
            }
        }
        std::erase_if(covered, [&](const auto& pair) { return carriers[pair.first] == pair.second; });
    }
    line of(const std::string& id) const { return line_of(messages.at(id)); }
    lines coverage() const {
        lines out = expected_zero();
        for (const auto& [who, theirs] : people) {
            const auto any = [&](auto... wanted) {
                return std::ranges::any_of(theirs, [&](const auto& id) { return ((of(id) == wanted) || ...); });
            };
            ++out[any(line::accepted)                                      ? "reached"
                  : any(line::unresolved, line::presumed_sent)             ? "in_doubt"
                  : any(line::outstanding, line::retrying, line::doubtful) ? "outstanding"
                  : any(line::failed)                                      ? "failed"
                                                                           : "unreachable"];
        }
        out["repeated"] = static_cast<std::int64_t>(doubles.size());
        out["rows"] = static_cast<std::int64_t>(people.size() + doubles.size());
        return out;
    }
    lines email() const {
        lines out;
        for (const auto* name : {"accepted", "failed", "in_doubt", "unresolved", "presumed_sent", "resent",
                                 "outstanding", "retrying", "doubtful", "delivered"}) {
            out[name] = 0;
        }
        for (const auto& id : planned) {
            constexpr const char* names[] = {"outstanding", "retrying", "doubtful",     "unresolved",
                                             "failed",      "accepted", "presumed_sent"};
            const auto l = of(id);
            ++out[names[static_cast<int>(l)]];
            out["outstanding"] += l == line::retrying || l == line::doubtful ? 1 : 0;
            out["in_doubt"] += l == line::unresolved || l == line::presumed_sent ? 1 : 0;
            out["resent"] += (messages.at(id).seen & fact_resent) != 0 ? 1 : 0;
            out["delivered"] += (messages.at(id).seen & fact_delivered) != 0 ? 1 : 0;
        }
        out["planned"] = static_cast<std::int64_t>(planned.size());
        out["covered"] = static_cast<std::int64_t>(covered.size());
        return out;
    }
    static lines expected_zero() {
        return {{"rows", 0},        {"reached", 0}, {"in_doubt", 0}, {"outstanding", 0},
                {"unreachable", 0}, {"failed", 0},  {"repeated", 0}, {"rejected", 0}};
    }
};

TEST_F(Ledger, CountsWhatAModelOfAllEventsCounts) {
    std::mt19937 random{20'251'124};
    const auto roll = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    const auto base_name = s.campaign;
    for (int round = 0; round < 25; ++round) {
        s.campaign = fmt::format("{}-{}", base_name, round);
        std::vector<v1::Event> events;
        // 30 messages; each is carried by one row of some wave, and reaches others.
        std::vector<std::vector<std::string>> rows(40);
        for (int m = 0; m < 30; ++m) {
            const auto carrier = roll(40);
            rows[carrier].push_back(fmt::format("own:{}m{}", round, m));
            for (std::uint32_t i = roll(4); i > 0; --i) {
                if (const auto other = roll(40); other != carrier) {
                    rows[other].push_back(fmt::format("{}:{}m{}", roll(2) == 0 ? "covered" : "told", round, m));
                }
            }
        }
        for (std::uint32_t r = 0; r < rows.size(); ++r) {
            std::ranges::sort(rows[r]);
            rows[r].erase(std::ranges::unique(rows[r]).begin(), rows[r].end());
            // Some rows are of people that another wave has too; some are doubles.
            const auto who = fmt::format("{}p{}", round, roll(3) == 0 ? r % 10 : r);
            events.push_back(s.recipient(who, 1 + roll(2), r + 1, rows[r],
                                         roll(8) == 0 ? v1::EVENT_RECIPIENT_REPEATED : v1::EVENT_RECIPIENT));
        }
        for (int i = 0; i < 60; ++i) {
            constexpr v1::EventKind kinds[] = {v1::EVENT_ACCEPTED,   v1::EVENT_FAILED,       v1::EVENT_DEFERRED,
                                               v1::EVENT_AWAITING,   v1::EVENT_IN_DOUBT,     v1::EVENT_RESENT,
                                               v1::EVENT_UNRESOLVED, v1::EVENT_PRESUMED_SENT};
            const auto name = fmt::format("{}m{}", round, roll(30));
            events.push_back(roll(5) == 0    ? s.receipt(name, static_cast<v1::ReceiptState>(1 + roll(6)))
                             : roll(10) == 0 ? s.failed_resend(name, 2 + roll(2))
                                             : s.about(kinds[roll(8)], name, 1 + roll(3)));
        }
        const model truth{events};
        std::ranges::sample(std::vector{events}, std::back_inserter(events), 30, random); // repetitions
        std::ranges::shuffle(events, random);
        for (std::size_t from = 0; from < events.size();) {
            const auto to = std::min(events.size(), from + 1 + roll(25));
            write(
                {events.begin() + static_cast<std::ptrdiff_t>(from), events.begin() + static_cast<std::ptrdiff_t>(to)});
            from = to;
        }
        ASSERT_EQ(coverage(), truth.coverage()) << "round " << round;
        ASSERT_EQ(email(), truth.email()) << "round " << round;
    }
}

} // namespace
} // namespace semel::ledger
