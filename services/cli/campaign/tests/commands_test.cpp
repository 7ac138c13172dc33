// The commands as a script uses them: what they ask of the api, what they print where, and their exit codes.

#include "made_up_api.hpp"

namespace semel::cli::campaign::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Commands, CreatePrintsTheIdAloneAndWarningsBesideIt) {
    api.on("POST", "/v1/campaigns", {{201, R"({"id":"c-1","warnings":["email.ko.md:3: long"]})"}}).start();
    const auto r = semel({"campaign", "create", "--name", "N", "--notice", "notices/follow-up", "--channels",
                          "email,sms", "--in-doubt", "hold", "--resends", "2"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "c-1\n");
    EXPECT_EQ(r.err, "warning: notices/follow-up/email.ko.md:3: long\n");
    const auto& asked = api.stop();
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].bearer, "the-token");
    const auto body = json::read(asked[0].body).value().as_object();
    EXPECT_EQ(body.at("channels").as_array().size(), 2U);
    EXPECT_EQ(body.at("in_doubt").as_string(), "hold");
    EXPECT_EQ(body.at("resends").to_number<int>(), 2);
    EXPECT_TRUE(body.at("notice").as_object().contains("notice.yaml"));
}

TEST_F(Commands, ACanaryIsMadeWithItsCampaignAndReleasedByAStepOfItsOwn) {
    api.on("POST", "/v1/campaigns", {{201, R"({"id":"c-1","warnings":[]})"}})
        .on("POST", "/v1/campaigns/{id}/release", {{200, R"({"id":"c-1","state":"running"})"}})
        .start();
    const std::vector<std::string> words{"campaign", "create", "--name", "N", "--notice", "notices/follow-up"};
    auto with_brakes = words;
    for (const auto* word : {"--canary", "1000", "--halt-above", "2.5", "--halt-least", "200"}) {
        with_brakes.emplace_back(word);
    }
    EXPECT_EQ(semel(with_brakes).exit_code, 0);
    EXPECT_EQ(semel(words).exit_code, 0);
    const auto r = semel({"campaign", "release", "c-1"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "c-1 is running\n");
    const auto& asked = api.stop();
    ASSERT_EQ(asked.size(), 3U);
    const auto body = json::read(asked[0].body).value().as_object();
    EXPECT_EQ(body.at("canary").to_number<int>(), 1'000);
    EXPECT_EQ(body.at("halt").at("above_percent").to_number<double>(), 2.5);
    EXPECT_EQ(body.at("halt").at("least_outcomes").to_number<int>(), 200);
    const auto plain = json::read(asked[1].body).value().as_object();
    EXPECT_FALSE(plain.contains("canary") || plain.contains("halt"));
}

TEST_F(Commands, CreateSaysWhenACampaignWithoutADeadlineGivesUp) {
    api.on("POST", "/v1/campaigns",
           {{201, R"({"id":"c-1","warnings":[],"deadline":"2026-12-06T00:00:00Z","deadline_basis":"7 days"})"}})
        .start();
    const auto r = semel({"campaign", "create", "--name", "N", "--notice", "notices/follow-up"});
    EXPECT_EQ(r.out, "c-1\n");
    EXPECT_EQ(r.err, "deadline  2026-12-06T00:00:00Z: 7 days\n");
}

TEST_F(Commands, AFollowUpWaitsForItsAudienceAndSaysCountDigestAndPosition) {
    api.on("POST", "/v1/campaigns/{id}/follow-ups", {{201, R"({"id":"c-2","upload":1,"warnings":[]})"}})
        .on("GET", "/v1/campaigns/{id}/uploads/{upload}",
            {{200, R"({"state":"freezing"})"},
             {200, R"({"state":"importing"})"},
             {200, R"({"state":"imported","wave":1,"rows":9,"rejected":0,"unreachable":0,"frozen":{"of":"c-1",)"
                   R"("outcome":"reached","people":8,"rows":9,"sha256":"abc","position":{"0":17,"1":20}}})"}})
        .start();
    const std::vector<std::string> words{"campaign",          "create",         "--name", "N",         "--notice",
                                         "notices/follow-up", "--follow-up-of", "c-1",    "--outcome", "reached",
                                         "--channel",         "email"};
    const auto r = semel(words);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "c-2\n");
    EXPECT_THAT(r.err, AllOf(HasSubstr("c-1: reached"), HasSubstr("8 people in 9 rows, sha256 abc"),
                             HasSubstr("events 0:17 1:20")));
    auto with_json = words;
    with_json.emplace_back("--json");
    const auto out = json::read(semel(with_json).out).value().as_object();
    EXPECT_EQ(out.at("id").as_string(), "c-2");
    EXPECT_EQ(out.at("wave").to_number<int>(), 1);
    EXPECT_EQ(out.at("follow_up").as_object().at("sha256").as_string(), "abc");

    const auto& asked = api.stop();
    EXPECT_EQ(asked.at(0).what, "POST /v1/campaigns/c-1/follow-ups");
    const auto body = json::read(asked[0].body).value().as_object();
    EXPECT_EQ(body.at("outcome").as_string(), "reached");
    EXPECT_EQ(body.at("channel").as_string(), "email");
    EXPECT_FALSE(body.contains("default_region")) << "that of what it follows";
}

TEST_F(Commands, AFollowUpThatHasNobodyToTellSaysWhy) {
    api.on("POST", "/v1/campaigns/{id}/follow-ups", {{201, R"({"id":"c-2","upload":1,"warnings":[]})"}})
        .on("GET", "/v1/campaigns/{id}/uploads/{upload}", {{200, R"({"state":"refused","reason":"nobody"})"}})
        .start();
    const auto r =
        semel({"campaign", "create", "--name", "N", "--notice", "notices/follow-up", "--follow-up-of", "c-1"});
    EXPECT_EQ(r.exit_code, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(r.err, "semel: campaign c-2 was made, and has nobody to tell: nobody\n");
}

TEST_F(Commands, AReportShowsTheOtherCampaignsOfItsIncidentWhereThereAreSome) {
    api.on("GET", "/v1/campaigns/{id}/report",
           {{200, R"({"id":"c-1","rows":2,"together":["c-1"]})"},
            {200, R"({"id":"c-1","rows":2,"together":["c-1","c-2"]})"}})
        .on("GET", "/v1/campaigns/{id}/incident",
            {{200, R"({"incident":"leak","campaigns":[],"family":["c-1","c-2"],"told":{"twice":2}})"}})
        .start();
    EXPECT_EQ(semel({"campaign", "report", "c-1", "--json"}).out.find("incident"), std::string::npos);
    const auto both = json::read(semel({"campaign", "report", "c-1", "--json"}).out).value().as_object();
    EXPECT_EQ(both.at("incident").as_object().at("told").as_object().at("twice").to_number<int>(), 2);
    EXPECT_THAT(semel({"campaign", "report", "c-1"}).out, HasSubstr("2 twice by intent"));
    EXPECT_EQ(api.stop().size(), 5U);
}

TEST_F(Commands, ARefusalIsOneAndAnApiThatIsAwayIsThree) {
    api.on("POST", "/v1/campaigns/{id}/launch", {{409, R"({"error":"nothing to launch","retry":false})"}})
        .on("GET", "/v1/campaigns", {{503, R"({"error":"PostgreSQL cannot be reached","hint":"see semel ps"})"}})
        .start();
    const auto refused = semel({"campaign", "launch", "c-1"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(refused.err, "semel: nothing to launch\n");
    const auto broken = semel({"campaign", "list"});
    EXPECT_EQ(broken.exit_code, 3);
    EXPECT_THAT(broken.err, HasSubstr("see semel ps"));
    api.stop();
    ::setenv("SEMEL_API", "http://127.0.0.1:1", 1);
    const auto away = semel({"campaign", "list"});
    EXPECT_EQ(away.exit_code, 3);
    EXPECT_EQ(away.out, "");
    EXPECT_THAT(away.err, HasSubstr("not reachable"));
}

TEST_F(Commands, ConsolePrintsTheAddressAloneWithItsCodeBehindTheHash) {
    api.on("POST", "/v1/session-codes",
           {{201, R"({"code":"a-b_c","expires":"2026-12-06T00:00:00Z"})"}, {201, R"({"code":"d","expires":"x"})"}, {}})
        .start();
    const std::string at = ::getenv("SEMEL_API");
    const auto r = semel({"console"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, at + "/#code=a-b_c\n");
    EXPECT_THAT(r.err, HasSubstr("2026-12-06T00:00:00Z"));
    const auto as_json = semel({"console", "--json"});
    EXPECT_EQ(json::read(as_json.out).value().as_object().at("address").as_string(), at + "/#code=d");
    EXPECT_EQ(semel({"console"}).exit_code, 3) << "an api of before the console";
    const auto& asked = api.stop();
    EXPECT_EQ(asked[0].bearer, "the-token");
    EXPECT_EQ(asked[0].body, "");
}

TEST_F(Commands, WrongUsageIsTwoAndAsksNothing) {
    api.start();
    for (const auto& words : std::vector<std::vector<std::string>>{
             {"campaign", "create", "--name", "N"},
             {"campaign", "create", "--name", "N", "--notice", "notices/follow-up", "--deadline", "soon"},
             {"campaign", "create", "--name", "N", "--notice", "notices/follow-up", "--cascade", "push,sms"},
             {"campaign", "create", "--name", "N", "--notice", "notices/follow-up", "--outcome", "reached"},
             {"campaign", "create", "--name", "N", "--notice", "notices/follow-up", "--follow-up-of", "c-2",
              "--outcome", "lost"},
             {"campaign", "report", "c-1", "--pdf"},
             {"campaign", "status"},
             {"audit", "export", "c-1", "--out", "x"},
             {"audit", "verify", "x"},
             {"in-doubt", "resolve", "c-1"},
             {"in-doubt", "resolve", "c-1", "--resend", "--presume-sent"}}) {
        const auto r = semel(words);
        EXPECT_EQ(r.exit_code, 2) << testing::PrintToString(words);
        EXPECT_EQ(r.out, "");
    }
    EXPECT_TRUE(api.stop().empty());
}

TEST_F(Commands, AStepIsRepeatedWhenTheApiSaysThatWaitingHelps) {
    api.on("POST", "/v1/campaigns/{id}/launch",
           {{409, R"({"error":"the notice is still being compiled","retry":true})"},
            {200, R"({"id":"c-1","state":"running","waves":[]})"}})
        .start();
    const auto r = semel({"campaign", "launch", "c-1"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "c-1 is running\n");
    EXPECT_THAT(r.err, HasSubstr("still being compiled"));
}

constexpr auto waiting =
    R"({"id":"c-1","name":"N","creator":"kim","digest":"d1","seen":{"notice":"n","audience":"a","plan":"p"},
    "waves":[{"wave":1,"rows":20,"rejected":1,"recipients":19,"unreachable":2,"addresses":{"email":17}}],
    "findings":[{"rule":"KR-W3","severity":"finding","file":"sms.en.txt","line":1,"reason":"plays it down","accepted":null}],
    "texts":[{"channel":"sms","locale":"en","segments":["entrance_code"],"supplement":false,"sha256":"abc",
              "summary":"Change your door code."}]})";

TEST_F(Commands, ApproveShowsWhatWaitsAndSignsJustThat) {
    api.on("GET", "/v1/campaigns/{id}/approval",
           {{409, R"({"error":"wave 1 is still being registered","retry":true})"}, {200, waiting}})
        .on("POST", "/v1/campaigns/{id}/approve", {{200, R"({"id":"c-1","state":"approved","waves":[]})"}})
        .start();
    const auto r = semel({"campaign", "approve", "c-1"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.err, HasSubstr("still being registered"));
    EXPECT_THAT(r.out, AllOf(HasSubstr("made by kim"), HasSubstr("17 email"), HasSubstr("Change your door code."),
                             HasSubstr("sms, en, entrance_code"), HasSubstr("finding KR-W3: plays it down"),
                             HasSubstr("19 people in 20 rows of 1 wave\ndigest d1\nc-1 is approved\n")));
    EXPECT_EQ(api.stop().back().body, R"({"seen":{"notice":"n","audience":"a","plan":"p"}})");
}

TEST_F(Commands, ApproveOfAnotherDigestApprovesNothing) {
    const auto changed = std::string{R"({"changed":"wave 2 with 2980 rows came",)"} + (waiting + 1);
    api.on("GET", "/v1/campaigns/{id}/approval", {{200, waiting}, {200, changed}, {200, waiting}})
        .on("POST", "/v1/campaigns/{id}/approve", {{200, R"({"id":"c-1","state":"approved","waves":[]})"}})
        .start();
    const auto shown = semel({"campaign", "approve", "c-1", "--show"});
    EXPECT_THAT(shown.out, HasSubstr("digest d1"));
    const auto refused = semel({"campaign", "approve", "c-1", "--digest", "d0"});
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, AllOf(HasSubstr("nothing was approved"), HasSubstr("19 people in 20 rows"),
                                   HasSubstr("wave 2 with 2980 rows came in between")));
    EXPECT_EQ(semel({"campaign", "approve", "c-1", "--digest", "d1"}).out, "c-1 is approved\n");
    const auto asked = api.stop();
    EXPECT_EQ(std::ranges::count(asked, "POST /v1/campaigns/c-1/approve", &made_up_api::asked::what), 1);
}

TEST_F(Commands, ApproveShowsNoTextsToWhomMayNotApprove) {
    const auto mine = std::string{R"({"refusal":"kim created campaign c-1",)"} + (waiting + 1);
    api.on("GET", "/v1/campaigns/{id}/approval", {{200, mine}})
        .on("POST", "/v1/campaigns/{id}/approve", {{200, R"({"id":"c-1","state":"approved","waves":[]})"}})
        .start();
    const auto r = semel({"campaign", "approve", "c-1"});
    EXPECT_EQ(r.exit_code, 1);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, HasSubstr("kim created campaign c-1"));
    EXPECT_THAT(semel({"campaign", "approve", "c-1", "--show"}).out, HasSubstr("Change your door code."));
    const auto asked = api.stop();
    EXPECT_EQ(std::ranges::count(asked, "POST /v1/campaigns/c-1/approve", &made_up_api::asked::what), 0);
}

constexpr auto sealed = R"({"id":"c-1","waves":[{"wave":1,"state":"sealed","rows":10,"rejected":1,
                            "plan":{"recipients":4,"unreachable":0,"addresses":{"email":4}}}]})";
constexpr auto counted = R"({"id":"c-1","waves":[{"wave":1,"state":"registered","rows":10,"rejected":1,
                             "plan":{"recipients":9,"unreachable":2,"addresses":{"email":7}}}]})";

TEST_F(Commands, SealWaitsAndShowsWhatAnApproverSees) {
    api.on("POST", "/v1/campaigns/{id}/seal", {{200, R"({"id":"c-1","state":"sealed"})"}})
        .on("GET", "/v1/campaigns/{id}", {{200, sealed}, {200, counted}})
        .start();
    const auto r = semel({"campaign", "seal", "c-1"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.err, HasSubstr("4 of 9 people"));
    EXPECT_THAT(r.out, AllOf(HasSubstr("registered"), HasSubstr("approve c-1 --as approver")));
}

TEST_F(Commands, SealGoesOnWithAWaitThatWasInterrupted) {
    api.on("POST", "/v1/campaigns/{id}/seal", {{409, R"({"error":"no imported wave","retry":false})"}})
        .on("GET", "/v1/campaigns/{id}", {{200, sealed}, {200, counted}})
        .start();
    EXPECT_EQ(semel({"campaign", "seal", "c-1"}).exit_code, 0);
    const auto nothing_to_do = semel({"campaign", "seal", "c-1"}); // all is counted
    EXPECT_EQ(nothing_to_do.exit_code, 1);
    EXPECT_THAT(nothing_to_do.err, HasSubstr("no imported wave"));
}

TEST_F(Commands, SealFailsWithTheReasonWhenRedisCannotHoldTheWave) {
    constexpr auto waits = R"({"id":"c-1","waves":[{"wave":1,"state":"sealed","rows":10,"rejected":1,"plan":null},
                               {"wave":2,"state":"imported","rows":10,"rejected":1}]})";
    constexpr auto waits_no_more = R"({"id":"c-1","waves":[{"wave":1,"state":"registered","rows":10,"rejected":1},
                                       {"wave":2,"state":"imported","rows":10,"rejected":1}]})";
    api.on("POST", "/v1/campaigns/{id}/seal", {{409, R"({"error":"Redis cannot hold campaign c-1","retry":false})"}})
        .on("GET", "/v1/campaigns/{id}", {{200, waits}, {200, waits_no_more}})
        .start();
    const auto r = semel({"campaign", "seal", "c-1"});
    EXPECT_EQ(r.exit_code, 1) << "that the first wave is registered is not a success of this seal";
    EXPECT_THAT(r.err, HasSubstr("Redis cannot hold campaign c-1"));
}

TEST_F(Commands, WatchEndsWithTheCampaignAndOutlivesTheApi) {
    api.on("GET", "/v1/campaigns/{id}/status",
           {{200, R"({"state":"running","channels":{"email":{"planned":2,"accepted":1}}})"},
            {503, R"({"error":"PostgreSQL cannot be reached"})"},
            {200, R"({"state":"finished","channels":{"email":{"planned":2,"accepted":2}}})"}})
        .start();
    const auto r = semel({"campaign", "status", "c-1", "--watch"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "running; email 1/2 accepted\nfinished; email 2/2 accepted\n");
}

TEST_F(Commands, WatchAsJsonIsOneDocument) {
    api.on("GET", "/v1/campaigns/{id}/status", {{200, R"({"state":"paused"})"}, {200, R"({"state":"cancelled"})"}})
        .start();
    const auto r = semel({"campaign", "status", "c-1", "--watch", "--json"});
    EXPECT_EQ(r.exit_code, 0);
    EXPECT_EQ(json::read(r.out).value().as_object().at("state").as_string(), "cancelled");
    EXPECT_EQ(r.err, "paused\n");
}

TEST_F(Commands, AddStreamsTheFileWaitsAndFetchesTheRejects) {
    const std::string rejects = "line,column,reason,effect\n3,email,no address,address left out\n";
    api.on("POST", "/v1/campaigns/{id}/uploads", {{202, R"({"upload":7,"state":"importing","known":false})"}})
        .on("GET", "/v1/campaigns/{id}/uploads/{upload}",
            {{200, R"({"upload":7,"state":"importing"})"},
             {200, R"({"upload":7,"wave":1,"state":"imported","rows":2000,"rejected":1,"has_rejects":true})"}})
        .on("GET", "/v1/campaigns/{id}/uploads/{upload}/rejects", {{200, rejects}})
        .start();
    std::string people = "recipient_id,email\n";
    while (people.size() < 3'000'000) {
        people += "4711,kim@example.com\n";
    }
    const auto path = file("people.csv", people);
    const auto r = semel({"audience", "add", "c-1", path, "--json"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(json::read(r.out).value(), (json::value{{"wave", 1},
                                                      {"rows", 2000},
                                                      {"rejected", 1},
                                                      {"unreachable", 0},
                                                      {"warnings", json::array{}},
                                                      {"columns", json::array{}},
                                                      {"rejects_file", json::string(path + ".rejects.csv")}}));
    EXPECT_EQ(text_in(path + ".rejects.csv"), rejects);
    EXPECT_TRUE(is_private(path + ".rejects.csv"));
    EXPECT_TRUE(api.stop().at(0).body == people) << "what arrived is the file, byte for byte";
}

TEST_F(Commands, AddLeavesNoEmptyListOfRejectsBehind) {
    api.on("POST", "/v1/campaigns/{id}/uploads",
           {{202, R"({"upload":7,"wave":1,"state":"imported","rows":1,"rejected":0,"has_rejects":true,"known":true})"}})
        .on("GET", "/v1/campaigns/{id}/uploads/{upload}/rejects", {{200, "line,column,reason,effect\n"}})
        .start();
    const auto path = file("people.csv", "recipient_id\n1\n");
    const auto r = semel({"audience", "add", "c-1", path});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "wave 1: 1 rows, 0 rejected\n");
    EXPECT_THAT(r.err, HasSubstr("has this file already"));
    EXPECT_FALSE(fs::exists(path + ".rejects.csv"));
}

TEST_F(Commands, DropNamesTheWave) {
    api.on("POST", "/v1/campaigns/{id}/waves/{wave}/drop",
           {{200, R"({"id":"c-1","state":"draft","waves":[{"wave":2,"state":"dropped"}]})"},
            {409, R"({"error":"wave 2 of c-1 is dropped already","retry":false})"}})
        .start();
    const auto done = semel({"audience", "drop", "c-1", "2"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("wave 2 is dropped"));
    const auto again = semel({"audience", "drop", "c-1", "2", "--json"});
    EXPECT_EQ(again.exit_code, 1);
    EXPECT_THAT(again.err, HasSubstr("dropped already"));
    EXPECT_EQ(semel({"audience", "drop", "c-1", "0"}).exit_code, 2);
    EXPECT_EQ(api.stop().at(0).what, "POST /v1/campaigns/c-1/waves/2/drop");
}

TEST_F(Commands, AddSaysWhatTheFileHasAndNobodyUses) {
    api.on("POST", "/v1/campaigns/{id}/uploads",
           {{202, R"({"upload":1,"wave":1,"state":"imported","rows":9,"rejected":0,
               "unreachable":2,"has_rejects":false,"warnings":["the column \"emial\" is not used: is it meant as email?"],
               "columns":[{"name":"emial","use":"unused"}]})"}})
        .start();
    const auto path = file("people.csv", "recipient_id\n1\n");
    const auto r = semel({"audience", "add", "c-1", path, "--accept-unreachable"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "wave 1: 9 rows, 0 rejected, 2 without a usable address\n");
    EXPECT_THAT(r.err, HasSubstr("warning: " + path + ": the column \"emial\" is not used"));
    const auto as_json = semel({"audience", "add", "c-1", path, "--json"});
    EXPECT_EQ(json::serialize(json::read(as_json.out).value().at("columns")), R"([{"name":"emial","use":"unused"}])");
}

TEST_F(Commands, ApproveTakesFindingsOnByNameAndWithAReason) {
    api.on("GET", "/v1/campaigns/{id}/approval", {{200, R"({"seen":{}})"}})
        .on("POST", "/v1/campaigns/{id}/approve", {{200, R"({"id":"c-1","state":"approved","waves":[]})"}})
        .start();
    EXPECT_EQ(semel({"campaign", "approve", "c-1", "--accept", "KR-W3"}).exit_code, 2) << "no reason";
    EXPECT_EQ(semel({"campaign", "approve", "c-1", "--accept", "KR-W3", "--reason", "counsel read it"}).exit_code, 0);
    EXPECT_EQ(semel({"campaign", "approve", "c-1"}).exit_code, 0);
    const auto asked = api.stop();
    ASSERT_EQ(asked.size(), 4U);
    EXPECT_EQ(asked[1].body, R"({"seen":{},"accept":["KR-W3"],"reason":"counsel read it"})");
    EXPECT_EQ(asked[3].body, R"({"seen":{}})");
}

TEST_F(Commands, AFileThatIsRefusedIsOneWithTheReason) {
    api.on("POST", "/v1/campaigns/{id}/uploads", {{202, R"({"upload":7,"state":"importing","known":false})"}})
        .on("GET", "/v1/campaigns/{id}/uploads/{upload}",
            {{200, R"({"upload":7,"state":"refused","reason":"line 1: no column is called recipient_id"})"}})
        .start();
    const auto r = semel({"audience", "add", "c-1", file("people.csv", "id\n1\n")});
    EXPECT_EQ(r.exit_code, 1);
    EXPECT_THAT(r.err, HasSubstr("no column is called recipient_id"));
    EXPECT_EQ(semel({"audience", "add", "c-1", (folder / "missing.csv").string()}).exit_code, 1);
}

TEST_F(Commands, UnreachedGoesIntoTheFile) {
    const std::string people = "recipient_id,name,why\r\n4711,Kim,failed\r\n";
    api.on("GET", "/v1/campaigns/{id}/unreached", {{200, people}}).start();
    const auto to = folder / "people.csv";
    fs::permissions(file("people.csv", "of yesterday"), static_cast<fs::perms>(0644));
    const auto r = semel({"campaign", "report", "c-1", "--unreached", to.string()});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(text_in(to), people);
    EXPECT_TRUE(is_private(to)) << "whatever could read the one of yesterday";
    EXPECT_EQ(r.out, "") << "personal data goes where it was asked to go";
    EXPECT_EQ(semel({"campaign", "report", "c-1", "--unreached", "/dev/null"}).exit_code, 0);
}

TEST_F(Commands, AListThatDoesNotComeLeavesTheFileAsItWas) {
    api.on("GET", "/v1/campaigns/{id}/unreached", {{429, R"({"error":"auditor reads two long lists already"})"}})
        .start();
    const auto to = file("people.csv", "of yesterday");
    const auto r = semel({"campaign", "report", "c-1", "--unreached", to});
    EXPECT_EQ(r.exit_code, 1);
    EXPECT_THAT(r.err, HasSubstr("two long lists"));
    EXPECT_EQ(text_in(to), "of yesterday");
    EXPECT_EQ(std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}), 1) << "no part of one beside it";
    EXPECT_EQ(semel({"campaign", "report", "c-1", "--unreached", (folder / "none" / "x").string()}).exit_code, 1);
}

TEST_F(Commands, RepeatedRowsGoIntoTheFile) {
    const std::string rows = "wave,row,recipient_id,reason,effect\r\n1,2,4711,twice,told\r\n";
    api.on("GET", "/v1/campaigns/{id}/repeated", {{200, rows}}).start();
    const auto to = folder / "repeated.csv";
    const auto r = semel({"campaign", "report", "c-1", "--repeated", to.string()});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(text_in(to), rows);
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(semel({"campaign", "report", "c-1", "--repeated", "-", "--unreached", "-"}).exit_code, 2);
}

TEST_F(Commands, ThePersonAskedForIsInNoUrl) {
    api.on("POST", "/v1/campaigns/{id}/audit", {{200, R"({"recipient_id":"4711","events":[],"messages":[]})"}}).start();
    EXPECT_EQ(semel({"audit", "show", "c-1", "--recipient", "4711"}).exit_code, 0);
    const auto asked = api.stop().at(0);
    EXPECT_EQ(asked.what, "POST /v1/campaigns/c-1/audit");
    EXPECT_EQ(asked.body, R"({"recipient_id":"4711"})");
}

TEST_F(Commands, WhatWasSentAgainIsAListOfItsOwn) {
    api.on("GET", "/v1/campaigns/{id}/resent", {{200, R"([{"recipient_id":"4711","times":2}])"}}).start();
    const auto r = semel({"in-doubt", "list", "c-1", "--resent", "--json"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(json::read(r.out).value().as_array().size(), 1U);
    EXPECT_THAT(semel({"in-doubt", "list", "c-1", "--resent"}).out, HasSubstr("4711"));
}

TEST_F(Commands, ADecisionAboutDoubtsNamesItself) {
    api.on("POST", "/v1/campaigns/{id}/in-doubt", {{202, R"({"id":"c-1","resolved":1200})"}}).start();
    const auto r = semel({"in-doubt", "resolve", "c-1", "--presume-sent"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.out, "1,200 messages in doubt: presumed sent\n");
    EXPECT_THAT(api.stop().at(0).body, HasSubstr("presume-sent"));
}

} // namespace
} // namespace semel::cli::campaign::test
