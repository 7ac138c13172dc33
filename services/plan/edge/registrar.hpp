#pragma once
// First pass: writes the recipients of sealed waves into the register, tells the api once for each span, and does it
// again whenever the register was lost. Takes the register away when the campaign is over, and its audience when nobody
// can need it. Every process registers the spans of its own partitions; the head in Redis says which are finished, so
// processes need not talk to each other. One strand.

#include "partition_group.hpp"
#include "probe.hpp"
#include "wave_reader.hpp"

#include <kafka/sweeper.hpp>
#include <runtime/retry.hpp>

#include <plan/edge/register_store.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <set>

namespace semel::plan {

/// The campaigns as they are known now.
using campaign_source = std::function<std::vector<catalog::campaign_ptr>()>;

class registrar {
  public:
    /// `redis` and `probe` must outlive this.
    registrar(boost::asio::any_io_executor, kafka_place, redis::client& redis, campaign_source, probe& probe);

    boost::asio::awaitable<void> run() { return group_.run(); }
    void stop() { group_.stop(); }
    /// Something may have changed: a campaign, or release has found the register incomplete.
    void wake() { group_.wake(); }

  private:
    boost::asio::awaitable<void> work(share_ptr);
    boost::asio::awaitable<base::result<void>> catch_up(share_ptr, catalog::campaign_ptr);
    boost::asio::awaitable<base::result<v1::Registered>> register_span(share_ptr, const session&, catalog::campaign_ptr,
                                                                       const v1::Wave&, const v1::AudienceSpan&);
    boost::asio::awaitable<base::result<bool>> is_over(const catalog::campaign&);
    boost::asio::awaitable<base::result<void>> remove(share_ptr, catalog::campaign_ptr);
    boost::asio::awaitable<void> sweep(share_ptr);
    bool needs(const kafka::record&) const;
    boost::asio::awaitable<base::result<void>> report(share_ptr, catalog::campaign_ptr, v1::Registered);
    boost::asio::awaitable<base::result<void>> recover(share_ptr);

    boost::asio::any_io_executor executor_;
    kafka_place place_;
    redis::client& redis_;
    register_store store_;
    campaign_source campaigns_;
    probe& probe_;
    wave_reader reader_;
    kafka::sweeper sweeper_; // of `audience`
    partition_group group_;
    std::set<std::string> reported_; // keys of `progress`, of the present share
    struct look {
        std::uint64_t generation = 0; // of the connection: another Redis may still hold what this one does not
        std::chrono::steady_clock::time_point next;
        runtime::retry pauses{{.first = std::chrono::seconds{1}, .longest = std::chrono::seconds{60}}};
    };
    std::map<std::string, look> removed_; // campaigns of which nothing was left
    std::set<std::string> accounted_for_; // cancelled ones
    std::set<std::string> closed_;        // whose records of `audience` nobody needs, as of swept_at_
    std::chrono::steady_clock::time_point swept_at_ = std::chrono::steady_clock::now();
    std::map<std::string, std::string> said_; // campaign -> last complaint: each is logged once
};

} // namespace semel::plan
