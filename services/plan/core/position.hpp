#pragma once
// Where release stands in one partition of `audience` for one wave. `rows` is the front: every row below it is decided
// and told of in `events`, with the links of all its messages. A channel that cannot keep up leaves a gap behind the
// front: rows of which its own messages are not released yet. So each channel has a cursor, and a row is told of once.
//
// Both lie in `progress` under keys of their own. A version without gaps knows the front only and moves it for all
// channels at once: what it does between two of ours neither repeats nor loses anything, and closes no gap. Pure.

#include <base/ids.hpp>
#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace semel::plan {

using channel_set = std::set<base::channel>;
channel_set channels_of(const v1::Campaign&);

/// Offsets [next, end) that a channel has not released.
struct gap {
    std::int64_t next = 0;
    std::int64_t end = 0;
    friend bool operator==(const gap&, const gap&) = default;
};

class position {
  public:
    /// Nothing is released yet. `after`: the waves before this one (Progress.after).
    explicit position(std::int64_t start = 0, std::vector<std::uint32_t> after = {})
        : rows_(start)
        , after_(std::move(after)) {}
    /// Of the two records in `progress`; the second one is missing where no channel ever was behind.
    position(const v1::Progress& front, const v1::Progress* behind);

    std::int64_t rows() const noexcept { return rows_; }
    /// In ascending order; none: the channel is where the rows are.
    const std::vector<gap>& gaps(base::channel) const;
    /// Everything below it is released on every channel.
    std::int64_t least() const;
    /// Of the offsets below `end`, how many the channel has before it.
    std::int64_t lacking(base::channel, std::int64_t end) const;

    /// The front moves on: what `with` has is released, all others of the campaign leave a gap.
    void tell(std::int64_t next, const channel_set& with, const channel_set& all);
    /// The channel has released what lies below `next` of its first gap.
    void catch_up(base::channel, std::int64_t next);

    /// The record "release|...": next_offset, after, and done if that is all up to `end`.
    void write_front(v1::Progress&, std::int64_t end) const;
    /// The record "behind|...". It is never empty: an empty value would be none.
    void write_gaps(v1::Progress&) const;
    bool same_gaps(const position& other) const { return gaps_ == other.gaps_; }

  private:
    std::int64_t rows_;
    std::map<base::channel, std::vector<gap>> gaps_; // no empty ones
    std::vector<std::uint32_t> after_;
};

} // namespace semel::plan
