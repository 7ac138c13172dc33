#include <cli/stack/plan.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <set>

namespace semel::cli::stack {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const folders here{.root = "/srv/a shop/.semel"};

config::settings settings_of(std::string_view yaml) {
    auto out = config::parse(yaml, here.settings());
    EXPECT_TRUE(out) << out.error().why();
    return out.value_or(config::settings{});
}

std::vector<std::string> names(const std::vector<process>& all) {
    std::vector<std::string> out;
    for (const auto& p : all) {
        out.push_back(p.name);
    }
    return out;
}

TEST(FirstSettings, AreAWholeConfigurationWithTheContractsPorts) {
    const auto s = settings_of(first_settings(here, usual_ports()));
    EXPECT_EQ(s.kafka_bootstrap, "127.0.0.1:19092");
    EXPECT_EQ(s.redis.port, 16379);
    EXPECT_EQ(s.api.port, 18080);
    EXPECT_EQ(s.admin_ports.size(), service_names.size());
    EXPECT_EQ(s.run_dir, "/srv/a shop/.semel/run");
    EXPECT_EQ(s.data_dir, "/srv/a shop/.semel/data");
    EXPECT_EQ(s.key_encryption_key_file, "/srv/a shop/.semel/config/kek");
    EXPECT_EQ(s.email.size(), 1U);
    EXPECT_EQ(s.push.size(), 2U);
    EXPECT_EQ(s.sms.size(), 1U);
    EXPECT_THAT(s.postgres_dsn, HasSubstr("passfile=/srv/a%20shop/.semel/config/postgres.pass"));
}

TEST(Ports, OfAnyBaseAreAllDifferent) {
    const auto ports = ports_from(30'000);
    ASSERT_TRUE(ports);
    const auto s = settings_of(first_settings(here, *ports));
    const auto at = local_servers(s);
    ASSERT_TRUE(at) << at.error().why();
    std::set<std::uint16_t> seen;
    const auto all = listeners(s, *at, gateway_listeners(s));
    for (const auto& l : all) {
        EXPECT_TRUE(seen.insert(l.port).second) << l.who << " has a port twice: " << l.port;
        EXPECT_GE(l.port, 30'000);
    }
    EXPECT_EQ(all.size(), 5 + service_names.size() + 5);
}

TEST(Ports, MustFitBelow65536) {
    EXPECT_TRUE(ports_from(65'517));
    EXPECT_FALSE(ports_from(65'518));
    EXPECT_FALSE(ports_from(80));
}

TEST(LocalServers, AreThoseOfTheSettings) {
    const auto at = local_servers(settings_of(first_settings(here, usual_ports())));
    ASSERT_TRUE(at) << at.error().why();
    EXPECT_EQ(at->kafka, 19092);
    EXPECT_EQ(at->controller, 19093);
    EXPECT_EQ(at->redis, 16379);
    EXPECT_EQ(at->postgres, 15432);
}

TEST(LocalServers, RefuseServersElsewhere) {
    const std::string dsn = "postgres: {dsn: 'postgresql://semel@127.0.0.1:1/semel'}\n";
    const auto refusal = [&](const std::string& yaml) {
        const auto at = local_servers(settings_of(yaml));
        return at ? "(accepted)" : at.error().why();
    };
    EXPECT_EQ(refusal(dsn), "(accepted)");
    EXPECT_THAT(
        refusal(dsn + "kafka: {bootstrap: 'kafka.example.com:9092', insecure: true}"),
        AllOf(HasSubstr("kafka.bootstrap: kafka.example.com:9092 is not on this machine"), HasSubstr("semel-SERVICE")));
    EXPECT_THAT(refusal(dsn + "kafka: {bootstrap: '127.0.0.1:1,127.0.0.1:2'}"), HasSubstr("kafka.bootstrap"));
    EXPECT_THAT(refusal(dsn + "redis: {address: '10.0.0.1:6379', insecure: true}"), HasSubstr("redis.address"));
    EXPECT_THAT(refusal("postgres: {dsn: 'postgresql://semel@db.example.com/semel', insecure: true}"),
                HasSubstr("postgres.dsn"));
    EXPECT_THAT(refusal("postgres: {dsn: 'postgresql:///semel?host=/run'}"), HasSubstr("postgres.dsn"));
}

TEST(LocalServers, AreNotAskedForWhatTheyDoNotSpeak) {
    const std::string dsn = "postgres: {dsn: 'postgresql://semel@127.0.0.1:1/semel'}\n";
    for (const auto& [yaml, key] :
         {std::pair{"kafka: {security_protocol: ssl}\n" + dsn, "kafka.security_protocol"},
          std::pair{"redis: {tls: true}\n" + dsn, "redis.tls"},
          std::pair{"redis: {password_file: p}\n" + dsn, "redis.password_file"},
          std::pair{std::string{"postgres: {dsn: 'postgresql://semel@127.0.0.1:1/semel', password_file: p}\n"},
                    "postgres.password_file"}}) {
        const auto at = local_servers(settings_of(yaml));
        ASSERT_FALSE(at) << yaml;
        EXPECT_THAT(at.error().why(), AllOf(HasSubstr(key), HasSubstr("semel-SERVICE"))) << yaml;
    }
}

TEST(AdoptedSettings, KeepTheUsersFileAndItsPaths) {
    const auto text =
        adopted_settings("kafka: {bootstrap: '127.0.0.1:9000'}\n"
                         "tokens_dir: my/tokens\n"
                         "api: {console: site}\n"
                         "gateways: {push: [{name: f, fcm: {ca: ca.pem, service_account: ../sa.json}}]}\n",
                         "/etc/semel/semel.yaml", here);
    ASSERT_TRUE(text) << text.error().why();
    const auto s = settings_of(*text);
    EXPECT_EQ(s.kafka_bootstrap, "127.0.0.1:9000");
    EXPECT_EQ(s.tokens_dir, "/etc/semel/my/tokens");
    EXPECT_EQ(s.console_dir, "/etc/semel/site");
    EXPECT_EQ(std::get<config::fcm>(s.push.at(0).link).service_account, "/etc/sa.json");
    EXPECT_EQ(s.run_dir, here.run());
    EXPECT_EQ(s.key_encryption_key_file, here.config() / "kek");
    EXPECT_TRUE(local_servers(s));
}

TEST(AdoptedSettings, FindTheKeysOfDkimBesideTheUsersFile) {
    const auto text =
        adopted_settings("gateways: {email: [{name: r, smtp: {host: 127.0.0.1, tls: none, dkim: [{domain: "
                         "example.com, selector: s, key_file: dkim.pem}]}}]}\n",
                         "/etc/semel/semel.yaml", here);
    ASSERT_TRUE(text) << text.error().why();
    EXPECT_EQ(std::get<config::smtp>(settings_of(*text).email.at(0).link).dkim.at(0).key_file, "/etc/semel/dkim.pem");
}

TEST(AdoptedSettings, KeepEachKeyOfTheUsersList) {
    const auto text =
        adopted_settings("keys: [kek-2, ../kek]\nunsigned_records: before\n", "/etc/semel/semel.yaml", here);
    ASSERT_TRUE(text) << text.error().why();
    const auto s = settings_of(*text);
    EXPECT_THAT(s.keys, ElementsAre("/etc/semel/kek-2", "/etc/kek"));
    EXPECT_EQ(s.key_encryption_key_file, "");
    EXPECT_EQ(s.unsigned_records, "/etc/semel/before");
}

TEST(AdoptedSettings, ComplainAboutTheUsersOwnLines) {
    const auto text = adopted_settings("partitions: 0\n", "/etc/semel/semel.yaml", here);
    ASSERT_FALSE(text);
    EXPECT_THAT(text.error().why(), HasSubstr("/etc/semel/semel.yaml:1: partitions"));
}

TEST(Folders, AreThoseThatASupervisorCanHave) {
    EXPECT_TRUE(folders_at("/tmp/x"));
    EXPECT_EQ(folders_at("relative")->root, std::filesystem::current_path() / "relative");
    EXPECT_FALSE(folders_at("/tmp/it's"));
    EXPECT_FALSE(folders_at("/tmp/100%"));
    EXPECT_FALSE(folders_at("/tmp/back\\slash"));
    EXPECT_FALSE(folders_at("/tmp/" + std::string(100, 'x')));
}

TEST(Processes, AreOneOfEachAndAsManyAsWanted) {
    const programs where{.deploy = "/d", .binaries = "/b"};
    EXPECT_THAT(names(processes(here, where, {}, {}, false)),
                ElementsAre("kafka", "redis", "postgres", "api", "intake", "render", "plan", "email", "push", "sms",
                            "receipts", "ledger"));
    const auto scaled = names(processes(here, where, {}, {{"email", 3}, {"sms", 0}}, true));
    EXPECT_THAT(scaled, AllOf(testing::Contains("gateways"), testing::Contains("email"), testing::Contains("email-2"),
                              testing::Contains("email-3"), Not(testing::Contains("sms"))));
}

TEST(GatewaySettings, AreJsonThatNamesEveryGatewayAndTheControlPort) {
    const auto text = gateway_settings(here, settings_of(first_settings(here, usual_ports())));
    simdjson::dom::parser parser;
    const simdjson::dom::element json = parser.parse(text);
    std::map<std::string, std::string> listen;
    for (const auto one : json["listen"].get_array()) {
        listen.emplace(std::string_view{one["kind"]}, std::string_view{one["address"]});
    }
    EXPECT_EQ(listen, (std::map<std::string, std::string>{{"control", "127.0.0.1:18090"},
                                                          {"smtp", "127.0.0.1:2525"},
                                                          {"apns", "127.0.0.1:8443"},
                                                          {"fcm", "127.0.0.1:8444"},
                                                          {"smpp", "127.0.0.1:2775"}}));
    EXPECT_EQ(std::string_view{json["key"]}, "/srv/a shop/.semel/config/server.key");
    EXPECT_LT(double{json["behaviour"]["all"]["fail_share"]}, 0.01) << "a demo in which nearly everybody is reached";
    EXPECT_EQ(double{json["behaviour"]["smpp"]["receipts"]["probability"]}, 1);
}

TEST(Counts, SurviveTheirFile) {
    const process_counts counts{{"email", 3}, {"sms", 0}};
    EXPECT_EQ(*parse_counts(format_counts(counts), "scale.yaml"), counts);
    EXPECT_FALSE(parse_counts("email: many", "scale.yaml"));
    EXPECT_FALSE(parse_counts("{", "scale.yaml"));
}

TEST(SupervisorConfig, StopsEachProcessInItsOwnWay) {
    const programs where{.deploy = "/d", .binaries = "/b"};
    const auto text =
        supervisor_config(here, where, processes(here, where, {}, {}, false), std::chrono::seconds{20}, true);
    EXPECT_THAT(text, HasSubstr("user=root\n"));
    EXPECT_THAT(
        text,
        HasSubstr("[program:email]\ncommand='/d/local/run' email '/srv/a shop/.semel' '/b/semel-email' '--config' "
                  "'/srv/a shop/.semel/config/semel.yaml' '--instance' '1'\n"));
    const auto postgres = text.substr(text.find("[program:postgres]"));
    EXPECT_THAT(postgres.substr(0, postgres.find("\n\n")), HasSubstr("stopsignal=INT\n"));
    const auto email = text.substr(text.find("[program:email]"));
    EXPECT_THAT(email.substr(0, email.find("\n\n")), AllOf(HasSubstr("stopsignal=TERM\nstopwaitsecs=25\n")));
    // supervisord stops the highest priority first: what writes ends before what it writes to.
    EXPECT_THAT(email.substr(0, email.find("\n\n")), HasSubstr("priority=300\n"));
    EXPECT_THAT(postgres.substr(0, postgres.find("\n\n")), HasSubstr("priority=100\n"));
    EXPECT_THAT(supervisor_config(here, where, {}, std::chrono::seconds{20}, false), Not(HasSubstr("user=")));
}

} // namespace
} // namespace semel::cli::stack
