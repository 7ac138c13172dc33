#include <notice/email_message.hpp>

#include <cli/campaign/follow_up_view.hpp>
#include <cli/campaign/message_text.hpp>
#include <cli/campaign/upload.hpp>
#include <cli/campaign/views.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::cli::campaign {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

json::object parsed(std::string_view text) {
    auto value = json::read(text);
    EXPECT_TRUE(value) << value.error().why();
    return value ? value->as_object() : json::object{};
}

const auto running = R"({
  "id": "c-1", "name": "Renewed notice", "state": "running", "deadline": "2026-11-27T00:00:00Z",
  "forecast_finish": "2026-11-24T10:00:00Z", "warnings": ["sms 2 messages are in doubt"],
  "channels": {"email": {"planned": 10000, "accepted": 9120, "failed": 3, "retrying": 0, "in_doubt": 0,
                         "outstanding": 877, "rate_per_s": 1200.4},
               "sms": {"planned": 50, "accepted": 48, "failed": 0, "retrying": 0, "in_doubt": 2, "outstanding": 0,
                       "rate_per_s": 0.0}}})";

TEST(Views, StatusIsATableWithForecastAndWarningsInWords) {
    EXPECT_EQ(status_text(parsed(running)),
              "c-1  Renewed notice  running\n"
              "deadline  2026-11-27T00:00:00Z\n"
              "forecast  done at 2026-11-24T10:00:00Z\n"
              "\n"
              "channel  planned  accepted  failed  retrying  in doubt  outstanding  rate/s\n"
              "email     10,000     9,120       3         0         0          877   1,200\n"
              "sms           50        48       0         0         2            0       0\n"
              "warning: sms 2 messages are in doubt\n");
}

TEST(Views, ADeadlineThatNobodyChoseSaysWhereItComesFrom) {
    const auto given = parsed(R"({"deadline":"2026-12-01T00:00:00Z","deadline_basis":"7 days after the creation"})");
    EXPECT_EQ(deadline_text(given), "deadline  2026-12-01T00:00:00Z: 7 days after the creation\n");
    EXPECT_EQ(deadline_text(parsed(R"({"deadline":null})")), "");
}

TEST(Views, AFollowUpSaysWhomItTellsAgainAndAsOfWhen) {
    EXPECT_EQ(follow_up_text(parsed(R"({"follow_up":null})")), "");
    EXPECT_EQ(follow_up_text(parsed(R"({"follow_up":{"of":"c-1","outcome":"failed","channel":"sms",)"
                                    R"("segment":"minor"}})")),
              "follows   c-1: failed by sms, with minor\nfrozen    not yet\n");
    EXPECT_EQ(follow_up_text(parsed(R"({"follow_up":{"of":"c-1","outcome":"all","people":1,"rows":2,"sha256":"ab",)"
                                    R"("position":{"0":17,"11":3}}})")),
              "follows   c-1: all\n"
              "frozen    1 person in 2 rows, sha256 ab\n"
              "          from its ledger at events 0:17 11:3\n");
    EXPECT_EQ(follow_up_text(parsed(R"({"follow_up":{"of":"c-1","outcome":"all","reason":"nobody is meant"}})")),
              "follows   c-1: all\nfrozen    nobody: nobody is meant\n");
}

TEST(Views, CampaignsOfAnIncidentStandSideBySide) {
    EXPECT_EQ(incident_text({}), "");
    const auto incident = parsed(R"({"incident":"autumn-leak","campaigns":[
        {"id":"c-1","state":"finished","follow_up_of":null,"outcome":null,"rows":1000,"coverage":{"reached":990,"failed":10}},
        {"id":"c-2","state":"running","follow_up_of":"c-1","outcome":"reached","rows":990,"coverage":{"reached":900,
         "outstanding":90}}],"family":["c-1","c-2"],"told":{"never":10,"once":90,"twice":900,"more":0,"people":1000}})");
    EXPECT_EQ(incident_text(incident),
              "\nincident  autumn-leak\n"
              "campaign  follows        state      rows  reached  failed  unreachable  in doubt  outstanding\n"
              "c-1       -              finished  1,000      990      10            0         0            0\n"
              "c-2       c-1 (reached)  running     990      900       0            0         0           90\n"
              "told over the campaigns that follow one another: 10 never so far, 90 once, 900 twice by intent\n");
}

TEST(Views, ASealSaysWhatItTakesOfRedis) {
    EXPECT_EQ(memory_text(parsed(R"({})")), "") << "an older api";
    EXPECT_EQ(
        memory_text(parsed(R"({"redis":{"entries":2000000,"bytes":60000000,"room_bytes":500000000}})")),
        "memory    60.0 MB of Redis for at most 2,000,000 ids and addresses, until the campaign is over; 500.0 MB "
        "are left\n");
    EXPECT_EQ(memory_text(parsed(R"({"redis":{"entries":4,"bytes":120,"room_bytes":null}})")),
              "memory    0.0 MB of Redis for at most 4 ids and addresses, until the campaign is over; it has no "
              "maxmemory\n");
    EXPECT_EQ(memory_text(parsed(R"({"redis":{"entries":4,"bytes":120,"room_bytes":null,"unknown":"refused"}})")),
              "memory    0.0 MB of Redis for at most 4 ids and addresses, until the campaign is over; whether it has "
              "them is not known: refused\n");
}

TEST(Views, StatusIsOneLineForALog) {
    EXPECT_EQ(status_line(parsed(running)),
              "running; email 9,120/10,000 accepted, 3 failed, 1,200/s; sms 48/50 accepted, 2 in doubt; done at "
              "2026-11-24T10:00:00Z\n");
}

TEST(Views, StatusSaysWhatWaitsForAnOperator) {
    const auto canary = parsed(R"({"id":"c-1","name":"N","state":"running","halted":null,
        "canary":{"rows":1000,"state":"waiting for release","released":1000}})");
    EXPECT_EQ(status_text(canary), "c-1  N  running\ncanary    waiting for release: 1,000 of 1,000 rows\n");
    EXPECT_EQ(status_line(canary), "running; canary: waiting for release\n");
    const auto halted = parsed(R"({"id":"c-1","name":"N","state":"paused","canary":null,
        "halted":{"since":"2026-11-24T10:00:00Z","why":"11 of 200 email messages failed"}})");
    EXPECT_EQ(status_text(halted), "c-1  N  paused\nhalted    2026-11-24T10:00:00Z: 11 of 200 email messages failed\n");
    EXPECT_EQ(status_line(halted), "paused; halted: 11 of 200 email messages failed\n");
}

TEST(Views, StatusOfADraftHasNoTable) {
    EXPECT_EQ(status_text(parsed(R"({"id":"c-1","name":"N","state":"draft","deadline":null,"channels":{}})")),
              "c-1  N  draft\n");
}

const auto finished = R"({"id": "c-1", "name": "N", "state": "finished", "rows": 10000,
  "coverage": {"reached": 9800, "failed": 20, "unreachable": 100, "in_doubt": 5, "outstanding": 0,
               "repeated": 5, "rejected": 70},
  "channels": {"email": {"planned": 9000, "covered": 400, "accepted": 8985, "delivered": 0, "failed": 10,
                         "in_doubt": 5, "unresolved": 3, "presumed_sent": 2, "resent": 7}}})";

TEST(Views, ReportClosesWithTheSumOfItsLines) {
    EXPECT_EQ(report_text(parsed(finished)), "c-1  N  finished\n"
                                             "\n"
                                             "people        count    share\n"
                                             "reached       9,800   98.0 %\n"
                                             "failed           20    0.2 %\n"
                                             "unreachable     100    1.0 %\n"
                                             "in doubt          5    0.1 %\n"
                                             "outstanding       0    0.0 %\n"
                                             "repeated          5    0.1 %\n"
                                             "rejected         70    0.7 %\n"
                                             "rows         10,000  100.0 %\n"
                                             "\n"
                                             "channel  planned  covered  accepted  delivered  failed  in doubt  "
                                             "unresolved  resent\n"
                                             "email      9,000      400     8,985          0      10         5  "
                                             "         3       7\n");
}

TEST(Views, ReportAsCsvIsTheCoverage) {
    EXPECT_EQ(report_csv(parsed(finished)),
              "line,people\r\nreached,9800\r\nfailed,20\r\nunreachable,100\r\n"
              "in_doubt,5\r\noutstanding,0\r\nrepeated,5\r\nrejected,70\r\nrows,10000\r\n");
}

TEST(Views, WavesShowWhatAnApproverSigns) {
    const auto text = waves_text(parsed(R"({"id": "c-1", "waves": [
        {"wave": 1, "state": "registered", "rows": 10000, "rejected": 75,
         "plan": {"recipients": 9925, "unreachable": 100, "addresses": {"email": 9000, "sms": 4000}}},
        {"wave": 2, "state": "imported", "rows": 10, "rejected": 0}]})"));
    EXPECT_THAT(text, HasSubstr("wave  state         rows  rejected  people  unreachable  email    sms\n"
                                "   1  registered  10,000        75   9,925          100  9,000  4,000\n"
                                "   2  imported        10         0       -            -      -      -\n"));
}

TEST(Views, ACampaignWithoutPeopleSaysHowToAddThem) {
    EXPECT_THAT(waves_text(parsed(R"({"id": "c-1", "waves": []})")), HasSubstr("semel audience add c-1 FILE"));
}

TEST(Views, AStoryComparesWhatWasSentWithWhatTheRecordGives) {
    const auto story = [](const char* rendered) {
        return story_text(parsed(std::string{R"({"recipient_id": "4711", "campaign": "c-1", "events": [
            {"time": "2026-11-24T10:00:00Z", "channel": "email", "kind": "accepted", "attempt": 1, "gateway": "relay-a",
             "code": "250", "text": "ok", "content_sha256": "aabb"}],
          "messages": [{"channel": "email", "notification": "0011", "role": "own", "sent_sha256": "aabb",
                        "rendered_sha256": ")"} +
                                 rendered + R"(", "content": ["Subject: x\r\n\r\nHello"]}]})"));
    };
    EXPECT_THAT(story("aabb"),
                AllOf(HasSubstr("accepted"), HasSubstr("the same bytes"), HasSubstr("  ---\nSubject: x\n\nHello\n")));
    EXPECT_THAT(story("ccdd"), AllOf(HasSubstr("OTHER BYTES THAN THOSE SENT"), Not(HasSubstr("the same bytes"))));
}

// Written by the code that writes what is sent: the two must not drift apart.
std::string a_mail(std::string_view subject, std::string_view text) {
    return notice::assemble({.from_name = "새벽 상점",
                             .from_address = "notice@shop.example",
                             .to = "a@example.com",
                             .subject = subject,
                             .date = "Tue, 24 Nov 2026 12:00:00 +0000",
                             .message_id = "<1@shop.example>",
                             .language = "ko",
                             .boundary = "semel_1",
                             .text = text,
                             .html = "<p>other</p>"})
        .value();
}

TEST(Views, AMailIsShownAsItReads) {
    const std::string subject = "개인정보 유출에 대하여 다시 알려 드립니다: 한 줄에 다 들어가지 않는 긴 제목입니다";
    EXPECT_EQ(readable_mail(a_mail(subject, "안녕하세요\r\n\r\n--semel_2\r\n")),
              "From: 새벽 상점 <notice@shop.example>\nTo: <a@example.com>\nSubject: " + subject +
                  "\nDate: Tue, 24 Nov 2026 12:00:00 +0000\nMessage-ID: <1@shop.example>\n\n"
                  "안녕하세요\r\n\r\n--semel_2\r\n");
    const auto plain = readable_mail(a_mail("A notice = of a leak", "x\r\n"));
    ASSERT_TRUE(plain);
    EXPECT_THAT(*plain, HasSubstr("Subject: A notice = of a leak\n"));
}

TEST(Views, WhatIsNoMailOfOursIsShownAsItIs) {
    const auto whole = a_mail("s", "text\r\n");
    for (std::size_t size = 0; size < whole.find("--semel_1\r\nContent-Type: text/html"); ++size) {
        EXPECT_EQ(readable_mail(std::string_view{whole}.substr(0, size)), std::nullopt) << size;
    }
    EXPECT_EQ(readable_mail("Subject: =?UTF-8?B?!!?=\r\n\r\n--b\r\n"), std::nullopt);
    EXPECT_EQ(readable_mail(R"({"aps": {}})"), std::nullopt);
}

TEST(Views, DoubtsShowWhoAndWhatWasLookedFor) {
    EXPECT_EQ(in_doubt_text(json::array{}), "nothing is in doubt\n");
    const auto list = json::read(R"([{"notification": "00112233445566778899", "recipient_id": "4711", "channel": "sms",
        "gateway": "smsc-a", "attempt": 1, "state": "waiting", "since": "2026-11-24T10:00:00Z",
        "decision": "sent again at 2026-11-24T10:30:00Z", "evidence": ["answer: none", "receipt: none yet"]}])");
    EXPECT_EQ(in_doubt_text(list.value()),
              "since                 state    channel  gateway  try  recipient  notification  decision                "
              "            evidence\n"
              "2026-11-24T10:00:00Z  waiting  sms      smsc-a     1  4711       001122334455  sent again at "
              "2026-11-24T10:30:00Z  answer: none; receipt: none yet\n"
              "1 message is in doubt\n");
    const auto two = json::read(R"([{"state": "unresolved"}, {"state": "presumed_sent"}])");
    EXPECT_THAT(in_doubt_text(two.value()), HasSubstr("2 messages are in doubt, 1 unresolved: an approver decides"));
}

TEST(Views, WhatWasSentAgainIsCalledAtLeastOnce) {
    EXPECT_EQ(resent_text(json::array{}), "nothing was sent again while in doubt\n");
    const auto list = json::read(R"([{"notification": "00112233445566778899", "recipient_id": "4711", "channel": "push",
        "gateway": "apns", "times": 1, "withdrawn": 0, "decided_by": "", "first_resent": "2026-11-24T10:30:00Z", "state": "accepted"}])");
    EXPECT_EQ(resent_text(list.value()),
              "first                 channel  gateway  times  withdrawn  by      recipient  notification  now\n"
              "2026-11-24T10:30:00Z  push     apns         1          0  policy  4711       001122334455  accepted\n"
              "1 message was sent again while in doubt: told at least once, not exactly once\n");
}

TEST(Views, AStoryNamesWhoDecided) {
    const auto story = parsed(R"({"recipient_id": "4711", "campaign": "c-1", "messages": [], "events": [
        {"time": "2026-11-24T10:40:00Z", "channel": "", "kind": "resolved", "attempt": 1, "gateway": "",
         "code": "resend", "actor": "alice", "text": "decided by alice", "content_sha256": ""}]})");
    EXPECT_THAT(story_text(story), HasSubstr("resend  alice  decided by alice"));
}

// An older or a broken api must not bring the command down.
TEST(Views, ShowsNothingForWhatIsMissingOrOfAnotherKind) {
    const auto odd = parsed(R"({"id": 7, "channels": {"email": null}, "waves": [1], "warnings": [2], "coverage": [],
                                "events": [null], "messages": ["x"], "rows": "many"})");
    for (const auto& text :
         {status_text(odd), status_line(odd), report_text(odd), waves_text(odd), campaign_text(odd), story_text(odd),
          campaigns_text(odd), in_doubt_text(odd), resent_text(odd), report_csv(odd)}) {
        EXPECT_TRUE(text.ends_with('\n')) << text;
    }
}

TEST(Upload, KnowsTheFormatByTheName) {
    EXPECT_EQ(format_of("people.csv"), "csv");
    EXPECT_EQ(format_of("people.ndjson"), "ndjson");
    EXPECT_EQ(format_of("people.jsonl.zst"), "ndjson");
    EXPECT_EQ(format_of("people.csv.gz"), "csv");
    EXPECT_EQ(format_of("-"), "csv");
}

TEST(Upload, PutsTheRejectsBesideTheFile) {
    EXPECT_EQ(rejects_file_for("/data/people.csv.gz", 2), "/data/people.csv.gz.rejects.csv");
    EXPECT_EQ(rejects_file_for("-", 2), "rejects-2.csv");
}

} // namespace
} // namespace semel::cli::campaign
