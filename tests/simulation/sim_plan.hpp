#pragma once
// What `plan` does at release, by its own cores (position, stance_of, shared_room): one process releases the rows of
// all campaigns in transactions that carry its position, as far ahead of sending as there is room. Its edges are
// simulated: the audience lies in memory, and the position is fenced by a transactional id.

#include "fenced.hpp"

#include <semel/v1/campaign.pb.h>
#include <semel/v1/delivery.pb.h>

#include <plan/core/position.hpp>
#include <plan/core/room.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace semel::simulation {

class sim_plan final : public fenced {
  public:
    /// One wave: what its rows become, in their order.
    using audience = std::map<std::string, std::vector<v1::Dispatch>>; // by campaign
    using campaign_source = std::function<const v1::Campaign&(const std::string& campaign)>;
    sim_plan(world&, process, broker&, const sim_log::trouble&, const audience&, campaign_source,
             std::int32_t partitions);

    static constexpr const char* progress = "simulated.progress";

  private:
    asio::awaitable<bool> live() override;
    void restore() override;
    double room() const;
    /// Of one campaign: its rows up to `most`, and how far that is.
    records release(const std::string& campaign, std::size_t most);
    records cancel(const std::string& campaign);
    asio::awaitable<bool> commit(const std::string& campaign, records);

    const audience& audience_;
    campaign_source campaigns_;
    std::int32_t partitions_;
    std::map<std::string, plan::position> positions_;
    plan::shared_room room_;
};

} // namespace semel::simulation
