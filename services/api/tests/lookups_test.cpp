// Who looked at whom, when, from where and why: noted before the answer.

#include "doubts_support.hpp"

#include <http/url.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Lookups : Doubts {
    void SetUp() override {
        Doubts::SetUp();
        record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", ""),
                person("4712", v1::CHANNEL_EMAIL, "b", 2), s.about(v1::EVENT_FAILED, "b")});
        // Stories as well by the api's own role.
        db.emplace(as_own_role(config.postgres_dsn), 2);
    }
    answered look_up(const std::string& user, const std::string& recipient, const std::string& reason = {}) {
        json::object body{{"recipient_id", recipient}};
        if (!reason.empty()) {
            body["reason"] = reason;
            body["case"] = "C-17";
        }
        return post(user, "/v1/campaigns/" + id + "/audit", json::serialize(body));
    }
    answered read_list(const std::string& user, const std::string& what, const std::string& reason) {
        auto r = request(user, "GET", "/v1/campaigns/" + id + what);
        r.headers.emplace_back("Semel-Reason", reason);
        return call(std::move(r));
    }
    json::array lookups(const std::string& query = {}) {
        const auto got = get("auditor", "/v1/lookups" + query);
        EXPECT_EQ(got.status, 200U) << got.body;
        return got.status == 200 ? got.object().at("lookups").as_array() : json::array{};
    }
    static std::string in(const json::value& one, std::string_view key) {
        return std::string{one.as_object().at(key).as_string()};
    }
    std::string ref_of(const std::string& recipient) const {
        return base::to_hex(base::as_view(crypto::recipient_ref_of(key, base::recipient_id{recipient})));
    }
    void as_owner(const std::string& sql) {
        pqxx::connection owner{config.postgres_dsn};
        pqxx::nontransaction{owner}.exec(sql);
    }
};

TEST_F(Lookups, SayWhoLookedAtWhomAndWhyWithoutNamingThePerson) {
    ASSERT_EQ(look_up("operator", "4711", "정보주체의 요청").status, 200U);
    const auto all = lookups();
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(in(all[0], "user"), "operator");
    EXPECT_EQ(in(all[0], "from"), "127.0.0.1");
    EXPECT_EQ(in(all[0], "what"), "story");
    EXPECT_EQ(in(all[0], "campaign"), id);
    EXPECT_EQ(in(all[0], "recipient"), ref_of("4711"));
    EXPECT_EQ(all[0].as_object().at("people").to_number<int>(), 1);
    EXPECT_EQ(in(all[0], "reason"), "정보주체의 요청");
    EXPECT_EQ(in(all[0], "case"), "C-17");
    EXPECT_THAT(in(all[0], "time"), testing::MatchesRegex("20..-..-..T..:..:..\\.......Z"));
    EXPECT_THAT(json::serialize(all), Not(HasSubstr("4711")));
}

TEST_F(Lookups, OfSomebodyWhoIsNotThereAreNotedToo) {
    ASSERT_EQ(look_up("auditor", "nobody").status, 404U);
    const auto all = lookups();
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(in(all[0], "recipient"), ref_of("nobody"));
    EXPECT_EQ(all[0].as_object().at("people").to_number<int>(), 0);
}

TEST_F(Lookups, WantAReasonOfAllButAuditors) {
    for (const auto* user : {"operator", "approver"}) {
        const auto refused = look_up(user, "4711");
        EXPECT_EQ(refused.status, 400U) << user;
        EXPECT_THAT(refused.text("error"), HasSubstr("a reason is needed"));
        EXPECT_THAT(refused.body, Not(HasSubstr("events")));
        EXPECT_EQ(look_up(user, "4711", "  ").status, 400U) << "nothing but spaces";
    }
    EXPECT_THAT(lookups(), IsEmpty());
    EXPECT_EQ(look_up("auditor", "4711").status, 200U);
    EXPECT_THAT(lookups(), SizeIs(1));
}

TEST_F(Lookups, OfListsSayHowMany) {
    const std::pair<const char*, std::size_t> lists[] = {
        {"unreached", 2}, {"repeated", 0}, {"in-doubt", 1}, {"resent", 0}};
    for (const auto& [what, people] : lists) {
        const auto got = read_list("operator", "/" + std::string{what}, http::percent_encode("for the letters, 편지"));
        ASSERT_EQ(got.status, 200U) << got.body;
        const auto all = lookups();
        ASSERT_FALSE(all.empty());
        EXPECT_EQ(in(all[0], "what"), what == std::string_view{"in-doubt"} ? "in_doubt" : what);
        EXPECT_EQ(all[0].as_object().at("people").to_number<std::size_t>(), people) << what << "\n" << got.body;
        EXPECT_TRUE(all[0].as_object().at("recipient").is_null());
        EXPECT_EQ(in(all[0], "reason"), "for the letters, 편지");
    }
    EXPECT_THAT(lookups(), SizeIs(4));
    EXPECT_EQ(get("auditor", "/v1/campaigns/" + id + "/history").status, 200U);
    EXPECT_EQ(get("auditor", "/v1/campaigns/" + id + "/report").status, 200U);
    EXPECT_THAT(lookups(), SizeIs(4)) << "nobody is in these";
}

TEST_F(Lookups, WithAReasonThatNobodyCanReadAreNotAnswered) {
    const std::string padded = "x" + http::percent_encode(std::string(1'000, ' '));
    for (const auto& bad :
         {std::string{"%"}, std::string{"%ff"}, std::string{"two%0alines"}, std::string{"편지"}, padded}) {
        EXPECT_EQ(read_list("operator", "/unreached", bad).status, 400U) << bad;
    }
    EXPECT_THAT(lookups(), IsEmpty());
}

TEST_F(Lookups, ThatCannotBeNotedShowNothing) {
    as_owner("REVOKE INSERT ON ledger.lookups FROM semel_api; ALTER TABLE ledger.lookups RENAME TO lookups_away");
    for (const auto& got :
         {look_up("auditor", "4711"), read_list("auditor", "/unreached", ""), read_list("auditor", "/in-doubt", "")}) {
        EXPECT_GE(got.status, 500U);
        EXPECT_THAT(got.body, AllOf(Not(HasSubstr("events\":")), Not(HasSubstr("4711"))));
    }
}

TEST_F(Lookups, AreForAuditors) {
    EXPECT_EQ(get("operator", "/v1/lookups").status, 403U);
    EXPECT_EQ(get("approver", "/v1/lookups").status, 403U);
    EXPECT_EQ(post("operator", "/v1/campaigns/" + id + "/lookups", R"({"recipient_id":"4711"})").status, 403U);
}

TEST_F(Lookups, AreFoundByPersonUserAndCampaignPageByPage) {
    for (const auto* user : {"operator", "approver", "operator"}) {
        ASSERT_EQ(look_up(user, "4711", "asked").status, 200U);
    }
    ASSERT_EQ(look_up("operator", "4712", "asked").status, 200U);
    EXPECT_THAT(lookups("?user=operator"), SizeIs(3));
    EXPECT_THAT(lookups("?campaign=" + id), SizeIs(4));
    EXPECT_THAT(lookups("?campaign=another"), IsEmpty());
    const auto of = post("auditor", "/v1/campaigns/" + id + "/lookups", R"({"recipient_id":"4711"})");
    EXPECT_THAT(of.object().at("lookups").as_array(), SizeIs(3)) << of.body;

    std::vector<std::int64_t> numbers;
    std::string query = "?limit=3";
    for (;;) {
        const auto page = get("auditor", "/v1/lookups" + query).object();
        for (const auto& one : page.at("lookups").as_array()) {
            numbers.push_back(one.as_object().at("number").to_number<std::int64_t>());
        }
        if (page.at("next").is_null()) {
            break;
        }
        query = fmt::format("?limit=3&before={}", page.at("next").to_number<std::int64_t>());
    }
    EXPECT_THAT(numbers, SizeIs(4));
    EXPECT_TRUE(std::ranges::is_sorted(numbers, std::greater{})) << "the latest first, each once";
    for (const auto& bad :
         {std::string{"limit=0"}, std::string{"limit=1001"}, std::string{"before=x"}, std::string{"before=0"},
          "user=" + std::string(101, '0'), std::string{"campaign=%ff"}, "campaign=" + std::string(101, '0')}) {
        EXPECT_EQ(get("auditor", "/v1/lookups?" + bad).status, 400U) << bad;
    }
}

} // namespace
} // namespace semel::api::test
