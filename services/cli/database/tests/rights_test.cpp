// What each service's role may do in PostgreSQL, and what it may not. The roles are the real ones; who connects as the
// owner takes one on, so that no password is needed.

#include <cli/database/prepare.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <ledger/edge/store.hpp>
#include <ledger/schema.hpp>
#include <ledger/tests/database.hpp>
#include <ledger/tests/events.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace semel::cli::database {
namespace {

namespace fs = std::filesystem;

struct Rights : testing::Test {
    ledger::test::database db;
    ledger::test::story campaign{.campaign = "c-rights"};

    std::string dsn_as(const std::string& role) const {
        return db.dsn() + (db.dsn().contains('?') ? "&" : "?") + "options=-c%20role%3D" + role;
    }
    void SetUp() override {
        pqxx::connection owner{db.dsn()};
        prepare(owner);
        prepare(owner); // as after an update
        pqxx::connection writer{dsn_as("semel_ledger")};
        ledger::migrate(writer); // finds everything made
        ledger::batch b;
        ASSERT_TRUE(b.take(campaign.sealed(1, 2)));
        ASSERT_TRUE(b.take(campaign.recipient("kim", 1, 1, {"own:a"})));
        ASSERT_TRUE(b.take(campaign.about(v1::EVENT_ACCEPTED, "a")));
        ledger::store store{"events"};
        store.positions(writer, {0});
        ASSERT_EQ(store.write(writer, b, {{0, {.from = 0, .to = 3}}}), ledger::written::now);
    }
    /// "done", "denied", or what else PostgreSQL says.
    std::string as(const std::string& role, const std::string& sql) const {
        try {
            pqxx::connection connection{dsn_as(role)};
            pqxx::work tx{connection};
            tx.exec(sql);
            tx.commit();
            return "done";
        } catch (const pqxx::insufficient_privilege&) {
            return "denied";
        } catch (const std::exception& e) {
            return e.what();
        }
    }
    std::int64_t events() const {
        pqxx::connection connection{db.dsn()};
        pqxx::work tx{connection};
        return tx.exec1("SELECT count(*) FROM ledger.events")[0].as<std::int64_t>();
    }
};

TEST_F(Rights, TheLedgerAddsEventsAndNeitherChangesNorDeletesThem) {
    const auto before = events();
    ASSERT_GT(before, 0);
    for (const auto* table : {"ledger.events", "ledger.events_1", "ledger.recipients", "ledger.recipients_1",
                              "ledger.shares", "ledger.shares_1"}) {
        const std::string name{table};
        EXPECT_EQ(as("semel_ledger", "DELETE FROM " + name), "denied") << name;
        EXPECT_EQ(as("semel_ledger", "UPDATE " + name + " SET campaign = campaign"), "denied") << name;
        EXPECT_EQ(as("semel_ledger", "TRUNCATE " + name), "denied") << name;
        EXPECT_EQ(as("semel_ledger", "DROP TABLE " + name), "denied") << name;
        EXPECT_EQ(as("semel_ledger", "SELECT 1 FROM " + name), "done") << name;
    }
    EXPECT_NE(as("semel_ledger", "ALTER TABLE ledger.events DETACH PARTITION ledger.events_1"), "done");
    as("semel_ledger", "GRANT DELETE ON ledger.events TO semel_ledger"); // PostgreSQL only warns, and grants nothing
    EXPECT_EQ(as("semel_ledger", "DELETE FROM ledger.events"), "denied");
    EXPECT_EQ(events(), before);
    EXPECT_EQ(as("semel_ledger", "SELECT ledger.make_campaign('c-another')"), "done");
    EXPECT_EQ(as("semel_ledger", "DELETE FROM ledger.events_2"), "denied") << "a new partition as well";
    EXPECT_EQ(as("semel_ledger", "SELECT 1 FROM api.users"), "denied");
    EXPECT_EQ(as("semel_ledger", "CREATE TABLE public.mine (n int)"), "denied");
}

TEST_F(Rights, TheApiReadsTheLedgerAndKeepsItsOwn) {
    EXPECT_EQ(as("semel_api", "SELECT * FROM ledger.unreached('c-rights')"), "done");
    EXPECT_EQ(as("semel_api", "SELECT * FROM ledger.coverage('c-rights')"), "done");
    EXPECT_EQ(as("semel_api", "SELECT * FROM receipts.unmatched(1)"), "done");
    for (const auto* what :
         {"INSERT INTO ledger.paces VALUES (1, 1, 1, 1)", "UPDATE ledger.campaigns SET reached = 0",
          "DELETE FROM ledger.events", "SELECT ledger.make_campaign('c-another')", "DELETE FROM receipts.known",
          "DELETE FROM api.approvals", "UPDATE api.approvals SET approver = 'me'", "DELETE FROM api.decisions",
          "UPDATE api.decisions SET actor = 'me'", "DELETE FROM api.revoked_tokens", "DELETE FROM api.verifiable",
          "UPDATE api.verifiable SET body = ''", "DELETE FROM api.campaigns", "DELETE FROM api.trials",
          "DELETE FROM api.users", "DELETE FROM api.tokens", "DELETE FROM ledger.access_events",
          "UPDATE ledger.access_events SET about = 'me'",
          "INSERT INTO ledger.access_events (at, actor, peer, what, about, text, times) VALUES (now(), '', '', '', '', "
          "'', "
          "1)"}) {
        EXPECT_EQ(as("semel_api", what), "denied") << what;
    }
    const std::string look = "INSERT INTO ledger.lookups (actor, peer, what, campaign, recipient_ref, people, reason, "
                             "case_number{}) VALUES ('kim', '', 'story', 'c-rights', '', 1, '', ''{})";
    EXPECT_EQ(as("semel_api", fmt::format(fmt::runtime(look), "", "")), "done");
    EXPECT_EQ(as("semel_api", fmt::format(fmt::runtime(look), ", at", ", now() - interval '1 day'")), "denied");
    for (const auto* what :
         {"DELETE FROM ledger.lookups", "UPDATE ledger.lookups SET actor = 'lee'", "TRUNCATE ledger.lookups"}) {
        EXPECT_EQ(as("semel_api", what), "denied") << what;
    }
    EXPECT_EQ(as("semel_ledger", "DELETE FROM ledger.lookups"), "denied");
    EXPECT_EQ(as("semel_api",
                 "INSERT INTO ledger.access_events (actor, peer, what, about, text, times) VALUES ('', '', "
                 "'denied', '', '', 1)"),
              "done");
    EXPECT_EQ(as("semel_api", "SELECT * FROM ledger.access_events_before('', 0, 10)"), "done");
    EXPECT_EQ(as("semel_api", "SELECT * FROM ledger.lookups_before('', '', '', 0, 10)"), "done");
    EXPECT_EQ(as("semel_api", "INSERT INTO api.outbox (topic, partition, key, value) VALUES ('t', 0, '', '')"), "done");
    EXPECT_EQ(as("semel_api", "DELETE FROM api.outbox"), "done");
}

TEST_F(Rights, ReceiptsKeepsItsOwnAndSeesNothingElse) {
    EXPECT_EQ(as("semel_receipts", "DELETE FROM receipts.known"), "done");
    EXPECT_EQ(as("semel_receipts", "SELECT * FROM receipts.unmatched(1)"), "done");
    EXPECT_EQ(as("semel_receipts", "SELECT 1 FROM ledger.events"), "denied");
    EXPECT_EQ(as("semel_receipts", "SELECT 1 FROM api.campaigns"), "denied");
}

TEST_F(Rights, WhoMayNotMakeTablesSaysWhoMay) {
    {
        pqxx::connection owner{db.dsn()};
        pqxx::nontransaction{owner}.exec(
            "DELETE FROM schema_steps WHERE component = 'ledger' AND step = (SELECT max(step) FROM schema_steps WHERE "
            "component = 'ledger')");
    }
    pqxx::connection writer{dsn_as("semel_ledger")};
    try {
        ledger::migrate(writer);
        ADD_FAILURE() << "the ledger's role made a table";
    } catch (const std::runtime_error& e) {
        EXPECT_TRUE(std::string_view{e.what()}.contains("semel database prepare")) << e.what();
    }
}

TEST_F(Rights, PasswordsComeFromTheFileAndStayInIt) {
    const auto file = fs::temp_directory_path() / ("semel-pass-" + std::to_string(::getpid()));
    std::ofstream{file} << "*:*:*:semel:secret\n*:*:*:semel_api:kept\n";
    pqxx::connection owner{db.dsn()};
    const std::map<std::string, std::string> users{{"api", "semel_api"}, {"ledger", "semel_ledger"}};
    const auto text = [&] {
        std::ifstream in{file};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    ASSERT_TRUE(give_passwords(owner, users, file));
    const auto first = text();
    EXPECT_TRUE(first.starts_with("*:*:*:semel:secret\n*:*:*:semel_api:kept\n*:*:*:semel_ledger:")) << first;
    EXPECT_EQ(fs::status(file).permissions() & fs::perms::all, fs::perms::owner_read | fs::perms::owner_write);
    ASSERT_TRUE(give_passwords(owner, users, file));
    EXPECT_EQ(text(), first) << "nobody's password changes by itself";
    EXPECT_FALSE(give_passwords(owner, users, file.string() + ".none"));
    fs::remove(file);
}

} // namespace
} // namespace semel::cli::database
