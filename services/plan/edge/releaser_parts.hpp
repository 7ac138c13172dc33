#pragma once
// What the files of the releaser share: one errand under way, and the batches that it is done in.

#include "releaser.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace semel::plan {

inline constexpr std::size_t chunks_in_a_transaction = 16; // some 8,000 rows
inline constexpr double messages_of_a_chunk = 500;         // on one channel, as intake writes them

/// One errand under one version of its campaign and one session of the register.
struct releaser::pass {
    pass(share_ptr s, catalog::campaign_ptr c, const v1::Wave& w, plan::stance st, errand e)
        : mine(std::move(s))
        , campaign(std::move(c))
        , wave(w)
        , stance(st)
        , todo(std::move(e))
        , messages(campaign->state, *campaign->key, w.number()) {}

    portion what() const {
        const auto how = stance == stance::send     ? fate::dispatched
                         : stance == stance::cancel ? fate::cancelled
                                                    : fate::expired;
        return {.how = how, .row = todo.tells, .on = todo.on};
    }

    share_ptr mine;
    catalog::campaign_ptr campaign;
    const v1::Wave& wave; // in campaign->state
    plan::stance stance;
    errand todo;
    release_messages messages;
    plan::session session;
    std::vector<mark> required;
};

struct releaser::batch {
    std::vector<chunk> chunks;
    std::vector<decision> decisions; // one for each person of the chunks, in order

    messages_by_channel messages(const channel_set& on) const {
        messages_by_channel count;
        std::size_t i = 0;
        for (const auto& c : chunks) {
            for (const auto& p : c.people) {
                for (const auto& v : decisions[i].verdicts) {
                    const auto channel = p.places[v.place].channel;
                    if (v.role == role::own && on.contains(channel)) {
                        count[channel] += 1;
                    }
                }
                ++i;
            }
        }
        return count;
    }
};

/// What a batch becomes in Kafka.
struct releaser::output {
    released records;
    std::vector<std::pair<std::string, const chunk*>> dead; // with their places
    std::map<std::int32_t, kafka::offset> next;             // by partition of `audience`
    std::map<std::string, position> moved;                  // by key of `progress`
};

} // namespace semel::plan
