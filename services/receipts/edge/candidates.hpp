#pragma once
// Open doubts as the index compares them with receipts that name no known message id.

#include "index.hpp"

#include <catalog/catalog.hpp>
#include <crypto/keys.hpp>

#include <receipts/core/doubts.hpp>

#include <functional>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace semel::receipts {

using campaign_source = std::function<catalog::campaign_ptr(const base::campaign_id&)>;

class candidates {
  public:
    candidates(campaign_source campaigns, crypto::key_ring keys)
        : campaigns_(std::move(campaigns))
        , keys_(std::move(keys)) {}

    /// Of these notifications, those that are open among `of`.
    std::vector<index::candidate> make(std::int32_t partition, const doubts& of,
                                       const std::unordered_set<base::notification_id>&);
    /// Made without the hash of their destination, because their campaign was not known yet: to be made again.
    std::set<std::string> take_unhashed() { return std::exchange(unhashed_, {}); }
    void forget_unhashed() { unhashed_.clear(); }

    /// correlation::number_hash() of a message's number; empty while its campaign's key is not known.
    std::string number_hash(const v1::Dispatch&) const;

  private:
    campaign_source campaigns_;
    crypto::key_ring keys_; // as sms hashes the source of a delivery report
    std::set<std::string> unhashed_;
};

} // namespace semel::receipts
