// What waits for an operator's word: a canary's rest, and a campaign that its own rule has stopped.

#include "doubts_support.hpp"

#include <api/edge/figures.hpp>
#include <api/edge/halting.hpp>

namespace semel::api::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class Brakes : public Doubts {
  protected:
    static constexpr auto sms = v1::CHANNEL_SMS;

    /// Running, with one launched wave of ten rows.
    void launch(const std::function<void(v1::Campaign&)>& also) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            auto changed = store::lock_campaign(tx, id).value();
            auto& wave = *changed.add_waves();
            wave.set_number(1);
            wave.set_phase(v1::WAVE_LAUNCHED);
            wave.set_rows(10);
            changed.set_phase(v1::CAMPAIGN_RUNNING);
            also(changed);
            changed.set_version(changed.version() + 1);
            store::update_campaign(tx, changed);
            tx.commit();
        });
    }
    /// Three were sent to: one accepted, two failed.
    void tell_of_three() {
        auto accepted = s.about(v1::EVENT_ACCEPTED, "a");
        accepted.set_channel(sms);
        std::vector<v1::Event> told{person("1", sms, "a", 1), person("2", sms, "b", 2), person("3", sms, "c", 3),
                                    accepted};
        for (const auto* name : {"b", "c"}) {
            told.push_back(s.about(v1::EVENT_FAILED, name));
            told.back().set_channel(sms);
        }
        record(told);
    }
    std::vector<std::pair<std::string, std::string>> judge() {
        return db->run_blocking([](pqxx::connection& c) {
            pqxx::work tx{c};
            auto halted = halt_by_rule(tx, base::now(), 4);
            tx.commit();
            return halted;
        });
    }
    answered take(const std::string& user, const std::string& name) { return step(user, id, name); }
    json::object status() { return get("auditor", "/v1/campaigns/" + id + "/status").object(); }
    std::string warnings() { return json::serialize(status().at("warnings")); }
    std::size_t shown_as_halted() {
        return db->run_blocking([](pqxx::connection& c) {
            pqxx::work tx{c};
            return read_figures(tx, base::now()).halted.size();
        });
    }
};

TEST_F(Brakes, ACampaignIsHaltedByItsRuleAndGoesOnByAnOperatorsWordAlone) {
    launch([](v1::Campaign& c) {
        c.mutable_halt()->set_above_percent(50);
        c.mutable_halt()->set_least_outcomes(3);
    });
    EXPECT_THAT(judge(), IsEmpty());
    tell_of_three();
    EXPECT_EQ(shown_as_halted(), 0U);
    const auto halted = judge();
    ASSERT_EQ(halted.size(), 1U);
    EXPECT_EQ(halted[0].first, id);
    EXPECT_EQ(halted[0].second, "2 of 3 sms messages failed (66.7 %, more than 50 %)");
    EXPECT_EQ(campaign(id).phase(), v1::CAMPAIGN_PAUSED);
    EXPECT_TRUE(same(campaign(id), outbox_of(wire::control).back().value)) << "plan and the dispatchers hear of it";
    EXPECT_EQ(events().back().actor(), "semel");
    EXPECT_THAT(events().back().text(), HasSubstr("halted: 2 of 3 sms"));
    EXPECT_EQ(status().at("state"), "paused");
    EXPECT_EQ(status().at("halted").at("why").as_string(), halted[0].second);
    EXPECT_THAT(warnings(), HasSubstr("halted by its own rule"));
    EXPECT_EQ(shown_as_halted(), 1U);
    EXPECT_THAT(judge(), IsEmpty()) << "once";

    EXPECT_EQ(take("approver", "resume").status, 403U);
    EXPECT_EQ(take("operator", "resume").status, 200U);
    EXPECT_TRUE(status().at("halted").is_null());
    EXPECT_EQ(shown_as_halted(), 0U);
    EXPECT_THAT(judge(), IsEmpty()) << "an operator has seen these";
    EXPECT_EQ(campaign(id).phase(), v1::CAMPAIGN_RUNNING);
}

TEST_F(Brakes, WithoutARuleNothingIsHalted) {
    launch([](v1::Campaign&) {});
    tell_of_three();
    EXPECT_THAT(judge(), IsEmpty());
    EXPECT_TRUE(status().at("halted").is_null());
    EXPECT_TRUE(status().at("canary").is_null());
    EXPECT_NE(take("operator", "release").status, 200U) << "nothing is held back";
}

TEST_F(Brakes, ACanaryWaitsWithItsOutcomesUntilAnOperatorReleasesIt) {
    launch([](v1::Campaign& c) { c.mutable_canary()->set_rows(3); });
    EXPECT_EQ(status().at("canary").at("state"), "going out");
    tell_of_three();
    const auto waits = status();
    EXPECT_EQ(waits.at("state"), "running");
    EXPECT_EQ(waits.at("canary").at("state"), "waiting for release");
    EXPECT_EQ(waits.at("canary").at("rows"), 3);
    EXPECT_EQ(waits.at("canary").at("released"), 3);
    EXPECT_TRUE(waits.at("forecast_finish").is_null()) << "seven wait for a word";
    EXPECT_THAT(warnings(), HasSubstr("canary: waiting for release: 3 of 3 rows released; sms: 1 accepted, 2 failed, 0 "
                                      "in doubt, 0 outstanding. `semel campaign release " +
                                      id + "`"));
    EXPECT_EQ(take("approver", "release").status, 403U);
    EXPECT_EQ(take("auditor", "release").status, 403U);
    EXPECT_FALSE(campaign(id).canary().released());
    EXPECT_EQ(take("operator", "release").status, 200U);
    EXPECT_TRUE(campaign(id).canary().released());
    EXPECT_TRUE(same(campaign(id), outbox_of(wire::control).back().value));
    EXPECT_EQ(events().back().text(), "release");
    EXPECT_EQ(events().back().actor(), "operator");
    EXPECT_EQ(status().at("canary").at("state"), "released");
    EXPECT_THAT(warnings(), testing::Not(HasSubstr("canary")));
    EXPECT_NE(take("operator", "release").status, 200U) << "once";
}

TEST_F(Brakes, AnImportEndsAChunkWhereTheCanaryEnds) {
    auto body = new_campaign();
    body["canary"] = 1'000;
    const auto made = post("operator", "/v1/campaigns", json::serialize(body)).text("id");
    ASSERT_EQ(upload(made, "recipient_id,email\n1,a@example.com\n").status, 202U);
    v1::ImportOrder order;
    ASSERT_TRUE(order.ParseFromString(outbox_of(wire::intake_work).back().value));
    EXPECT_EQ(order.cut_after_row(), 1'000U);
}

} // namespace
} // namespace semel::api::test
