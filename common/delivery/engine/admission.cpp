#include "admission.hpp"

#include <tuple>
#include <utility>

namespace semel::delivery {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

// Behind a lane at its limit, so that the messages of other lanes are read meanwhile; and when no other has any.
constexpr auto patience_for_lane = 1'000ms;
constexpr auto patience_without_others = 3'000ms;
// Of a lane that its gateway has slowed down: longer than what it may hold takes (lane_pace::room).
constexpr auto patience_in_line = 5'000ms;
// For one token, wherever it comes from.
constexpr auto patience_for_tokens = 1'000ms;

} // namespace

admission::admission(lanes& all, tokens& tokens, clock& clock, std::string prefix)
    : lanes_(all)
    , tokens_(tokens)
    , clock_(clock)
    , prefix_(std::move(prefix)) {}

asio::awaitable<admission::leave> admission::find_room(lane& l, partition& p) {
    const auto began = clock_.now();
    const auto free = [&] { return !p.ours() || lanes_.has_room(l); };
    bool found = free(); // nearly always
    if (!found) {
        found = co_await until(clock_, began + patience_for_lane, free, lanes_.traffic, p.phase_changed);
    }
    if (!found) {
        const auto decided = [&] { return free() || lanes_.others_busy(l, patience_without_others); };
        std::ignore = co_await until(clock_, began + patience_without_others, decided, lanes_.traffic, p.phase_changed);
        found = free();
    }
    if (!p.ours()) {
        co_return leave::withdrawn;
    }
    co_return found ? leave::granted : leave::later;
}

asio::awaitable<admission::stay_away> admission::take_shared(lane& l, std::string_view domain,
                                                             const base::campaign_id& campaign, std::uint32_t its_rate,
                                                             std::function<bool()> wanted) {
    const auto limited = l.domains.empty() ? l.domains.end() : l.domains.find(std::string{domain});
    if (limited != l.domains.end()) {
        auto bucket = l.bucket + ":" + limited->first;
        token_wish wish{.wanted = wanted};
        const auto token =
            co_await tokens_.take(std::move(bucket), limited->second, patience_for_tokens, std::move(wish));
        if (!token) {
            co_return token.error();
        }
    }
    if (its_rate > 0) {
        auto bucket = prefix_ + "campaign:" + campaign.value();
        token_wish wish{.wanted = std::move(wanted)};
        const auto token = co_await tokens_.take(std::move(bucket), its_rate, patience_for_tokens, std::move(wish));
        if (!token) {
            co_return token.error();
        }
    }
    co_return std::nullopt;
}

asio::awaitable<admission::leave> admission::keep_pace(lane& l, std::string_view domain, unsigned places,
                                                       partition& p) {
    const auto domains = l.pace.take_of(domain, clock_.now(), patience_for_tokens);
    if (!domains) {
        co_return leave::later;
    }
    if (*domains > base::duration{}) {
        co_await pause(clock_, *domains);
    }
    // Only the first in line takes a place: given out ahead, places would not come sooner when the pace rises.
    line::place here{l.line};
    const auto decided = [&] { return !p.ours() || here.is_first(); };
    if (!co_await until(clock_, clock_.now() + patience_in_line, decided, here.turn, p.phase_changed)) {
        co_return leave::later;
    }
    if (!p.ours()) {
        co_return leave::withdrawn;
    }
    const auto wait = l.pace.take(clock_.now(), patience_in_line, places);
    if (!wait) {
        co_return leave::later;
    }
    if (*wait > base::duration{}) {
        co_await pause(clock_, *wait);
    }
    co_return p.ours() ? leave::granted : leave::withdrawn;
}

asio::awaitable<void> admission::keep_pace_again(lane& l, unsigned places) {
    const auto wait = l.pace.take_rest(clock_.now(), places);
    if (wait > base::duration{}) {
        co_await pause(clock_, wait);
    }
}

asio::awaitable<tokens::taken> admission::take_own(lane& l, std::function<bool()> wanted) {
    token_wish wish{.wanted = std::move(wanted)};
    co_return co_await tokens_.take(l.bucket, l.per_second, patience_for_tokens, std::move(wish));
}

asio::awaitable<void> admission::renew(lane& l, base::instant taken) {
    const auto last = clock_.now() + patience_for_tokens;
    while (l.per_second > 0 && clock_.now() - taken > tokens::token_life && clock_.now() < last) {
        token_wish wish{.first = true};
        if (const auto again = co_await tokens_.take(l.bucket, l.per_second, patience_for_tokens, std::move(wish))) {
            taken = *again;
        }
    }
}

} // namespace semel::delivery
