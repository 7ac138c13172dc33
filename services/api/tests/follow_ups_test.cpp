// A follow-up from the request to the order for intake: whom it tells is frozen from another campaign's ledger.

#include "doubts_support.hpp"

#include <audience/sealed_file.hpp>

#include <api/edge/freezing.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A campaign that has told a few people, each with the one mail of the name.
class FollowUps : public Doubts {
  protected:
    void SetUp() override {
        Doubts::SetUp();
        change(id, [](v1::Campaign& c) {
            c.set_planned_at_us(42);
            c.set_phase(v1::CAMPAIGN_FINISHED);
        });
    }

    void change(const std::string& campaign, const std::function<void(v1::Campaign&)>& how) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            auto changed = store::lock_campaign(tx, campaign).value();
            how(changed);
            changed.set_version(changed.version() + 1);
            store::update_campaign(tx, changed);
            tx.commit();
        });
    }
    v1::Event told(const std::string& name, std::uint64_t row) {
        const auto ref = crypto::recipient_ref_of(key, base::recipient_id{name});
        auto e = s.recipient(name, 1, row, {"own:" + name});
        e.set_recipient_ref(std::string{base::as_view(ref)});
        v1::Recipient who;
        who.set_recipient_id(name);
        who.set_locale("ko");
        auto& address = *who.add_addresses();
        address.set_channel(v1::CHANNEL_EMAIL);
        address.set_given(name + "@example.com");
        address.set_canonical(name + "@example.com");
        e.set_sealed(wire::seal_recipient(key, base::as_view(ref), who));
        return e;
    }
    /// kim was reached, lee was not.
    void tell_two() {
        record({told("kim", 1), told("lee", 2), s.about(v1::EVENT_ACCEPTED, "kim"), s.about(v1::EVENT_FAILED, "lee")});
    }
    answered follow(const std::string& user, json::object more = {}) {
        auto body = new_campaign();
        body.erase("incident");
        for (auto& [key, value] : more) {
            body[key] = std::move(value);
        }
        return post(user, "/v1/campaigns/" + id + "/follow-ups", json::serialize(body));
    }
    bool freeze() {
        bool did = false;
        play([&]() -> asio::awaitable<void> { return freeze_into(*shared, did); });
        return did;
    }
    static asio::awaitable<void> freeze_into(services& all, bool& did) { did = co_await freeze_next(all); }

    answered upload_of(const std::string& campaign) {
        return get("product", "/v1/campaigns/" + campaign + "/uploads/1");
    }
    fs::path stored(const std::string& campaign) const { return config.data_dir / "uploads" / campaign / "1"; }
    std::string opened(const std::string& of) {
        const base::campaign_id whose{of};
        const auto own = kek.unwrap(campaign(of).wrapped_key(), whose).value();
        auto reader = audience::sealed_reader::open(stored(of), own, {.campaign = whose, .number = 1});
        std::string all;
        for (;;) {
            const auto piece = reader.value().next().value();
            if (piece.empty()) {
                return all;
            }
            all += piece;
        }
    }
};

TEST_F(FollowUps, AreFrozenFromTheLedgerAndSealedUnderTheirOwnKey) {
    tell_two();
    const auto made = follow("product", json::object{{"outcome", "reached"}});
    ASSERT_EQ(made.status, 201U) << made.body;
    const auto child = made.text("id");
    EXPECT_EQ(made.number("upload"), 1);
    EXPECT_EQ(upload_of(child).text("state"), "freezing");
    EXPECT_EQ(campaign(child).incident(), "autumn-leak") << "what follows is about the same";
    EXPECT_EQ(campaign(child).follow_up().of(), id);
    EXPECT_EQ(campaign(child).follow_up().root(), id);

    ASSERT_TRUE(freeze());
    EXPECT_FALSE(freeze()) << "once";
    const auto done = upload_of(child);
    EXPECT_EQ(done.text("state"), "importing") << done.body;
    const auto frozen = done.object().at("frozen").as_object();
    EXPECT_EQ(frozen.at("people").to_number<int>(), 1);
    EXPECT_EQ(frozen.at("rows").to_number<int>(), 1);
    EXPECT_EQ(frozen.at("outcome").as_string(), "reached");
    EXPECT_EQ(json::serialize(frozen.at("position")), R"({"0":1})") << "what of `events` the ledger had read";

    const auto lines = opened(child);
    EXPECT_THAT(lines, AllOf(HasSubstr("kim@example.com"), Not(HasSubstr("lee"))));
    EXPECT_EQ(std::string{frozen.at("sha256").as_string()}, base::to_hex(base::as_view(crypto::sha256(lines))));
    std::ifstream file{stored(child), std::ios::binary};
    const std::string raw{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_THAT(raw, Not(HasSubstr("kim@example.com")));

    const auto work = outbox_of(wire::intake_work);
    ASSERT_EQ(work.size(), 1U);
    v1::ImportOrder order;
    ASSERT_TRUE(order.ParseFromString(work[0].value));
    EXPECT_EQ(order.campaign_id(), child);
    EXPECT_EQ(order.format(), "ndjson");
    EXPECT_TRUE(order.follow_up());
    EXPECT_FALSE(order.accept_unreachable());
    EXPECT_EQ(base::to_hex(order.file_digest()), frozen.at("sha256").as_string());
}

TEST_F(FollowUps, WhatHappensLaterChangesNothing) {
    tell_two();
    const auto child = follow("product", json::object{{"outcome", "failed"}}).text("id");
    ASSERT_TRUE(freeze());
    const auto before = json::serialize(upload_of(child).object().at("frozen"));
    record({s.about(v1::EVENT_ACCEPTED, "lee", 2)});
    EXPECT_FALSE(freeze());
    EXPECT_EQ(json::serialize(upload_of(child).object().at("frozen")), before);
    EXPECT_THAT(opened(child), HasSubstr("lee@example.com"));
}

TEST_F(FollowUps, ShowTheirCountAndDigestToWhoApproves) {
    tell_two();
    const auto child = follow("operator").text("id");
    ASSERT_TRUE(freeze());
    tell(compiled(child));
    tell(imported(child, 1, 2));
    const auto shown = get("product", "/v1/campaigns/" + child).object();
    const auto& said = shown.at("follow_up").as_object();
    EXPECT_EQ(said.at("people").to_number<int>(), 2);
    EXPECT_EQ(said.at("state").as_string(), "imported");
    EXPECT_EQ(shown.at("waves").as_array().at(0).at("sha256"), said.at("sha256"));
    const auto events_of_it = events();
    EXPECT_TRUE(std::ranges::any_of(events_of_it, [&](const v1::Event& e) {
        return e.campaign_id() == child && e.text().starts_with("froze upload 1") &&
               e.text().contains(std::string{said.at("sha256").as_string()});
    }));
    EXPECT_TRUE(get("auditor", "/v1/campaigns/" + id).object().at("follow_up").is_null());
}

TEST_F(FollowUps, StandBesideWhatTheyFollowAndSayHowOftenPeopleWereTold) {
    tell_two();
    const auto child = follow("product").text("id");
    const auto family_ref = [&](const std::string& name) {
        const auto ref = crypto::recipient_ref_of(key, base::recipient_id{name});
        return std::string{base::as_view(ref)};
    };
    // What plan and the dispatchers tell of it, later.
    auto again = s;
    again.campaign = child;
    std::vector<v1::Event> events_of_it;
    for (const std::string name : {"kim", "lee"}) {
        auto e = again.recipient(name + " again", 1, 1, {"own:" + name + " again"});
        e.set_follows(family_ref(name));
        events_of_it.push_back(std::move(e));
        events_of_it.push_back(again.about(v1::EVENT_ACCEPTED, name + " again"));
    }
    record(events_of_it);

    for (const auto& one : {id, child}) {
        EXPECT_EQ(get("product", "/v1/campaigns/" + one + "/report").object().at("together").as_array().size(), 2U);
        const auto incident = get("product", "/v1/campaigns/" + one + "/incident");
        ASSERT_EQ(incident.status, 200U) << incident.body;
        const auto told = incident.object().at("told").as_object();
        EXPECT_EQ(json::serialize(told), R"({"never":0,"once":1,"twice":1,"more":0,"people":2})") << "lee, kim";
        const auto campaigns = incident.object().at("campaigns").as_array();
        ASSERT_EQ(campaigns.size(), 2U);
        EXPECT_TRUE(campaigns[0].at("follow_up_of").is_null());
        EXPECT_EQ(campaigns[1].at("follow_up_of").as_string(), id);
        EXPECT_EQ(campaigns[1].at("coverage").at("reached").to_number<int>(), 2);
    }
}

TEST_F(FollowUps, AreMadeByProductTeamsAndLaunchedByOperators) {
    tell_two();
    EXPECT_EQ(follow("approver").status, 403U);
    EXPECT_EQ(follow("auditor").status, 403U);
    const auto child = follow("product").text("id");
    ASSERT_TRUE(freeze());
    tell(compiled(child));
    tell(imported(child, 1, 2));
    EXPECT_EQ(step("product", child, "seal").status, 403U);
    EXPECT_EQ(step("operator", child, "seal").status, 200U);
    tell(registered(child, 1, 0));
    tell(registered(child, 1, 1));
    EXPECT_EQ(step("product", child, "approve").status, 403U);
    ASSERT_EQ(step("approver", child, "approve").status, 200U);
    EXPECT_EQ(step("product", child, "launch").status, 403U);
    EXPECT_EQ(step("operator", child, "launch").status, 200U);
}

TEST_F(FollowUps, AreRefusedInWords) {
    const auto why = [&](json::object more) {
        const auto answer = follow("product", std::move(more));
        EXPECT_NE(answer.status, 201U) << answer.body;
        return std::to_string(answer.status) + " " + answer.text("error");
    };
    EXPECT_THAT(why({}), AllOf(HasSubstr("409"), HasSubstr("nobody who is meant")));
    tell_two();
    EXPECT_THAT(why(json::object{{"outcome", "lost"}}), AllOf(HasSubstr("400"), HasSubstr("in-doubt")));
    EXPECT_THAT(why(json::object{{"outcome", ""}}), HasSubstr("400"));
    EXPECT_THAT(why(json::object{{"channel", "fax"}}), HasSubstr("email, push or sms"));
    EXPECT_THAT(why(json::object{{"channel", ""}}), HasSubstr("400"));
    EXPECT_THAT(why(json::object{{"segment", "vip"}, {"name", ""}}), HasSubstr("400")) << "wrong before not possible";
    EXPECT_THAT(why(json::object{{"segment", "vip"}}), AllOf(HasSubstr("409"), HasSubstr("no segment vip")));
    EXPECT_THAT(why(json::object{{"incident", "another"}}), HasSubstr("autumn-leak"));
    const auto unknown =
        post("product", "/v1/campaigns/c-2222222222222222/follow-ups", json::serialize(new_campaign()));
    EXPECT_EQ(unknown.status, 404U);

    record({told("park", 3)});
    EXPECT_THAT(why(json::object{{"outcome", "reached"}}), AllOf(HasSubstr("409"), HasSubstr("not known yet")));
    EXPECT_EQ(follow("product").status, 201U) << "everybody";

    change(id, [](v1::Campaign& c) { c.clear_wrapped_key(); });
    EXPECT_THAT(why({}), AllOf(HasSubstr("410"), HasSubstr("destroyed")));
}

TEST_F(FollowUps, SayWhyNobodyIsFrozen) {
    tell_two();
    const auto nobody = follow("product", json::object{{"segment", "entrance_code"}}).text("id");
    const auto too_late = follow("product").text("id");
    ASSERT_TRUE(freeze());
    EXPECT_EQ(upload_of(nobody).text("state"), "refused");
    EXPECT_THAT(upload_of(nobody).text("reason"), HasSubstr("entrance_code"));
    change(id, [](v1::Campaign& c) { c.clear_wrapped_key(); });
    ASSERT_TRUE(freeze());
    EXPECT_THAT(upload_of(too_late).text("reason"), HasSubstr("destroyed"));
    EXPECT_EQ(files_below(config.data_dir / "uploads"), 0U);
    EXPECT_TRUE(outbox_of(wire::intake_work).empty());
}

TEST_F(FollowUps, AreFrozenByAnotherWhereOneHasDied) {
    tell_two();
    const auto child = follow("product").text("id");
    const auto claim = [&](const std::string& who) {
        return db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            const auto found = store::claim_freeze(tx, who, 120s);
            tx.commit();
            return found.has_value();
        });
    };
    EXPECT_TRUE(claim("api"));
    EXPECT_TRUE(claim("api")) << "what one's former life had begun";
    EXPECT_FALSE(claim("api-2")) << "the other lives";
    db->run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec0("UPDATE api.uploads SET heard = now() - interval '3 minutes'");
        tx.commit();
    });
    fs::create_directories(stored(child).parent_path());
    std::ofstream{stored(child).string() + ".api.part"} << "as far as the other came";
    ASSERT_TRUE(freeze());
    EXPECT_EQ(upload_of(child).text("state"), "importing");
    EXPECT_EQ(files_below(stored(child).parent_path()), 1U) << "nothing of the other's stays";
    EXPECT_THAT(opened(child), HasSubstr("kim@example.com"));
    const bool still = db->run_blocking([&](pqxx::connection& c) {
        pqxx::work tx{c};
        return store::keep_freeze(tx, {.campaign = child, .upload = 1}, "api");
    });
    EXPECT_FALSE(still) << "who wakes up again leaves it alone";
}

} // namespace
} // namespace semel::api::test
