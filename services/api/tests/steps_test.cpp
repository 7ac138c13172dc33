// Campaigns: making them, and the order of their steps.

#include "support.hpp"

#include <crypto/keys.hpp>

#include <api/edge/user_store.hpp>

#include <regex>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(Api, MakesACampaignOutOfACheckedNotice) {
    const auto id = create();
    const auto c = campaign(id);
    EXPECT_EQ(c.name(), "Renewed notice");
    EXPECT_EQ(c.phase(), v1::CAMPAIGN_DRAFT);
    EXPECT_EQ(c.default_region(), "KR");
    EXPECT_EQ(c.in_doubt(), v1::DOUBT_RESEND);
    EXPECT_EQ(c.in_doubt_after_s(), 1'800U);
    EXPECT_EQ(c.channels_size(), 3);
    EXPECT_TRUE(kek.unwrap(c.wrapped_key(), base::campaign_id{id}));

    // Others hear of it: the campaign, its notice, and who made it.
    ASSERT_EQ(outbox_of(wire::control).size(), 1U);
    EXPECT_TRUE(same(c, outbox_of(wire::control)[0].value));
    ASSERT_EQ(outbox_of(wire::notices).size(), 1U);
    ASSERT_EQ(events().size(), 1U);
    EXPECT_EQ(events()[0].actor(), "operator");

    const auto list = json::read(get("auditor", "/v1/campaigns").body).value().as_array();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].as_object().at("id").as_string(), id);
    EXPECT_EQ(list[0].as_object().at("state").as_string(), "draft");
}

TEST_F(Api, TakesWhatTheCreatorChose) {
    auto body = new_campaign();
    body["channels"] = json::array{"email", "sms"};
    body["dedup"] = "account";
    body["in_doubt"] = "hold";
    body["in_doubt_after"] = "90s";
    body["deadline"] = "2030-01-01T00:00:00+09:00";
    body["rate_per_s"] = 500;
    body["resends"] = 3;
    body["canary"] = 1'000;
    body["halt"] = json::object{{"above_percent", 2.5}, {"least_outcomes", 200}};
    body["default_region"] = "DE";
    const auto made = post("operator", "/v1/campaigns", json::serialize(body));
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto c = campaign(made.text("id"));
    EXPECT_EQ(c.channels_size(), 2);
    EXPECT_EQ(c.dedup(), v1::DEDUP_ACCOUNT);
    EXPECT_EQ(c.in_doubt(), v1::DOUBT_HOLD);
    EXPECT_EQ(c.in_doubt_after_s(), 90U);
    EXPECT_EQ(base::to_rfc3339(base::from_us(c.deadline_us())), "2029-12-31T15:00:00Z");
    EXPECT_EQ(c.rate_per_s(), 500U);
    EXPECT_EQ(c.resends(), 3U);
    EXPECT_EQ(c.canary().rows(), 1'000U);
    EXPECT_FALSE(c.canary().released());
    EXPECT_EQ(c.halt().above_percent(), 2.5);
    EXPECT_EQ(c.halt().least_outcomes(), 200U);
    EXPECT_EQ(c.default_region(), "DE");
}

TEST_F(Api, GivesACampaignAnEndAndSaysWhereItComesFrom) {
    // Its aware_at is long past: the law's 72 hours are missed, and the notice goes out all the same.
    const auto made = post("operator", "/v1/campaigns", json::serialize(new_campaign()));
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto c = campaign(made.text("id"));
    const auto left = base::from_us(c.deadline_us()) - base::now();
    EXPECT_LE(left, std::chrono::days{7});
    EXPECT_GT(left, std::chrono::days{7} - std::chrono::hours{1});
    EXPECT_EQ(made.text("deadline"), base::to_rfc3339(base::from_us(c.deadline_us())));
    EXPECT_THAT(made.text("deadline_basis"), HasSubstr("7 days after the creation; the 72 hours of KR-PIPA ended"));
    EXPECT_THAT(made.body, HasSubstr("missed by"));

    auto chosen = new_campaign();
    chosen["deadline"] = "2030-01-01T00:00:00+09:00";
    EXPECT_EQ(post("operator", "/v1/campaigns", json::serialize(chosen)).text("deadline_basis"), "");
}

TEST_F(Api, RefusesWhatItDoesNotUnderstand) {
    const auto with = [](const char* key, json::value value) {
        auto body = new_campaign();
        body[key] = std::move(value);
        return json::serialize(body);
    };
    for (const auto& body : {std::string{"{"},
                             std::string{"[]"},
                             with("name", ""),
                             with("name", 7),
                             with("name", json::string(201, 'n')),
                             with("notice", "text"),
                             with("notice", json::object{{"notice.yaml", "no base64!"}}),
                             with("channels", "email"),
                             with("channels", json::array{}),
                             with("channels", json::array{"fax"}),
                             with("dedup", "person"),
                             with("in_doubt", "guess"),
                             with("in_doubt_after", "soon"),
                             with("in_doubt_after", "0s"),
                             with("deadline", "tomorrow"),
                             with("rate_per_s", -1),
                             with("rate_per_s", "fast"),
                             with("resends", 11),
                             with("resends", "often"),
                             with("canary", 0),
                             with("canary", "a few"),
                             with("halt", 5),
                             with("halt", json::object{}),
                             with("halt", json::object{{"above_percent", 0}}),
                             with("halt", json::object{{"above_percent", 100}}),
                             with("halt", json::object{{"above_percent", 5}, {"least_outcomes", 0}}),
                             with("default_region", "Korea")}) {
        const auto answer = post("operator", "/v1/campaigns", body);
        EXPECT_EQ(answer.status, 400U) << body.substr(0, 80) << answer.body;
        EXPECT_NE(answer.text("error"), "");
    }
    for (const auto* later : {"cascade", "follow_up_of", "outcome"}) {
        const auto answer = post("operator", "/v1/campaigns", with(later, "x"));
        EXPECT_EQ(answer.status, 422U);
        EXPECT_THAT(answer.text("error"), HasSubstr(later));
    }
    EXPECT_TRUE(outbox_of(wire::control).empty());
}

// Each is right by itself; together they would never send anything.
TEST_F(Api, RefusesTimesThatContradictEachOtherAtOnce) {
    make_ledger();
    const auto answer_to = [this](std::initializer_list<std::pair<const char*, const char*>> times) {
        auto body = new_campaign();
        for (const auto& [key, time] : times) {
            body[key] = time;
        }
        return post("operator", "/v1/campaigns", json::serialize(body));
    };
    const auto backwards =
        answer_to({{"start", "2030-01-02T00:00:00+09:00"}, {"deadline", "2030-01-01T00:00:00+09:00"}});
    EXPECT_EQ(backwards.status, 400U);
    EXPECT_THAT(backwards.text("error"), HasSubstr("is not before the deadline"));
    EXPECT_THAT(answer_to({{"deadline", "2020-01-01T00:00:00Z"}}).text("error"), HasSubstr("is past"));
    EXPECT_THAT(answer_to({{"start", "2030-03-28T02:30:00"}}).text("error"), HasSubstr("names no zone"));
    EXPECT_TRUE(outbox_of(wire::control).empty());

    const auto made = answer_to({{"start", "2020-01-01T09:00:00+09:00"}, {"deadline", "2030-01-01T00:00:00+0900"}});
    ASSERT_EQ(made.status, 201U) << made.body;
    EXPECT_THAT(json::serialize(made.object().at("warnings")), HasSubstr("start: 2020-01-01T00:00:00Z is past"));
    for (const char* where : {"", "/status"}) {
        const auto shown = get("approver", "/v1/campaigns/" + made.text("id") + where);
        EXPECT_EQ(shown.text("start"), "2020-01-01T00:00:00Z") << where;
        EXPECT_EQ(shown.text("deadline"), "2029-12-31T15:00:00Z") << where;
    }
}

// Nobody's guess about wording stops a notice for good, and nobody overlooks it either.
TEST_F(Api, ApprovesANoticeWithFindingsOnlyWhenEachIsTakenOn) {
    auto files = files_of_notice();
    auto& sms = files["sms.en.txt"]; // all else stays as the other channels have it
    sms = std::regex_replace(sms, std::regex{"[Ll]eak(ed)?"}, "exposed");
    const auto made = post("operator", "/v1/campaigns", json::serialize(new_campaign(files)));
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto id = made.text("id");
    EXPECT_THAT(made.body, HasSubstr("finding KR-W1"));
    tell(compiled(id, files));
    ASSERT_EQ(upload(id, "recipient_id,email\n1,a@example.com\n").status, 202U);
    tell(imported(id, 1));
    ASSERT_EQ(step("operator", id, "seal").status, 200U);
    tell(registered(id, 1, 0));
    tell(registered(id, 1, 1));

    const auto open = step("approver", id, "approve");
    EXPECT_EQ(open.status, 409U);
    EXPECT_THAT(open.text("error"), AllOf(HasSubstr("sms.en.txt:1: finding KR-W1"), HasSubstr("--accept RULE")));
    EXPECT_EQ(approve("approver", id, {{"accept", json::array{"KR-W1"}}}).status, 409U) << "without a reason";
    EXPECT_EQ(approve("approver", id, {{"accept", "KR-W1"}}).status, 400U);
    EXPECT_EQ(step("operator", id, "launch").status, 409U);
    const auto shown = get("approver", "/v1/campaigns/" + id + "/approval");
    EXPECT_THAT(shown.body, HasSubstr(R"("rule":"KR-W1","severity":"finding","file":"sms.en.txt","line":1)"));
    const auto taken = approve("approver", id, {{"accept", json::array{"KR-W1"}}, {"reason", "counsel read it"}});
    ASSERT_EQ(taken.status, 200U) << taken.body;
    EXPECT_EQ(events().back().text(), "approve " + shown.text("digest") + "; accepted KR-W1: counsel read it");
    EXPECT_EQ(step("operator", id, "launch").status, 200U);
}

TEST_F(Api, SaysWhereANoticeIsBad) {
    auto files = files_of_notice();
    files["email.en.md"] = "Hello {{nobody}}";
    const auto answer = post("operator", "/v1/campaigns", json::serialize(new_campaign(files)));
    EXPECT_EQ(answer.status, 422U);
    EXPECT_THAT(answer.text("error"), HasSubstr("email.en.md:"));
}

TEST_F(Api, KnowsNoOtherCampaigns) {
    for (const auto* path : {"/seal", "/launch", "/uploads", "/test"}) {
        EXPECT_EQ(post("operator", std::string{"/v1/campaigns/c-nothing"} + path, "recipient_id\n1\n").status, 404U)
            << path;
    }
    EXPECT_EQ(get("operator", "/v1/campaigns/c-nothing/report").status, 404U);
}

TEST_F(Api, RefusesStepsOutOfOrder) {
    const auto id = create();
    for (const auto& [user, name] : {std::pair{"operator", "seal"},
                                     {"approver", "approve"},
                                     {"operator", "launch"},
                                     {"operator", "pause"},
                                     {"operator", "resume"}}) {
        const auto answer = step(user, id, name);
        EXPECT_EQ(answer.status, 409U) << name;
        EXPECT_NE(answer.text("error"), "") << name;
    }
    EXPECT_EQ(campaign(id).version(), 1U);
    EXPECT_EQ(events().size(), 1U) << "a refused step is not an event";
}

TEST_F(Api, LaunchesNothingByAClockThatMayBeWrong) {
    const auto id = create_registered();
    ASSERT_EQ(step("approver", id, "approve").status, 200U);
    time_is_certain = false;
    const auto refused = step("operator", id, "launch");
    EXPECT_EQ(refused.status, 503U);
    EXPECT_THAT(refused.text("error"), HasSubstr("clock"));
    EXPECT_EQ(campaign(id).planned_at_us(), 0);
    EXPECT_EQ(campaign(id).waves(0).phase(), v1::WAVE_APPROVED);
    time_is_certain = true;
    EXPECT_EQ(step("operator", id, "launch").status, 200U);
    time_is_certain = false;
    EXPECT_EQ(step("operator", id, "pause").status, 200U) << "what stops goes by no clock";
}

TEST_F(Api, GoesFromAnUploadToALaunch) {
    const auto id = create_registered();
    EXPECT_EQ(step("operator", id, "launch").status, 409U) << "not approved yet";
    const auto approved = step("approver", id, "approve");
    ASSERT_EQ(approved.status, 200U) << approved.body;
    EXPECT_EQ(approved.text("state"), "approved");
    const auto launched = step("operator", id, "launch");
    ASSERT_EQ(launched.status, 200U) << launched.body;
    EXPECT_EQ(launched.text("state"), "running");
    EXPECT_EQ(campaign(id).waves(0).phase(), v1::WAVE_LAUNCHED);
    EXPECT_EQ(step("approver", id, "pause").text("state"), "paused");
    EXPECT_EQ(step("operator", id, "resume").text("state"), "running");
    EXPECT_EQ(step("operator", id, "cancel").text("state"), "cancelled");
    EXPECT_EQ(step("operator", id, "resume").status, 409U);
    EXPECT_EQ(upload(id, "recipient_id\n2\n").status, 409U);

    std::vector<std::string> done;
    std::set<std::string> ids;
    for (const auto& e : events()) {
        ids.insert(e.id());
        done.push_back(e.kind() == v1::EVENT_WAVE_SEALED ? fmt::format("sealed {} rows", e.rows()) : e.text());
    }
    EXPECT_THAT(done, testing::ElementsAre("created", "added upload 1", "seal", "sealed 10 rows",
                                           testing::MatchesRegex("approve [0-9a-f]{64}"), "launch", "pause", "resume",
                                           "cancel"));
    EXPECT_EQ(ids.size(), done.size()) << "each event has an id of its own";
    const auto last = outbox_of(wire::control).back();
    EXPECT_EQ(last.key, id);
    EXPECT_TRUE(same(campaign(id), last.value)) << "control ends with the present state";
}

// Tried before this was so: an approver looked at 20 rows and approved 3,000.
TEST_F(Api, ApprovesWhatWasLookedAtAndNothingElse) {
    const auto id = create_registered();
    const auto shown = get("approver", "/v1/campaigns/" + id + "/approval");
    ASSERT_EQ(shown.status, 200U) << shown.body;
    EXPECT_THAT(shown.body, AllOf(HasSubstr(R"("wave":1,"rows":10,"rejected":1,)"), HasSubstr(R"("recipients":10)"),
                                  HasSubstr("not a new incident"), HasSubstr(R"("refusal":null)")));
    EXPECT_THAT(get("operator", "/v1/campaigns/" + id + "/approval").text("refusal"),
                HasSubstr("ask a user with the role approver"))
        << "told before pages of text are read";
    const auto looked_at = json::serialize(json::object{{"seen", seen(id)}});
    ASSERT_EQ(upload(id, "recipient_id,email\n2,b@example.com\n").status, 202U);
    tell(imported(id, 2, 2'980));
    ASSERT_EQ(step("operator", id, "seal").status, 200U);
    tell(registered(id, 2, 0));
    tell(registered(id, 2, 1));

    const auto refused = post("approver", "/v1/campaigns/" + id + "/approve", looked_at);
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.text("error"), AllOf(HasSubstr("the audience, the counts: wave 2 with 2980 rows came"),
                                             HasSubstr("2990 rows in all")));
    EXPECT_EQ(get("approver", "/v1/campaigns/" + id + "/approval?shown=" + shown.text("digest")).text("changed"),
              "wave 2 with 2980 rows came");
    EXPECT_THAT(get("approver", "/v1/campaigns/" + id + "/approval?shown=x").body, HasSubstr(R"("changed":null)"));
    EXPECT_FALSE(refused.object().at("retry").as_bool());
    EXPECT_EQ(step("operator", id, "launch").status, 409U) << "nothing was approved";
    ASSERT_EQ(step("approver", id, "approve").status, 200U) << "after another look";
    EXPECT_EQ(get("approver", "/v1/campaigns/" + id + "/approval").status, 409U) << "nothing waits any more";
}

TEST_F(Api, ApprovesNothingThatNobodySaysWasSeen) {
    const auto id = create_registered();
    for (const auto* body : {"", "{}", R"({"seen":true})", R"({"seen":{"notice":"00","audience":"","plan":""}})"}) {
        EXPECT_EQ(post("approver", "/v1/campaigns/" + id + "/approve", body).status, 400U) << body;
    }
    EXPECT_EQ(campaign(id).waves(0).phase(), v1::WAVE_REGISTERED);
}

TEST_F(Api, DropsAWaveThatIsNotLaunched) {
    const auto id = create_registered();
    const auto drop = [&](const std::string& user, const std::string& wave) {
        return post(user, "/v1/campaigns/" + id + "/waves/" + wave + "/drop");
    };
    ASSERT_EQ(step("approver", id, "approve").status, 200U);
    const auto refused = drop("operator", "1");
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.text("error"), HasSubstr("--as approver"));
    const auto dropped = drop("approver", "1");
    ASSERT_EQ(dropped.status, 200U) << dropped.body;
    EXPECT_EQ(dropped.text("state"), "draft");
    EXPECT_EQ(campaign(id).waves(0).phase(), v1::WAVE_DROPPED);
    EXPECT_EQ(drop("approver", "1").status, 409U);
    EXPECT_EQ(drop("approver", "2").status, 409U);
    EXPECT_EQ(drop("approver", "x").status, 404U);

    const auto told = events();
    const auto event = std::ranges::find(told, v1::EVENT_WAVE_DROPPED, &v1::Event::kind);
    ASSERT_NE(event, told.end());
    EXPECT_EQ(event->wave(), 1U);
    EXPECT_EQ(event->rows(), 10U);
    EXPECT_EQ(event->actor(), "approver");
    EXPECT_EQ(std::ranges::count(told, v1::EVENT_WAVE_DROPPED, &v1::Event::kind), 1);
    EXPECT_TRUE(same(campaign(id), outbox_of(wire::control).back().value));
}

TEST_F(Api, WaitsWithApprovalForTheNoticeAndForTheWave) {
    const auto id = create();
    EXPECT_EQ(upload(id, "recipient_id\n1\n").status, 202U);
    tell(imported(id, 1));
    ASSERT_EQ(step("operator", id, "seal").status, 200U);
    const auto without_notice = step("approver", id, "approve");
    EXPECT_EQ(without_notice.status, 409U);
    EXPECT_TRUE(without_notice.object().at("retry").as_bool());
    tell(compiled(id));
    const auto without_counts = step("approver", id, "approve");
    EXPECT_EQ(without_counts.status, 409U);
    EXPECT_TRUE(without_counts.object().at("retry").as_bool());
    tell(registered(id, 1, 0));
    EXPECT_EQ(step("approver", id, "approve").status, 409U) << "one of two spans";
    tell(registered(id, 1, 1));
    EXPECT_EQ(step("approver", id, "approve").status, 200U);
}

TEST_F(Api, LetsNobodyApproveTheirOwnCampaign) {
    const auto id = create_registered();
    db->run_blocking([](pqxx::connection& c) { // promoted since
        pqxx::work tx{c};
        store::put_user(tx, "operator", role::approver, token_of("operator"));
        tx.commit();
    });
    const auto answer = step("operator", id, "approve");
    EXPECT_EQ(answer.status, 409U);
    EXPECT_THAT(answer.text("error"), HasSubstr("another user"));
    EXPECT_EQ(step("approver", id, "approve").status, 200U);
}

TEST_F(Api, VoidsAnApprovalWhenWhatWasApprovedChanges) {
    const auto id = create_registered();
    ASSERT_EQ(step("approver", id, "approve").status, 200U);
    tell(registered(id, 1, 0, 2)); // counted again, otherwise
    const auto refused = step("operator", id, "launch");
    EXPECT_EQ(refused.status, 409U);
    EXPECT_THAT(refused.text("error"), AllOf(HasSubstr("void"), HasSubstr("approve it again")));
    EXPECT_FALSE(refused.object().at("retry").as_bool());
    ASSERT_EQ(step("approver", id, "approve").status, 200U);
    EXPECT_EQ(step("operator", id, "launch").status, 200U);
}

TEST_F(Api, VoidsAnApprovalWhenTheAudienceChanges) {
    const auto id = create_registered();
    ASSERT_EQ(step("approver", id, "approve").status, 200U);
    db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        auto other = store::lock_campaign(tx, id).value();
        other.mutable_waves(0)->mutable_spans(0)->set_digest("of other chunks");
        store::update_campaign(tx, other);
        tx.commit();
    });
    EXPECT_THAT(step("operator", id, "launch").text("error"), HasSubstr("void"));
}

TEST_F(Api, TakesRepeatedFeedbackOnce) {
    const auto id = create_registered();
    ASSERT_EQ(step("approver", id, "approve").status, 200U);
    const auto before = campaign(id).SerializeAsString();
    tell(compiled(id));
    tell(imported(id, 1));
    tell(registered(id, 1, 0));
    tell(registered(id, 1, 1));
    EXPECT_TRUE(same(campaign(id), before));
    EXPECT_EQ(step("operator", id, "launch").status, 200U) << "the approval stands";
}

TEST_F(Api, PassesOverFeedbackOfCampaignsThatItDoesNotKnow) {
    EXPECT_NO_THROW(tell(imported("c-elsewhere", 1)));
    EXPECT_NO_THROW(tell(registered("c-elsewhere", 1, 0)));
}

} // namespace
} // namespace semel::api::test
