#pragma once
// First pass: writes the recipients of sealed waves into the register, tells the api once for each span, and does it
// again whenever the register was lost. Every process registers the spans of its own partitions; the head in Redis says
// which are finished, so processes need not talk to each other. One strand.

#include "partition_group.hpp"
#include "probe.hpp"
#include "register_store.hpp"
#include "wave_reader.hpp"

#include <kafka/producer.hpp>

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
    boost::asio::awaitable<void> work(std::shared_ptr<share>);
    boost::asio::awaitable<base::result<void>> catch_up(std::shared_ptr<share>, catalog::campaign_ptr);
    boost::asio::awaitable<base::result<v1::Registered>> register_span(std::shared_ptr<share>, const session&,
                                                                       catalog::campaign_ptr, const v1::Wave&,
                                                                       const v1::AudienceSpan&);
    boost::asio::awaitable<base::result<void>> report(std::shared_ptr<share>, catalog::campaign_ptr, v1::Registered);
    boost::asio::awaitable<base::result<void>> recover(std::shared_ptr<share>);

    kafka_place place_;
    register_store store_;
    campaign_source campaigns_;
    probe& probe_;
    kafka::transactional_producer producer_;
    wave_reader reader_;
    partition_group group_;
    bool trusted_ = false; // the producer is up, and what follows was read back after its last unknown commit
    std::map<std::int32_t, std::uint64_t> turns_;
    std::set<std::string> reported_;          // keys of `progress`
    std::map<std::string, std::string> said_; // campaign -> last complaint: each is logged once
};

} // namespace semel::plan
