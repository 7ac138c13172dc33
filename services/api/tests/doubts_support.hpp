#pragma once
// The api over the real tables of ledger and receipts, with events that put messages in doubt.

#include "own_role.hpp"
#include "support.hpp"

#include <crypto/keys.hpp>
#include <wire/identity.hpp>
#include <wire/sealed.hpp>

#include <ledger/edge/store.hpp>
#include <ledger/schema.hpp>
#include <ledger/tests/events.hpp>
#include <receipts/edge/index.hpp>

namespace semel::api::test {

class Doubts : public Api {
  protected:
    void SetUp() override {
        Api::SetUp();
        db->run_blocking(make_all_tables);
        steps.emplace(as_own_role(config.postgres_dsn), 2);
        lists.emplace(as_own_role(config.postgres_dsn), 2);
        id = create();
        s.campaign = id;
        key = kek.unwrap(campaign(id).wrapped_key(), base::campaign_id{id}).value();
    }

    /// A person whose own message is `name`, on this channel.
    v1::Event person(const std::string& recipient_id, v1::Channel channel, const std::string& name, std::uint64_t row) {
        const auto ref = crypto::recipient_ref_of(key, base::recipient_id{recipient_id});
        auto e = s.recipient(recipient_id, 1, row, {"own:" + name});
        e.set_recipient_ref(std::string{base::as_view(ref)});
        v1::Recipient who;
        who.set_recipient_id(recipient_id);
        e.set_sealed(wire::seal_recipient(key, base::as_view(ref), who));
        e.mutable_links(0)->set_channel(channel);
        return e;
    }
    v1::Event doubtful(v1::Channel channel, const std::string& name, std::string code, std::string text) {
        auto e = s.about(v1::EVENT_IN_DOUBT, name);
        e.set_channel(channel);
        e.set_code(std::move(code));
        e.set_text(std::move(text));
        return e;
    }
    void set_phase(v1::CampaignPhase phase) {
        db->run_blocking([&](pqxx::connection& c) {
            pqxx::work tx{c};
            auto changed = store::lock_campaign(tx, id).value();
            changed.set_phase(phase);
            changed.set_version(changed.version() + 1);
            store::update_campaign(tx, changed);
            tx.commit();
        });
    }
    void record(const std::vector<v1::Event>& told) {
        db->run_blocking([&](pqxx::connection& c) {
            ledger::batch b;
            for (const auto& e : told) {
                ASSERT_TRUE(b.take(e));
            }
            ledger::store store{"events"};
            store.positions(c, {0});
            EXPECT_EQ(store.write(c, b, {{0, {.from = offset, .to = offset + 1}}}), ledger::written::now);
            ++offset;
        });
    }
    json::array list(const std::string& what = "in-doubt") {
        const auto got = get("auditor", "/v1/campaigns/" + id + "/" + what);
        EXPECT_EQ(got.status, 200U) << got.body;
        return json::read(got.body).value().as_array();
    }
    static std::vector<std::string> evidence_of(const json::value& d) {
        std::vector<std::string> out;
        for (const auto& line : d.as_object().at("evidence").as_array()) {
            out.emplace_back(line.as_string());
        }
        return out;
    }
    answered resolve(const std::string& user, const std::string& decision) {
        return post(user, "/v1/campaigns/" + id + "/in-doubt", R"({"decision":")" + decision + R"("})");
    }
    std::vector<v1::Event> resolved() {
        auto all = events();
        std::erase_if(all, [](const auto& e) { return e.kind() != v1::EVENT_RESOLVED; });
        return all;
    }

    std::string id;
    crypto::campaign_key key = crypto::campaign_key::random();
    ledger::test::story s{};
    kafka::offset offset = 0;
};

} // namespace semel::api::test
