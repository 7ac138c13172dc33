#include "forgetting.hpp"

#include <kafka/sweeper.hpp>
#include <runtime/race.hpp>
#include <semel/v1/delivery.pb.h>

#include <boost/asio/this_coro.hpp>

namespace semel::delivery {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::minutes every{10};

bool stays_of(const catalog::catalog& campaigns, const kafka::record& record) {
    v1::Dispatch d;
    if (!d.ParseFromArray(record.value().data(), static_cast<int>(record.value().size())) || d.campaign_id().empty()) {
        return true;
    }
    const auto campaign = campaigns.find(base::campaign_id{d.campaign_id()});
    const base::timestamp written{std::chrono::milliseconds{record.timestamp_ms()}};
    return stays(campaign ? &campaign->state : nullptr, written, base::now());
}

} // namespace

bool stays(const v1::Campaign* campaign, base::timestamp written, base::timestamp now) {
    const bool over = campaign != nullptr &&
                      (campaign->phase() == v1::CAMPAIGN_FINISHED || campaign->phase() == v1::CAMPAIGN_CANCELLED);
    return !over || now - written < dispatched_kept_afterwards;
}

asio::awaitable<void> forget_dispatches(const engine& e, const catalog::catalog& campaigns, kafka::cluster bootstrap,
                                        telemetry::logger& log) {
    kafka::sweeper dispatches{co_await asio::this_coro::executor, std::move(bootstrap),
                              [&campaigns](const kafka::record& r) { return stays_of(campaigns, r); }};
    while (co_await runtime::sleep(every)) {
        if (const auto done = co_await dispatches.sweep(e.settled("dispatch.")); !done) {
            log.warn("records.not_deleted", {{"topics", "dispatch.*"}, {"why", done.error().why()}});
        }
    }
}

} // namespace semel::delivery
