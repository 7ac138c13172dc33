// Doubts as people see and decide them.

#include "doubts_support.hpp"

#include <api/edge/user_store.hpp>

namespace semel::api::test {
namespace {

using ledger::test::notification;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(Doubts, AreListedWithWhatWasLookedFor) {
    record({person("4711", v1::CHANNEL_SMS, "a", 1),
            doubtful(v1::CHANNEL_SMS, "a", "semel:timeout", "no submit_sm_resp in time"),
            person("4712", v1::CHANNEL_EMAIL, "b", 2),
            doubtful(v1::CHANNEL_EMAIL, "b", "semel:lost", "after the final dot: connection reset")});
    // Two messages to one number, and a report that may be about either.
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        for (const auto& name : {"a", "elsewhere"}) {
            tx.exec_params("INSERT INTO receipts.open_doubt VALUES ($1, 0, $2, 3, 1, false, 'smsc-a', 'number', 7, 0)",
                           pqxx::binarystring{notification(name)}, id);
        }
        tx.exec(
            "INSERT INTO receipts.orphan (gateway, message_id, state, code, named, destination_hash, reference, "
            "at_us, parked_us, receipt, inferable) VALUES ('smsc-a', 'm-1', 1, '', '', 'number', 7, 1, 1, '', true)");
        tx.commit();
    });
    const auto all = list();
    ASSERT_THAT(all, SizeIs(2));
    const auto& sms = all[0].as_object();
    EXPECT_EQ(sms.at("recipient_id").as_string(), "4711");
    EXPECT_EQ(sms.at("channel").as_string(), "sms");
    EXPECT_EQ(sms.at("gateway").as_string(), "relay-a");
    EXPECT_EQ(sms.at("state").as_string(), "waiting");
    EXPECT_EQ(sms.at("since").as_string(), "2025-11-24T16:00:00Z");
    EXPECT_EQ(sms.at("decision").as_string(), "sent again at 2025-11-24T16:30:00Z");
    EXPECT_THAT(evidence_of(sms),
                ElementsAre("answer to the last bytes: none, no submit_sm_resp in time (semel:timeout)",
                            "receipt by number and message reference: 1 came, but 2 open candidates fit it, so it "
                            "settles none"));
    EXPECT_THAT(evidence_of(all[1]), ElementsAre(HasSubstr("after the final dot"), HasSubstr("not read")));
}

TEST_F(Doubts, AreListedWhereReceiptsHasNeverRun) {
    db->run_blocking([](pqxx::connection& c) { pqxx::nontransaction{c}.exec("DROP SCHEMA receipts CASCADE"); });
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", "")});
    EXPECT_THAT(evidence_of(list().at(0)).at(1), HasSubstr("not looked for now"));
}

TEST_F(Doubts, AreUnresolvedInListReportAndStatusWhenTheirTimeIsUp) {
    auto held = s.about(v1::EVENT_UNRESOLVED, "a");
    held.set_channel(v1::CHANNEL_PUSH);
    held.set_code("semel:hold");
    record({person("4711", v1::CHANNEL_PUSH, "a", 1), doubtful(v1::CHANNEL_PUSH, "a", "semel:lost", ""), held});
    const auto all = list();
    EXPECT_EQ(all.at(0).as_object().at("state").as_string(), "unresolved");
    EXPECT_EQ(all.at(0).as_object().at("decision").as_string(), "an approver decides: semel:hold");
    const auto count = [&](const std::string& what, const char* name) {
        const auto o = get("auditor", "/v1/campaigns/" + id + what).object();
        return o.at("channels").as_object().at("push").as_object().at(name).to_number<int>();
    };
    for (const auto* what : {"/report", "/status"}) {
        EXPECT_EQ(count(what, "unresolved"), 1) << what;
        EXPECT_EQ(count(what, "in_doubt"), 1) << what;
    }
    EXPECT_EQ(count("/report", "presumed_sent"), 0);
    EXPECT_THAT(get("auditor", "/v1/campaigns/" + id + "/status").body,
                HasSubstr("1 push message is in doubt and unresolved: `semel in-doubt list " + id));
}

TEST_F(Doubts, AStandstillOfOneChannelIsItsOwnAndOfAllTheLedgers) {
    auto one = s.about(v1::EVENT_ACCEPTED, "a");
    one.set_channel(v1::CHANNEL_SMS);
    record({person("4711", v1::CHANNEL_SMS, "a", 1), person("4712", v1::CHANNEL_SMS, "b", 2), one});
    set_phase(v1::CAMPAIGN_RUNNING);
    const auto status = [&] { // ten seconds later
        db->run_blocking([](pqxx::connection& c) { pqxx::nontransaction{c}.exec("DELETE FROM ledger.paces"); });
        return get("auditor", "/v1/campaigns/" + id + "/status").body;
    };
    EXPECT_THAT(status(), HasSubstr("no sms message was accepted in the last ten seconds, and 1 are outstanding"));
    auto other = s.about(v1::EVENT_ACCEPTED, "c");
    other.set_channel(v1::CHANNEL_PUSH);
    record({person("4713", v1::CHANNEL_PUSH, "c", 3), person("4714", v1::CHANNEL_PUSH, "d", 4), other});
    EXPECT_THAT(status(), HasSubstr("the ledger has heard of no message in the last ten seconds, and some are "
                                    "outstanding (1 push, 1 sms)"));
    EXPECT_THAT(status(), testing::Not(HasSubstr("no sms message")));
}

TEST_F(Doubts, SentAgainAreCountedAndNamedAsAtLeastOnceForEver) {
    auto again = s.about(v1::EVENT_RESENT, "a", 2);
    auto taken = s.about(v1::EVENT_ACCEPTED, "a", 2);
    again.set_channel(v1::CHANNEL_PUSH);
    taken.set_channel(v1::CHANNEL_PUSH);
    record({person("4711", v1::CHANNEL_PUSH, "a", 1), doubtful(v1::CHANNEL_PUSH, "a", "semel:lost", ""), again, taken});
    EXPECT_THAT(list(), SizeIs(0));
    const auto all = list("resent");
    ASSERT_THAT(all, SizeIs(1));
    const auto& o = all[0].as_object();
    EXPECT_EQ(o.at("recipient_id").as_string(), "4711");
    EXPECT_EQ(o.at("state").as_string(), "accepted");
    EXPECT_EQ(o.at("times").to_number<int>(), 1);
    EXPECT_EQ(o.at("withdrawn").to_number<int>(), 0);
    EXPECT_EQ(o.at("decided_by").as_string(), "");
    const auto report = get("auditor", "/v1/campaigns/" + id + "/report").object();
    EXPECT_EQ(report.at("channels").as_object().at("push").as_object().at("resent").to_number<int>(), 1);
    EXPECT_THAT(get("auditor", "/v1/campaigns/" + id + "/status").body, HasSubstr("at least once and maybe twice"));
}

TEST_F(Doubts, AResendInVainIsListedAndNoFailure) {
    auto again = s.about(v1::EVENT_RESENT, "a", 2);
    auto turned_away = s.failed_resend("a", 2);
    turned_away.set_code("semel:cancelled");
    again.set_channel(v1::CHANNEL_SMS);
    turned_away.set_channel(v1::CHANNEL_SMS);
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", ""), again,
            turned_away});
    const auto all = list();
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].as_object().at("state").as_string(), "unresolved");
    EXPECT_EQ(all[0].as_object().at("resends").to_number<int>(), 1);
    const auto lines = get("auditor", "/v1/campaigns/" + id + "/report").object().at("coverage").as_object();
    EXPECT_EQ(lines.at("in_doubt").to_number<int>(), 1);
    EXPECT_EQ(lines.at("failed").to_number<int>(), 0);
}

TEST_F(Doubts, StandInAStatusThatSaysTheDeadlineAndWhatTheLawWants) {
    for (const auto* what : {"", "/status"}) {
        const auto shown = get("approver", "/v1/campaigns/" + id + what);
        EXPECT_THAT(shown.text("deadline_basis"), HasSubstr("7 days after the creation")) << what;
        EXPECT_THAT(shown.body, HasSubstr("missed by")) << what;
    }
    set_phase(v1::CAMPAIGN_FINISHED);
    EXPECT_THAT(get("approver", "/v1/campaigns/" + id + "/status").body, testing::Not(HasSubstr("missed by")));
}

TEST_F(Doubts, ARepeatedIdIsALineOfTheCoverageAndAListOfItsOwn) {
    auto second = person("4711", v1::CHANNEL_SMS, "b", 2);
    second.set_kind(v1::EVENT_RECIPIENT_REPEATED);
    second.set_id(std::string(16, 'r'));
    auto third = second;
    third.clear_links();
    third.set_row(3);
    third.set_id(std::string(16, 's'));
    record({person("4711", v1::CHANNEL_SMS, "a", 1), second, third});
    const auto report = get("auditor", "/v1/campaigns/" + id + "/report").object();
    EXPECT_EQ(report.at("coverage").as_object().at("repeated").to_number<int>(), 2);
    EXPECT_EQ(report.at("coverage").as_object().at("rejected").to_number<int>(), 0);
    EXPECT_EQ(report.at("rows").to_number<int>(), 3);
    EXPECT_EQ(get("auditor", "/v1/campaigns/" + id + "/repeated").body,
              "wave,row,recipient_id,reason,effect\r\n"
              "1,2,4711,an earlier row of this wave has the same recipient_id,\"counted as repeated; told by sms at an "
              "address that no earlier row has\"\r\n"
              "1,3,4711,an earlier row of this wave has the same recipient_id,\"counted as repeated; its addresses are "
              "told by other rows\"\r\n");
}

TEST_F(Doubts, AreDecidedByAnEventForEachThatNamesBothPeople) {
    auto presumed = s.about(v1::EVENT_PRESUMED_SENT, "b");
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", ""),
            person("4712", v1::CHANNEL_SMS, "b", 2), presumed});
    EXPECT_EQ(resolve("approver", "forget").status, 400U);
    const auto done = resolve("approver", "presume-sent");
    ASSERT_EQ(done.status, 202U) << done.body;
    EXPECT_EQ(done.number("resolved"), 1) << "the other is presumed sent already";
    const auto e = resolved().at(0);
    EXPECT_EQ(e.notification(), notification("a"));
    EXPECT_EQ(e.attempt(), 1U);
    EXPECT_EQ(e.channel(), v1::CHANNEL_SMS);
    EXPECT_EQ(e.code(), "presume-sent");
    EXPECT_EQ(e.actor(), "approver");
    EXPECT_EQ(e.text(), "decided by approver; the campaign is operator's");
    EXPECT_EQ(outbox_of(wire::events).back().partition,
              base::partition_of(std::string_view{e.notification()}, shared->topics.events))
        << "in order with what else happened to it";
    EXPECT_EQ(resolve("approver", "resend").number("resolved"), 2);
    // Who decided is in the person's story.
    auto obeyed = s.about(v1::EVENT_RESENT, "a", 2);
    obeyed.set_actor("approver");
    record({e, obeyed});
    const auto story = post("auditor", "/v1/campaigns/" + id + "/audit", R"({"recipient_id":"4711"})").object();
    std::vector<std::string> actors;
    for (const auto& told : story.at("events").as_array()) {
        const std::string_view kind = told.as_object().at("kind").as_string();
        if (kind == "resolved" || kind == "resent") {
            actors.emplace_back(told.as_object().at("actor").as_string());
        }
    }
    EXPECT_THAT(actors, ElementsAre("approver", "approver"));
}

TEST_F(Doubts, AreNotDecidedByTheCampaignsCreator) {
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", "")});
    EXPECT_EQ(resolve("operator", "resend").status, 403U);
    db->run_blocking([](pqxx::connection& c) { // promoted since
        pqxx::work tx{c};
        store::put_user(tx, "operator", role::approver, token_of("operator"));
        tx.commit();
    });
    const auto refused = resolve("operator", "resend");
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.text("error"), HasSubstr("another approver"));
    EXPECT_TRUE(resolved().empty());
}

TEST_F(Doubts, SentAgainAfterTheEndMakeTheCampaignRunAgain) {
    auto held = s.about(v1::EVENT_UNRESOLVED, "a");
    auto again = s.about(v1::EVENT_RESENT, "a", 2);
    record({person("4711", v1::CHANNEL_EMAIL, "a", 1), held});
    set_phase(v1::CAMPAIGN_FINISHED);
    const auto state = [&] { return get("auditor", "/v1/campaigns/" + id + "/status").text("state"); };
    EXPECT_EQ(state(), "finished");
    record({again});
    EXPECT_EQ(state(), "running");
    record({s.about(v1::EVENT_ACCEPTED, "a", 2)});
    EXPECT_EQ(state(), "finished");
}

} // namespace
} // namespace semel::api::test
