#include "candidates.hpp"

#include <base/bytes.hpp>
#include <wire/sealed.hpp>

#include <correlation/message_id.hpp>
#include <correlation/number_hash.hpp>

namespace semel::receipts {

std::vector<index::candidate> candidates::make(std::int32_t partition, const doubts& of,
                                               const std::unordered_set<base::notification_id>& ids) {
    std::vector<index::candidate> all;
    for (const auto& id : ids) {
        const auto* d = of.find(id);
        if (d == nullptr) {
            continue;
        }
        v1::Dispatch dispatch;
        if (!dispatch.ParseFromString(d->dispatch())) {
            dispatch.Clear();
        }
        index::candidate c{.notification = d->notification(),
                           .partition = partition,
                           .about = {.notification = d->notification(),
                                     .attempt = d->attempt(),
                                     .campaign = d->campaign_id(),
                                     .channel = dispatch.channel(),
                                     .test = dispatch.test()},
                           .gateway = d->gateway(),
                           .destination_hash = {},
                           .reference = 0,
                           .since_us = d->since_us()};
        if (dispatch.channel() == v1::CHANNEL_SMS) {
            c.reference = correlation::user_message_reference(id);
            c.destination_hash = correlation::whole_of(number_hash(dispatch));
            if (c.destination_hash.empty() && !campaigns_(base::campaign_id{d->campaign_id()})) {
                unhashed_.insert(d->notification());
            }
        }
        all.push_back(std::move(c));
    }
    return all;
}

std::string candidates::number_hash(const v1::Dispatch& dispatch) const {
    const auto campaign = campaigns_(base::campaign_id{dispatch.campaign_id()});
    if (!campaign || !campaign->key) {
        return {};
    }
    const auto delivery = wire::open_delivery(*campaign->key, dispatch);
    if (!delivery || delivery->address().canonical().empty()) {
        return {};
    }
    return correlation::number_hash(keys_.destinations(), delivery->address().canonical());
}

} // namespace semel::receipts
