// What alerts look at, of campaigns that are launched and not over.

#include "doubts_support.hpp"

#include <api/edge/figures.hpp>

namespace semel::api::test {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class Figures : public Doubts {
  protected:
    static constexpr auto sms = v1::CHANNEL_SMS;

    campaign_figures look(base::timestamp now = base::now()) {
        return db->run_blocking([now](pqxx::connection& c) {
            pqxx::work tx{c};
            return read_figures(tx, now);
        });
    }
    void rename(const std::string& schema, const std::string& to) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            tx.exec("ALTER SCHEMA " + schema + " RENAME TO " + to);
            tx.commit();
        });
    }
    bool run_until(const std::function<bool()>& holds) {
        const auto until = std::chrono::steady_clock::now() + 20s * support::slowness;
        while (!holds() && std::chrono::steady_clock::now() < until) {
            io.restart();
            io.run_for(20ms);
        }
        return holds();
    }
    /// One was told, one is in doubt, one is not sent.
    void tell_of_three() {
        auto accepted = s.about(v1::EVENT_ACCEPTED, "a");
        accepted.set_channel(sms);
        record({person("1", sms, "a", 1), person("2", sms, "b", 2), person("3", sms, "c", 3), accepted,
                doubtful(sms, "b", "semel:lost", "")});
    }
};

TEST_F(Figures, AreThoseOfStatus) {
    tell_of_three();
    set_phase(v1::CAMPAIGN_RUNNING);
    const auto now = base::now();
    const auto all = look(now);
    EXPECT_THAT(all.people, UnorderedElementsAre(Pair(testing::ElementsAre(id, "running"), 2)));
    EXPECT_EQ(all.messages.at({id, "sms", "unsent"}), 1);
    EXPECT_EQ(all.messages.at({id, "sms", "in_doubt"}), 1);
    EXPECT_EQ(all.messages.at({id, "sms", "retrying"}), 0);
    EXPECT_EQ(all.rates.at({id, "sms"}), 0.1) << "one in ten seconds";
    EXPECT_EQ(all.deadlines.at({id}), static_cast<double>(campaign(id).deadline_us()) / 1e6);
    EXPECT_NEAR(all.forecasts.at({id}), static_cast<double>(base::to_us(now)) / 1e6 + 20, 2) << "two at 0.1/s";
}

TEST_F(Figures, SayNoRateAndNoForecastOfWhatIsPausedOrHasNotBegun) {
    tell_of_three();
    set_phase(v1::CAMPAIGN_PAUSED);
    auto all = look();
    EXPECT_EQ(all.people.at({id, "paused"}), 2);
    EXPECT_EQ(all.deadlines.size(), 1U) << "it comes nearer";
    EXPECT_THAT(all.rates, IsEmpty());
    EXPECT_THAT(all.forecasts, IsEmpty());
    set_phase(v1::CAMPAIGN_RUNNING);
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        auto later = store::lock_campaign(tx, id).value();
        later.set_start_us(base::to_us(base::now() + 1h));
        later.set_version(later.version() + 1);
        store::update_campaign(tx, later);
        tx.commit();
    });
    all = look();
    EXPECT_EQ(all.people.at({id, "waiting"}), 2);
    EXPECT_THAT(all.rates, IsEmpty());
}

TEST_F(Figures, EndWithTheirCampaign) {
    tell_of_three();
    for (const auto over : {v1::CAMPAIGN_DRAFT, v1::CAMPAIGN_FINISHED, v1::CAMPAIGN_CANCELLED}) {
        set_phase(over);
        const auto all = look();
        EXPECT_THAT(all.people, IsEmpty());
        EXPECT_THAT(all.messages, IsEmpty());
        EXPECT_THAT(all.deadlines, IsEmpty());
    }
}

TEST_F(Figures, TellPeopleOfWavesThatNobodyHasLaunchedApart) {
    tell_of_three();
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        auto changed = store::lock_campaign(tx, id).value();
        auto& wave = *changed.add_waves();
        wave.set_number(2);
        wave.set_phase(v1::WAVE_APPROVED);
        wave.set_rows(7);
        changed.set_phase(v1::CAMPAIGN_RUNNING);
        changed.set_version(changed.version() + 1);
        store::update_campaign(tx, changed);
        tx.commit();
    });
    EXPECT_THAT(look().people, UnorderedElementsAre(Pair(testing::ElementsAre(id, "running"), 2),
                                                    Pair(testing::ElementsAre(id, "held"), 7)));
}

TEST_F(Figures, AreShownWhilePostgreSqlAnswers) {
    tell_of_three();
    set_phase(v1::CAMPAIGN_RUNNING);
    telemetry::metrics metrics;
    asio::cancellation_signal stop;
    bool ended = false;
    asio::co_spawn(io, show_campaigns(*shared, metrics, 20ms),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { ended = true; }));
    const std::string deadline = "semel_api_campaign_deadline_timestamp_seconds{campaign=\"" + id + "\"}";
    const auto are_shown = [&] { return metrics.expose().contains(deadline); };
    EXPECT_TRUE(run_until(are_shown));
    EXPECT_THAT(metrics.expose(), testing::HasSubstr("semel_api_campaign_outstanding_messages{campaign=\"" + id +
                                                     "\",channel=\"sms\",why=\"unsent\"} 1"));
    rename("ledger", "away");
    EXPECT_TRUE(run_until([&] { return !are_shown(); })) << "they would be those of before";
    rename("away", "ledger");
    EXPECT_TRUE(run_until(are_shown));
    stop.emit(asio::cancellation_type::terminal);
    EXPECT_TRUE(run_until([&] { return ended; }));
}

} // namespace
} // namespace semel::api::test
