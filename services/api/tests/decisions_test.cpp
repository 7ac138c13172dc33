// What people decided about campaigns, as each finds it again.

#include "doubts_support.hpp"

namespace semel::api::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

class Decisions : public Doubts {
  protected:
    json::array decided(const std::string& user, const std::string& query = {}) {
        const auto got = get(user, "/v1/decisions" + query);
        EXPECT_EQ(got.status, 200U) << got.body;
        return got.status == 200 ? got.object().at("decisions").as_array() : json::array{};
    }
    std::vector<std::string> whats(const std::string& user, const std::string& query = {}) {
        std::vector<std::string> out;
        for (const auto& one : decided(user, query)) {
            out.emplace_back(one.at("what").as_string());
        }
        return out;
    }
};

TEST_F(Decisions, AreListedForWhoMadeThemTheLatestFirst) {
    const auto one = create_registered();
    ASSERT_EQ(step("approver", one, "approve").status, 200U);
    ASSERT_EQ(step("operator", one, "launch").status, 200U);
    ASSERT_EQ(step("approver", one, "pause").status, 200U);
    ASSERT_EQ(step("operator", one, "resume").status, 200U);
    ASSERT_EQ(step("approver", one, "cancel").status, 200U);
    EXPECT_THAT(whats("approver"), ElementsAre("cancel", "pause", "approve"));
    EXPECT_THAT(whats("operator"), ElementsAre("resume", "launch", "seal"));
    EXPECT_THAT(whats("product"), IsEmpty());
    const auto approved = decided("approver").at(2);
    EXPECT_EQ(approved.at("user").as_string(), "approver");
    EXPECT_EQ(approved.at("campaign").as_string(), one);
    EXPECT_EQ(approved.at("name").as_string(), "Renewed notice");
    EXPECT_THAT(std::string{approved.at("text").as_string()}, MatchesRegex("waves 1; digest [0-9a-f]{64}.*"));
    EXPECT_TRUE(approved.at("messages").is_null());
    EXPECT_THAT(std::string{approved.at("time").as_string()}, MatchesRegex("20..-..-..T..:..:..\\.......Z"));
}

TEST_F(Decisions, ThatWereRefusedAreNone) {
    const auto one = create_registered();
    const auto before = whats("operator");
    EXPECT_EQ(step("operator", one, "launch").status, 409U) << "nobody has approved it";
    EXPECT_EQ(step("operator", one, "approve").status, 403U);
    EXPECT_EQ(whats("operator"), before);
}

TEST_F(Decisions, SayWhichWaveWasDropped) {
    const auto one = create_registered();
    ASSERT_EQ(post("approver", "/v1/campaigns/" + one + "/waves/1/drop").status, 200U);
    const auto all = decided("approver");
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].at("what").as_string(), "drop_wave");
    EXPECT_EQ(all[0].at("text").as_string(), "wave 1");
}

TEST_F(Decisions, AboutDoubtsAreOneLineHoweverManyMessages) {
    record({person("4711", v1::CHANNEL_SMS, "a", 1), doubtful(v1::CHANNEL_SMS, "a", "semel:lost", ""),
            person("4712", v1::CHANNEL_SMS, "b", 2), doubtful(v1::CHANNEL_SMS, "b", "semel:lost", "")});
    ASSERT_EQ(resolve("approver", "resend").status, 202U);
    const auto all = decided("approver");
    ASSERT_THAT(all, SizeIs(1));
    EXPECT_EQ(all[0].at("what").as_string(), "resend");
    EXPECT_EQ(all[0].at("messages").to_number<int>(), 2);
    EXPECT_EQ(all[0].at("campaign").as_string(), id);
    ASSERT_EQ(resolve("approver", "presume-sent").status, 202U);
    EXPECT_THAT(whats("approver"), ElementsAre("presume_sent", "resend"));
}

TEST_F(Decisions, AboutNothingAreNone) {
    ASSERT_EQ(resolve("approver", "resend").status, 202U);
    EXPECT_THAT(decided("approver"), IsEmpty());
}

TEST_F(Decisions, OfOthersAreForAuditorsAlone) {
    const auto one = create_registered();
    ASSERT_EQ(step("approver", one, "approve").status, 200U);
    for (const auto* user : {"operator", "approver", "product", "administrator"}) {
        EXPECT_EQ(get(user, "/v1/decisions?everybody=yes").status, 403U) << user;
        EXPECT_EQ(get(user, "/v1/decisions?user=auditor").status, 403U) << user;
        EXPECT_EQ(get(user, "/v1/decisions?user=" + std::string{user}).status, 200U) << user;
    }
    EXPECT_THAT(whats("auditor", "?everybody=yes"), ElementsAre("approve", "seal"));
    EXPECT_THAT(whats("auditor", "?user=operator"), ElementsAre("seal"));
    EXPECT_THAT(whats("auditor"), IsEmpty());
}

TEST_F(Decisions, AreReadPageByPage) {
    const auto one = create_registered();
    ASSERT_EQ(step("approver", one, "approve").status, 200U);
    ASSERT_EQ(step("operator", one, "launch").status, 200U);
    for (const auto* what : {"pause", "resume", "pause", "resume"}) {
        ASSERT_EQ(step("operator", one, what).status, 200U);
    }
    std::vector<std::string> all;
    std::string query = "?limit=2";
    for (;;) {
        const auto page = get("operator", "/v1/decisions" + query).object();
        for (const auto& decision : page.at("decisions").as_array()) {
            all.emplace_back(decision.at("what").as_string());
        }
        if (page.at("next").is_null()) {
            break;
        }
        query = fmt::format("?limit=2&before={}", page.at("next").to_number<std::int64_t>());
    }
    EXPECT_THAT(all, ElementsAre("resume", "pause", "resume", "pause", "launch", "seal"));
    for (const auto* bad :
         {"limit=0", "before=0", "everybody=", "everybody=no", "everybody=yes&user=kim", "user=%ff"}) {
        EXPECT_EQ(get("auditor", "/v1/decisions?" + std::string{bad}).status, 400U) << bad;
    }
}

TEST_F(Decisions, StayAsTheyWereWritten) {
    const auto one = create_registered();
    ASSERT_EQ(step("approver", one, "approve").status, 200U);
    for (const auto* change : {"DELETE FROM api.decisions", "UPDATE api.decisions SET actor = 'me'"}) {
        const auto try_it = [&](pqxx::connection& c) {
            pqxx::work tx{c};
            tx.exec(change);
            tx.commit();
        };
        EXPECT_THROW(steps->run_blocking(try_it), pqxx::insufficient_privilege) << change;
    }
}

} // namespace
} // namespace semel::api::test
