#include "figures.hpp"

#include <postgres/patiently.hpp>
#include <runtime/race.hpp>

#include <api/core/canary.hpp>
#include <api/edge/ledger.hpp>
#include <api/edge/store.hpp>

#include <optional>
#include <string>

namespace semel::api {

namespace asio = boost::asio;

namespace {

double seconds_of(std::int64_t us) {
    return static_cast<double>(us) / 1e6;
}

const char* state_of(const v1::Campaign& c, base::timestamp now) {
    if (c.phase() == v1::CAMPAIGN_PAUSED) {
        return "paused";
    }
    return base::from_us(c.start_us()) > now ? "waiting" : "running";
}

void add_channels(campaign_figures& out, const std::string& id, bool runs, const pqxx::result& channels) {
    for (const auto& row : channels) {
        const auto channel = row["channel"].as<std::string>();
        const auto n = [&](const char* column) { return row[column].as<double>(); };
        out.messages[{id, channel, "unsent"}] = n("outstanding") - n("retrying") - n("doubtful");
        out.messages[{id, channel, "retrying"}] = n("retrying");
        out.messages[{id, channel, "in_doubt"}] = n("doubtful");
        if (runs) {
            out.rates[{id, channel}] = n("rate_per_s");
        }
    }
}

class campaign_gauges {
  public:
    explicit campaign_gauges(telemetry::metrics& m)
        : people_(m.make_gauges("semel_api_campaign_outstanding_people",
                                "People who are not accounted for, of campaigns that are launched and not over",
                                {"campaign", "state"}))
        , messages_(m.make_gauges("semel_api_campaign_outstanding_messages",
                                  "Messages that are planned and not settled: unsent, retrying, in_doubt",
                                  {"campaign", "channel", "why"}))
        , rates_(m.make_gauges("semel_api_campaign_accepted_per_second",
                               "Messages that gateways accepted, over the last ten seconds; of campaigns that run",
                               {"campaign", "channel"}))
        , deadlines_(m.make_gauges("semel_api_campaign_deadline_timestamp_seconds",
                                   "After this nothing is sent any more", {"campaign"}))
        , forecasts_(m.make_gauges("semel_api_campaign_forecast_timestamp_seconds",
                                   "When it will be done at its present rate; no series where that cannot be said",
                                   {"campaign"}))
        , halted_(m.make_gauges("semel_api_campaign_halted",
                                "1 for a campaign that its own rule has stopped and nobody has resumed",
                                {"campaign"})) {}

    void show(const campaign_figures& now) {
        people_.show(now.people);
        messages_.show(now.messages);
        rates_.show(now.rates);
        deadlines_.show(now.deadlines);
        forecasts_.show(now.forecasts);
        halted_.show(now.halted);
    }

  private:
    telemetry::gauges people_, messages_, rates_, deadlines_, forecasts_, halted_;
};

} // namespace

campaign_figures read_figures(pqxx::work& tx, base::timestamp now) {
    campaign_figures out;
    for (const auto& c : store::all_campaigns(tx)) {
        if (c.phase() != v1::CAMPAIGN_RUNNING && c.phase() != v1::CAMPAIGN_PAUSED) {
            continue;
        }
        const std::string state = state_of(c, now);
        const auto channels = tx.exec_params("SELECT channel, planned, outstanding, retrying, doubtful, rate_per_s "
                                             "FROM ledger.channels($1)",
                                             c.id());
        const auto rows = read_released(tx, c);
        const auto held = static_cast<double>(rows.held);
        out.people[{c.id(), state}] = static_cast<double>(read_coverage(tx, c).outstanding) - held;
        if (held > 0) {
            out.people[{c.id(), "held"}] = held;
        }
        if (is_halted(c)) {
            out.halted[{c.id()}] = 1;
        }
        if (c.deadline_us() != 0) {
            out.deadlines[{c.id()}] = seconds_of(c.deadline_us());
        }
        add_channels(out, c.id(), state == "running", channels);
        if (const auto at = forecast_of(c, channels, rows, now); at && state == "running") {
            out.forecasts[{c.id()}] = seconds_of(base::to_us(*at));
        }
    }
    return out;
}

asio::awaitable<void> show_campaigns(services& s, telemetry::metrics& m, std::chrono::milliseconds every) {
    campaign_gauges shown{m};
    // A forecast of before an outage would keep an alert down that the hours since have made due.
    const auto forget = [&shown](const std::optional<std::string>& trouble) {
        if (trouble) {
            shown.show({});
        }
    };
    do {
        const auto now = co_await postgres::patiently(s.db,
                                                      [](pqxx::connection& c) {
                                                          pqxx::work tx{c};
                                                          return read_figures(tx, base::now());
                                                      },
                                                      {.tell = forget});
        shown.show(now);
    } while (co_await runtime::sleep(every));
}

} // namespace semel::api
