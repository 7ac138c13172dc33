#pragma once
// What every service that touches messages must know: campaigns (from `control`, with their keys unwrapped) and
// artifacts. Filled by following two compacted topics: what is not there yet may come. One strand.

#include <base/ids.hpp>
#include <crypto/key_ring.hpp>
#include <kafka/cluster.hpp>
#include <semel/v1/artifact.pb.h>
#include <semel/v1/campaign.pb.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace semel::catalog {

/// One version of a campaign; immutable, shared.
struct campaign {
    v1::Campaign state;
    base::campaign_id id;
    std::optional<crypto::campaign_key> key; // nothing: destroyed
};
using campaign_ptr = std::shared_ptr<const campaign>;
using artifact_ptr = std::shared_ptr<const v1::Artifact>;

class catalog {
  public:
    struct options {
        kafka::cluster bootstrap;
        crypto::key_ring keys;
        bool with_artifacts = true;
        std::string prefix = {}; // of topics; empty but in tests
    };
    catalog(boost::asio::any_io_executor, options);
    ~catalog();

    /// Follows the topics until cancelled. Throws when Kafka stays unreachable. A record that cannot be used is
    /// refused (kafka/trust.hpp) and passed over; a campaign whose key does not open waits for the keys to change.
    boost::asio::awaitable<void> run();
    /// Both topics have been read to the end that stood at the start of run().
    boost::asio::awaitable<void> loaded();

    campaign_ptr find(const base::campaign_id&) const;
    artifact_ptr find(const base::artifact_id&) const;
    std::vector<campaign_ptr> campaigns() const;
    /// Wait until it is known. Cancellable.
    boost::asio::awaitable<campaign_ptr> get(base::campaign_id);
    boost::asio::awaitable<artifact_ptr> get(base::artifact_id);
    /// Counts changes of any campaign; changed() waits for the next one after `seen`.
    std::uint64_t version() const noexcept;
    boost::asio::awaitable<std::uint64_t> changed(std::uint64_t seen);

  private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace semel::catalog
