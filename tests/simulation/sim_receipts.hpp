#pragma once
// What `receipts` does, by its own cores (doubts, awaited, evidence_barrier): one process reads `events` and what
// gateways report, and settles doubts. Its edges are simulated: position and open doubts travel in the transaction that
// says what was decided, under a transactional id that a successor fences; the index of PostgreSQL is what was read.

#include "fenced.hpp"

#include <redis/client.hpp>
#include <semel/v1/events.pb.h>

#include <receipts/core/doubts.hpp>
#include <receipts/edge/evidence_barrier.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace semel::simulation {

class sim_receipts final : public fenced {
  public:
    using campaign_source = std::function<std::optional<receipts::policy>(const std::string& campaign)>;
    struct settings {
        std::int32_t partitions = 1;
        duration awaiting_limit{};
    };
    sim_receipts(world&, process, broker&, const sim_log::trouble&, std::uint16_t redis, campaign_source, settings);

    /// The topics of its own, beside those that everybody knows.
    static constexpr const char* positions = "simulated.positions";
    static constexpr const char* reported = "gateway.receipts";

  private:
    struct part {
        receipts::doubts doubts;
        kafka::offset next = 0;
    };
    struct said {
        std::vector<v1::Event> events;
        std::vector<receipts::resend> resends;
        std::vector<base::notification_id> superseded;
        void add(receipts::decision);
    };
    asio::awaitable<bool> live() override;
    void restore() override;
    void learn(const v1::Event&);
    said read();
    void observe(const stored&, std::int32_t partition, said&);
    void match(said&);
    void decide(said&);
    receipts::reading read_here() const;
    receipts::reading ends(bool with_reports) const;
    asio::awaitable<bool> commit(said);
    records records_of(const said&) const;
    std::string position() const;
    topic_partition at(const std::string& topic, std::string_view notification) const;
    base::timestamp now() const { return base::timestamp{world_.now().time_since_epoch()}; }

    semel::redis::client redis_;
    receipts::policy_source policies_;
    settings settings_;
    std::map<std::int32_t, part> parts_;
    kafka::offset reports_next_ = 0;
    std::uint64_t turn_ = 0; // of the last transaction
    std::string stands_;     // the position that is committed
    receipts::evidence_barrier barrier_;
    // As the index knows it.
    std::unordered_map<base::notification_id, receipts::history> histories_;
    std::vector<v1::GatewayReceipt> parked_; // reports that nobody is known to wait for
    std::set<std::string> reported_;         // ids of the events that reports became
};

} // namespace semel::simulation
