#pragma once
// When a message may go: room in its lane, tokens of its domain, its campaign and its gateway, its place in line where
// the gateway takes less than it is allowed.

#include <delivery/engine/lanes.hpp>
#include <delivery/engine/partition.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace semel::delivery {

class admission {
  public:
    /// `prefix`: of buckets, but those of gateways.
    admission(lanes&, tokens&, clock&, std::string prefix);

    /// `withdrawn`: the message's partition is not ours any more.
    enum class leave : unsigned char { granted, later, withdrawn };
    /// Waits for room.
    asio::awaitable<leave> find_room(lane&, partition&);

    /// Nothing: go on. Else how long to stay away.
    using stay_away = std::optional<std::chrono::milliseconds>;
    /// Of what the message shares with others of its domain and campaign.
    asio::awaitable<stay_away> take_shared(lane&, std::string_view domain, const base::campaign_id&,
                                           std::uint32_t its_rate, std::function<bool()> wanted);

    /// The gateway takes less than semel.yaml allows: in line behind the others, with a place for each submission.
    asio::awaitable<leave> keep_pace(lane&, std::string_view domain, unsigned places, partition&);
    /// For what it refused of a message whose other parts it took: the next places, before all others.
    asio::awaitable<void> keep_pace_again(lane&, unsigned places);

    /// The gateway's own token last, just before the bytes that count: taken earlier, tokens would pile up behind busy
    /// sessions and go out in one burst.
    asio::awaitable<tokens::taken> take_own(lane&, std::function<bool()> wanted);
    /// The claim may have taken longer than a token lasts. A token that was held up (by busy cores, say) would send in
    /// this second what belonged to an earlier one.
    asio::awaitable<void> renew(lane&, base::instant taken);

  private:
    lanes& lanes_;
    tokens& tokens_;
    clock& clock_;
    std::string prefix_;
};

} // namespace semel::delivery
