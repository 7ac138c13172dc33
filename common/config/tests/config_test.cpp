#include <config/config.hpp>
#include <config/secret.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace semel::config {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view whole = R"(kafka: {bootstrap: "127.0.0.1:19092"}
redis: {address: "127.0.0.1:16379"}
postgres: {dsn: "postgresql:///semel?host=/run/semel"}
api: {address: "127.0.0.1:18080"}
admin_ports: {api: 18081, email: 18085}
data_dir: ../data
run_dir: ../run
key_encryption_key_file: kek
tokens_dir: tokens
partitions: 4
drain_deadline: 20s
run_as: semel
log_level: debug
gateways:
  email:
    - {name: relay-a, smtp: {host: 127.0.0.1, port: 2525, tls: none, connections: 32}, rate: 20000/s, domains: {"example.com": 50/s}}
  push:
    - {name: apns, apns: {endpoint: "https://127.0.0.1:8443", ca: ca.pem, team_id: T, key_id: K, key_file: k.p8, topic: com.example.app}}
    - {name: fcm,  fcm:  {endpoint: "https://127.0.0.1:8444", ca: ca.pem, service_account: sa.json}}
  sms:
    - {name: smsc-a, smpp: {host: 127.0.0.1, port: 2775, system_id: semel, password_file: p, window: 64, source_address: "15771577"}}
)";

std::string refused(std::string_view yaml) {
    const auto out = parse(yaml, "semel.yaml");
    return out ? "(accepted)" : out.error().why();
}

std::string smtp_with(std::string_view link, std::string_view rest = "") {
    return "gateways:\n  email:\n    - {name: a, smtp: {" + std::string{link} + "}" + std::string{rest} + "}\n";
}

std::string smpp_with(std::string_view link) {
    return "gateways: {sms: [{name: a, smpp: {host: 127.0.0.1, system_id: s, password_file: p, " + std::string{link} +
           "}}]}";
}

TEST(Config, TakesMailsBackWhereReturnPathsAreKnown) {
    EXPECT_FALSE(parse(whole, "semel.yaml")->bounces);
    const auto gateway = smtp_with("host: 127.0.0.1, tls: none, verp_key_file: v");
    const auto out = parse("bounces: {address: '127.0.0.1:18024'}\n" + gateway, "semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    EXPECT_EQ(out->bounces->port, 18024);
    EXPECT_THAT(refused("bounces: {address: '127.0.0.1:18024'}\n" + smtp_with("host: 127.0.0.1, tls: none")),
                HasSubstr("bounces: means nothing without an email gateway with verp_key_file"));
    EXPECT_THAT(refused("bounces: {}\n" + gateway), HasSubstr("bounces.address"));
    EXPECT_THAT(refused("bounces: {address: '127.0.0.1:7'}\nadmin_ports: {plan: 7}\n" + gateway),
                HasSubstr("also bounces.address's"));
}

TEST(Config, HasAPageThatChecksNoticesWhereItIsWritten) {
    EXPECT_FALSE(parse(whole, "semel.yaml")->verify);
    const auto out = parse("verify: {address: '127.0.0.1:18090', organisation: '가람마켓 (Garam Market)', contact: "
                           "['Phone 1577-0000', 'Our app']}",
                           "semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    EXPECT_EQ(out->verify->address.port, 18090);
    EXPECT_EQ(out->verify->organisation, "가람마켓 (Garam Market)");
    EXPECT_THAT(out->verify->contact, ElementsAre("Phone 1577-0000", "Our app"));
    EXPECT_THAT(refused("verify: {}"),
                AllOf(HasSubstr("verify.address"), HasSubstr("verify.organisation"), HasSubstr("verify.contact")));
    EXPECT_THAT(refused("verify: {address: '127.0.0.1:1', organisation: a, contact: [b], certificate: c}"),
                HasSubstr("verify.key_file: is missing"));
    EXPECT_THAT(refused("verify: {address: '127.0.0.1:7', organisation: a, contact: [b]}\nadmin_ports: {plan: 7}"),
                HasSubstr("also verify.address's"));
}

TEST(Config, BoundsFilesOfPeopleAndTests) {
    const auto out = parse("limits: {upload: 1GB, decoded: 2GiB, rows: 5, listed_rejects: 7}\n"
                           "tests: {addresses: [kim@example.com, \"+821012345678\"], messages_a_day: 20}\n",
                           "semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    EXPECT_EQ(out->limits.bytes, 1'000'000'000U);
    EXPECT_EQ(out->limits.decoded, std::uint64_t{2} << 30);
    EXPECT_EQ(out->limits.rows, 5U);
    EXPECT_EQ(out->limits.listed_rejects, 7U);
    EXPECT_EQ(out->tests.addresses, (std::vector<std::string>{"kim@example.com", "+821012345678"}));
    EXPECT_EQ(out->tests.messages_a_day, 20U);
    EXPECT_THAT(refused("limits: {upload: much}"), HasSubstr("500MB"));
    EXPECT_THAT(refused("tests: {addresses: kim@example.com}"), HasSubstr("list of values"));
}

TEST(Config, KnowsTheProviderThatPeopleSignOnWith) {
    const auto with = [](const std::string& more, const std::string& issuer = "https://login.example.com/realms/main") {
        return "api: {sign_on: {issuer: \"" + issuer +
               "\", client_id: semel, own_address: \"https://semel.example.com\"" + more + "}}";
    };
    const std::string roles = ", roles: {\"Ops Team\": [operator], leads: [approver, auditor]}";
    const auto out = parse(with(roles + ", client_secret_file: oidc.secret, claim: grp"), "/etc/semel/semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    ASSERT_TRUE(out->sign_on);
    EXPECT_EQ(out->sign_on->issuer, "https://login.example.com/realms/main");
    EXPECT_EQ(out->sign_on->client_secret_file, "/etc/semel/oidc.secret");
    EXPECT_EQ(out->sign_on->own_address, "https://semel.example.com");
    EXPECT_EQ(out->sign_on->claim, "grp");
    EXPECT_EQ(out->sign_on->name_claim, "preferred_username");
    EXPECT_EQ(out->sign_on->roles.at("Ops Team"), std::vector<std::string>{"operator"});
    EXPECT_EQ(out->sign_on->roles.at("leads"), (std::vector<std::string>{"approver", "auditor"}));

    EXPECT_FALSE(parse("", "semel.yaml")->sign_on);
    EXPECT_TRUE(parse(with(roles, "http://127.0.0.1:9000"), "semel.yaml"));
    EXPECT_THAT(refused(with(roles, "http://login.example.com")), HasSubstr("api.sign_on.issuer"));
    EXPECT_THAT(refused(with(roles, "http://127.0.0.1.example.com")), HasSubstr("api.sign_on.issuer"));
    EXPECT_THAT(refused(with("")), HasSubstr("api.sign_on.roles: is missing"));
    EXPECT_THAT(refused(with(", roles: {ops: operator}")), HasSubstr("api.sign_on.roles.ops"));
    EXPECT_THAT(refused(with(", roles: {ops: []}")), HasSubstr("api.sign_on.roles.ops"));
    EXPECT_THAT(refused(with(", roles: {ops: [a], ops: [b]}")), HasSubstr("twice"));
    EXPECT_THAT(refused(with(roles + ", client_secret: hunter2")), HasSubstr("client_secret_file"));
    EXPECT_THAT(refused("api: {sign_on: {own_address: \"https://semel.example.com/console\"}}"),
                HasSubstr("api.sign_on.own_address"));
}

TEST(Config, GivesAServiceTheRoleThatIsNamedForIt) {
    const auto dsn_of = [](const std::string& dsn, std::string_view service) {
        const auto out =
            parse("postgres: {dsn: \"" + dsn + "\", users: {api: semel_api}, insecure: true}\n", "semel.yaml");
        return out ? postgres_dsn_of(*out, service) : out.error().why();
    };
    EXPECT_EQ(dsn_of("postgresql://db/semel", "api"), "postgresql://db/semel?user=semel_api");
    EXPECT_EQ(dsn_of("postgresql://db/semel?passfile=p", "api"), "postgresql://db/semel?passfile=p&user=semel_api");
    EXPECT_EQ(dsn_of("host=db dbname=semel", "api"), "host=db dbname=semel user=semel_api");
    EXPECT_EQ(dsn_of("host=db dbname=semel", "ledger"), "host=db dbname=semel");
    EXPECT_THAT(refused("postgres: {users: {api: \"semel; DROP\"}}"), HasSubstr("postgres.users.api"));
}

TEST(Config, ReadsTheWholeFile) {
    const auto out = parse(whole, "/etc/semel/config/semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    EXPECT_EQ(out->kafka_bootstrap, "127.0.0.1:19092");
    EXPECT_EQ(out->redis.port, 16379);
    EXPECT_EQ(out->api.port, 18080);
    EXPECT_EQ(out->admin_ports, (std::map<std::string, std::uint16_t>{{"api", 18081}, {"email", 18085}}));
    EXPECT_EQ(out->data_dir, "/etc/semel/data");
    EXPECT_EQ(out->run_dir, "/etc/semel/run");
    EXPECT_EQ(out->key_encryption_key_file, "/etc/semel/config/kek");
    EXPECT_EQ(out->partitions, 4);
    EXPECT_EQ(out->drain_deadline, 20s);
    EXPECT_EQ(out->run_as, "semel");
    EXPECT_EQ(out->log_level, "debug");

    ASSERT_EQ(out->email.size(), 1U);
    EXPECT_EQ(out->email[0].name, "relay-a");
    EXPECT_DOUBLE_EQ(out->email[0].limit.per_second, 20'000);
    EXPECT_DOUBLE_EQ(out->email[0].domains.at("example.com").per_second, 50);
    const auto& relay = std::get<smtp>(out->email[0].link);
    EXPECT_EQ(relay.tls, smtp::tls_mode::none);
    EXPECT_EQ(relay.connections, 32U);

    ASSERT_EQ(out->push.size(), 2U);
    EXPECT_EQ(std::get<apns>(out->push[0].link).key_file, "/etc/semel/config/k.p8");
    EXPECT_EQ(std::get<fcm>(out->push[1].link).service_account, "/etc/semel/config/sa.json");
    EXPECT_EQ(std::get<smpp>(out->sms.at(0).link).window, 64U);
}

TEST(Config, AnEmptyFileMeansTheDefaults) {
    for (const auto* text : {"", "# nothing\n", "---\n", "kafka:\n", "gateways:\n  email:\n"}) {
        const auto out = parse(text, "semel.yaml");
        ASSERT_TRUE(out) << text << out.error().why();
        EXPECT_EQ(out->kafka_bootstrap, "127.0.0.1:19092");
        EXPECT_EQ(out->partitions, 8);
        EXPECT_TRUE(out->unencrypted.empty());
    }
}

constexpr std::string_view managed = R"(kafka:
  bootstrap: "b-1.example.com:9096,b-2.example.com:9096"
  security_protocol: SASL_SSL
  sasl_mechanism: SCRAM-SHA-512
  user: semel
  password_file: kafka.password
  ca: ca.pem
  certificate: kafka.pem
  key_file: kafka.key
redis: {address: "redis.example.com:6380", tls: true, ca: ca.pem, server_name: r.example.com, user: semel, password_file: redis.password, durability: managed}
postgres: {dsn: "postgresql://semel@db.example.com/semel?sslmode=verify-full&sslrootcert=/etc/ca.pem", password_file: db.token}
api: {address: "0.0.0.0:18080", tls: {certificate: api.pem, key_file: api.key, ca: ca.pem}}
gateways:
  sms:
    - {name: smsc-a, smpp: {host: smsc.example.com, tls: true, ca: ca.pem, server_name: s.example.com, system_id: semel, password_file: p, source_address: "15771577"}}
)";

TEST(Config, ReadsHowManagedServersAreReached) {
    const auto out = parse(managed, "/etc/semel/semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    const auto& kafka = out->kafka_security;
    EXPECT_EQ(kafka.over, kafka_security::protocol::sasl_ssl);
    EXPECT_EQ(kafka.sasl, kafka_security::mechanism::scram_sha_512);
    EXPECT_EQ(kafka.user, "semel");
    EXPECT_EQ(kafka.password_file, "/etc/semel/kafka.password");
    EXPECT_EQ(kafka.ca, "/etc/semel/ca.pem");
    EXPECT_EQ(kafka.certificate, "/etc/semel/kafka.pem");
    EXPECT_EQ(kafka.key_file, "/etc/semel/kafka.key");
    const auto& redis = out->redis_security;
    EXPECT_TRUE(redis.tls);
    EXPECT_EQ(redis.server_name, "r.example.com");
    EXPECT_EQ(redis.user, "semel");
    EXPECT_EQ(redis.durability, redis_security::durability_proof::managed);
    EXPECT_EQ(out->postgres_password_file, "/etc/semel/db.token");
    EXPECT_EQ(out->api_tls.certificate, "/etc/semel/api.pem");
    EXPECT_EQ(std::get<smpp>(out->sms.at(0).link).ca, "/etc/semel/ca.pem");
    EXPECT_EQ(std::get<smpp>(out->sms.at(0).link).server_name, "s.example.com");
    EXPECT_TRUE(out->unencrypted.empty());
}

TEST(Config, KnowsTheLineOfEachKey) {
    const auto out = parse(managed, "/etc/semel/semel.yaml");
    ASSERT_TRUE(out) << out.error().why();
    EXPECT_EQ(out->place_of("kafka.ca"), "/etc/semel/semel.yaml:7: kafka.ca");
    EXPECT_EQ(out->place_of("gateways.sms[0].smpp.ca"), "/etc/semel/semel.yaml:15: gateways.sms[0].smpp.ca");
    EXPECT_EQ(out->place_of("kafka.compression"), "/etc/semel/semel.yaml:1: kafka.compression");
    EXPECT_EQ(out->place_of("partitions"), "/etc/semel/semel.yaml: partitions");
}

struct wire {
    std::string section;
    std::string_view key; // that is complained about
};
/// Everything that would leave this machine in the clear.
const std::vector<wire> open_wires{
    {"kafka: {bootstrap: 'kafka.example.com:9092'~}", "kafka.security_protocol"},
    {"kafka: {bootstrap: '127.0.0.1:9092,10.0.0.7:9092'~}", "kafka.security_protocol"},
    {"kafka: {bootstrap: '127.0.0.1.example.com:9092'~}", "kafka.security_protocol"},
    {"kafka: {bootstrap: 'k.example.com:9092', security_protocol: sasl_plaintext, user: u, password_file: p~}",
     "kafka.security_protocol"},
    {"redis: {address: '10.0.0.1:6379'~}", "redis.tls"},
    {"redis: {address: 'redis.example.com:6379', tls: false~}", "redis.tls"},
    {"postgres: {dsn: 'postgresql://semel@db.example.com/semel'~}", "postgres.dsn"},
    {"postgres: {dsn: 'host=localhost,db.example.com dbname=semel'~}", "postgres.dsn"},
    {"postgres: {dsn: 'host=localhost hostaddr=10.0.0.1 dbname=semel'~}", "postgres.dsn"},
    {"postgres: {dsn: 'postgresql:///semel?host=db%2eexample.com'~}", "postgres.dsn"},
    {"postgres: {dsn: 'postgresql://semel@db.example.com/semel?sslmode=require'~}", "postgres.dsn"},
    {"api: {address: '0.0.0.0:18080'~}", "api.tls"},
    {"verify: {address: '0.0.0.0:18090', organisation: a, contact: [b]~}", "verify.certificate"},
    {"{bounces: {address: '0.0.0.0:18024'~}, gateways: {email: [{name: a, smtp: {host: 127.0.0.1, tls: none, "
     "verp_key_file: v}}]}}",
     "bounces.address"},
    {"gateways: {email: [{name: a, smtp: {host: relay.example.com, tls: none~}}]}", "gateways.email[0].smtp.tls"},
    {"gateways: {sms: [{name: a, smpp: {host: smsc.example.com, system_id: s, password_file: p, source_address: "
     "'1'~}}]}",
     "gateways.sms[0].smpp.tls"},
};
std::string with(std::string text, std::string_view more) {
    return text.replace(text.find('~'), 1, more);
}

TEST(Config, NothingLeavesThisMachineInTheClearUnlessThatIsMeant) {
    for (const auto& [section, key] : open_wires) {
        EXPECT_THAT(refused(with(section, "")),
                    AllOf(StartsWith("semel.yaml:1: " + std::string{key} + ": "),
                          HasSubstr("is not on this machine, and everything would cross the network in the clear"),
                          HasSubstr("insecure: true")))
            << section;
        EXPECT_THAT(refused(with(section, ", insecure: false")), HasSubstr("in the clear")) << section;
        const auto meant = parse(with(section, ", insecure: true"), "semel.yaml");
        ASSERT_TRUE(meant) << section << meant.error().why();
        ASSERT_EQ(meant->unencrypted.size(), 1U) << section;
        EXPECT_THAT(meant->unencrypted[0], StartsWith(std::string{key.substr(0, key.rfind('.'))} + ": ")) << section;
    }
}

TEST(Config, OnThisMachineNothingNeedsToBeEncrypted) {
    for (const auto* text :
         {"kafka: {bootstrap: '[::1]:9092,localhost:9092'}", "redis: {address: '127.1.2.3:6379', insecure: true}",
          "postgres: {dsn: 'postgresql:///semel'}", "postgres: {dsn: 'host=/run/postgresql dbname=semel'}",
          "postgres: {dsn: 'host=db.example.com hostaddr=127.0.0.1 dbname=semel'}"}) {
        const auto out = parse(text, "semel.yaml");
        ASSERT_TRUE(out) << text << out.error().why();
        EXPECT_TRUE(out->unencrypted.empty()) << text;
    }
}

TEST(Config, RefusesWhatWouldMeanNothing) {
    EXPECT_THAT(refused("kafka: {security_protocol: tls}"), HasSubstr("is not one of plaintext, ssl, sasl_plaintext"));
    EXPECT_THAT(refused("kafka: {security_protocol: sasl_ssl}"),
                AllOf(HasSubstr("kafka.user: is missing"), HasSubstr("kafka.password_file: is missing")));
    EXPECT_THAT(refused("kafka: {security_protocol: sasl_ssl, user: u, password_file: p, sasl_mechanism: GSSAPI}"),
                HasSubstr("is not one of SCRAM-SHA-512"));
    EXPECT_THAT(refused("kafka: {user: u, password_file: p}"),
                HasSubstr("kafka.user: means nothing without security_protocol: sasl_ssl"));
    EXPECT_THAT(refused("kafka: {ca: ca.pem}"), HasSubstr("kafka.ca: means nothing without security_protocol: ssl"));
    EXPECT_THAT(refused("kafka: {security_protocol: ssl, certificate: c.pem}"),
                HasSubstr("kafka.key_file: is missing: certificate and key_file come together"));
    EXPECT_THAT(refused("kafka: {password: hunter2}"),
                AllOf(HasSubstr("did you mean `password_file`?"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(refused("redis: {ca: ca.pem}"), HasSubstr("redis.ca: means nothing without tls: true"));
    EXPECT_THAT(refused("redis: {user: semel}"), HasSubstr("redis.password_file: is missing"));
    EXPECT_THAT(refused("redis: {durability: trust}"), HasSubstr("is not one of checked, managed"));
    EXPECT_THAT(refused("api: {tls: {certificate: api.pem}}"), HasSubstr("api.tls.key_file: is missing"));
    EXPECT_THAT(refused(smpp_with("source_address: '1', ca: ca.pem")), HasSubstr("smpp.ca: means nothing without tls"));
}

TEST(Config, APasswordInAConnectionStringIsNotRepeated) {
    for (const auto* dsn :
         {"postgresql://u:hunter2@h/d", "host=h password=hunter2", "host=h password = hunter2",
          "host=h sslpassword=hunter2", "postgresql://h/d?password=hunter2", "password=hunter2 nonsense"}) {
        EXPECT_THAT(refused("postgres: {dsn: '" + std::string{dsn} + "'}"),
                    AllOf(HasSubstr("password_file"), Not(HasSubstr("hunter2"))))
            << dsn;
    }
    EXPECT_THAT(refused("postgres: {dsn: 'host=localhost dbnam=semel'}"), HasSubstr("\"dbnam\""));
    EXPECT_THAT(refused("postgres: {dsn: 'service=semel'}"), HasSubstr("pg_service.conf"));
}

TEST(Config, MakesEveryComplaintAtOnceWithLineAndKey) {
    EXPECT_EQ(refused("kafka: {bootstrap: nowhere}\n"
                      "redis:\n"
                      "  adress: 127.0.0.1:16379\n"
                      "partitions: 0\n"
                      "gateways:\n"
                      "  email:\n"
                      "    - name: a\n"
                      "      smtp: {host: h}\n"
                      "      rate: 0/s\n"),
              "semel.yaml:1: kafka.bootstrap: \"nowhere\" is not HOST:PORT with a port from 1 to 65535\n"
              "semel.yaml:3: redis.adress: is not a key here: did you mean `address`?\n"
              "semel.yaml:9: gateways.email[0].rate: \"0/s\" would send nothing: leave the key out for no limit, or "
              "pause the "
              "campaign to send nothing\n"
              "semel.yaml:4: partitions: \"0\" is not a whole number from 1 to 1000");
}

TEST(Config, RefusesKeysThatItDoesNotKnow) {
    EXPECT_THAT(refused("kafak: {}"), HasSubstr("semel.yaml:1: kafak: is not a key here: did you mean `kafka`?"));
    EXPECT_THAT(refused("<<: {}"), HasSubstr("is not a key here"));
    EXPECT_THAT(refused("zzzzzzzzz: 1"), HasSubstr("these are kafka, redis, postgres"));
    EXPECT_THAT(refused("gateways: {fax: []}"), HasSubstr("gateways.fax: is not a key here"));
    EXPECT_THAT(refused("admin_ports: {smtp: 1}"), HasSubstr("admin_ports.smtp: is not a key here"));
    EXPECT_THAT(refused(smtp_with("host: h, password: hunter2")),
                AllOf(HasSubstr("password"), Not(HasSubstr("hunter2"))));
}

TEST(Config, RefusesTheSameKeyTwice) {
    EXPECT_THAT(refused("partitions: 1\npartitions: 2\n"), HasSubstr("semel.yaml:2: partitions: stands here twice"));
    EXPECT_THAT(refused(smtp_with("host: h", ", domains: {a.example: 1/s, a.example: 2/s}")),
                HasSubstr("stands here twice"));
}

TEST(Config, RefusesWrongShapes) {
    for (const auto* text : {"- a\n",
                             "just text",
                             "kafka: text",
                             "kafka: [a]",
                             "kafka: {bootstrap: [a:1]}",
                             "kafka: {bootstrap: {}}",
                             "gateways: []",
                             "gateways: {email: {}}",
                             "gateways: {email: [text]}",
                             "gateways: {email: [[]]}",
                             "kafka: {bootstrap: }",
                             "kafka: {bootstrap: ''}",
                             "? [a]\n: b\n",
                             "log_level: ''",
                             "log_level: loud",
                             "drain_deadline: 30",
                             "drain_deadline: 0s",
                             "drain_deadline: 11m",
                             "data_dir:",
                             "partitions: 1.5",
                             "partitions: -1",
                             "partitions: 0x8",
                             "partitions: 1e2",
                             "partitions: 99999999999999999999"}) {
        EXPECT_THAT(refused(text), StartsWith("semel.yaml:1: ")) << text;
    }
}

TEST(Config, RefusesWhatIsNotYaml) {
    EXPECT_THAT(refused("kafka: {bootstrap"), HasSubstr("is not YAML"));
    EXPECT_THAT(refused("a: b: c"), HasSubstr("is not YAML"));
    EXPECT_THAT(refused("a: *nowhere"), HasSubstr("is not YAML"));
    EXPECT_THAT(refused("a: 1\n---\nb: 2\n"), HasSubstr("a second document"));
    EXPECT_THAT(refused(std::string_view("a: 1\0b", 6)), HasSubstr("NUL"));
    EXPECT_THAT(refused(std::string(100'000, '[')), HasSubstr("is not YAML"));
    EXPECT_THAT(refused(std::string(100'000, '{')), HasSubstr("is not YAML"));
}

TEST(Config, RefusesHostilePorts) {
    for (const auto* port : {"0", "-1", "65536", "http", "25.0", "''", "[25]"}) {
        EXPECT_THAT(refused(smtp_with("host: h, port: " + std::string{port})), HasSubstr("gateways.email[0].smtp.port"))
            << port;
    }
    EXPECT_THAT(refused("admin_ports: {api: 1, email: 1}"),
                HasSubstr("admin_ports.email: port 1 is also admin_ports.api's"));
    EXPECT_THAT(refused("admin_ports: {plan: 18080}"), HasSubstr("also api.address's"));
}

TEST(Config, RefusesHostileRates) {
    for (const auto* rate : {"0/s", "-5/s", "1e308/s", "nan/s", "5", "5/d", "{}"}) {
        EXPECT_THAT(refused(smtp_with("host: h", ", rate: " + std::string{rate})), HasSubstr("gateways.email[0].rate"))
            << rate;
        EXPECT_THAT(refused(smtp_with("host: h", ", domains: {a.example: " + std::string{rate} + "}")),
                    HasSubstr("gateways.email[0].domains"))
            << rate;
    }
}

TEST(Config, RefusesHostileAddresses) {
    for (const auto* url :
         {"file:///etc/passwd", "http://h", "https://u:hunter2@h", "gopher://h", "https://169.254.169.254"}) {
        const auto why = refused("gateways: {push: [{name: a, fcm: {service_account: s, endpoint: '" +
                                 std::string{url} + "', token_endpoint: '" + url + "'}}]}");
        EXPECT_THAT(why,
                    AllOf(HasSubstr("fcm.endpoint: "), HasSubstr("fcm.token_endpoint: "), Not(HasSubstr("hunter2"))));
    }
    EXPECT_THAT(refused(smtp_with("host: 'user@h'")), HasSubstr("smtp.host"));
    EXPECT_THAT(refused(smtp_with("host: 'h:25'")), HasSubstr("smtp.host"));
    EXPECT_THAT(refused("redis: {address: 'redis://h:1'}"), HasSubstr("redis.address"));
    EXPECT_THAT(refused("postgres: {dsn: 'postgresql://u:hunter2@h/d'}"), Not(HasSubstr("hunter2")));
}

TEST(Config, AGatewayHasAPlainNameOfItsOwnAndOneLink) {
    EXPECT_THAT(refused("gateways: {email: [{name: 'A b', smtp: {host: h}}]}"),
                HasSubstr("email[0].name: takes up to 32"));
    EXPECT_THAT(refused("gateways: {email: [{name: a, smtp: {host: h}}, {name: a, smtp: {host: h}}]}"),
                HasSubstr("email[1].name: \"a\" names another gateway already"));
    EXPECT_THAT(refused("gateways: {email: [{smtp: {host: h}}]}"), HasSubstr("email[0].name: is missing"));
    EXPECT_THAT(refused("gateways: {email: [{name: a}]}"), HasSubstr("email[0]: needs exactly one of smtp"));
    EXPECT_THAT(refused("gateways: {email: [{name: a, smpp: {}}]}"), HasSubstr("needs exactly one of smtp"));
    EXPECT_THAT(
        refused("gateways: {push: [{name: a, fcm: {service_account: s}, apns: {team_id: t, key_id: k, key_file: f, "
                "topic: t}}]}"),
        HasSubstr("push[0]: needs exactly one of apns or fcm"));
}

TEST(Config, SaysWhatAGatewayLacks) {
    EXPECT_THAT(refused("gateways: {push: [{name: a, apns: {}}]}"),
                AllOf(HasSubstr("apns.team_id: is missing"), HasSubstr("apns.key_id: is missing"),
                      HasSubstr("apns.key_file: is missing"), HasSubstr("apns.topic: is missing")));
    EXPECT_THAT(refused("gateways: {sms: [{name: a, smpp: {}}]}"),
                AllOf(HasSubstr("smpp.host: is missing"), HasSubstr("smpp.system_id: is missing"),
                      HasSubstr("smpp.password_file: is missing"), HasSubstr("smpp.source_address: is missing")));
}

TEST(Config, NeverSendsAPasswordInTheClear) {
    EXPECT_THAT(refused(smtp_with("host: h, user: u")), HasSubstr("password_file: is missing"));
    EXPECT_THAT(refused(smtp_with("host: h, password_file: p")), HasSubstr("user: is missing"));
    EXPECT_THAT(refused(smtp_with("host: h, tls: none, user: u, password_file: p")), HasSubstr("in the clear"));
    EXPECT_EQ(refused(smtp_with("host: 127.0.0.1, tls: none, user: u, password_file: p")), "(accepted)");
    EXPECT_EQ(refused(smtp_with("host: h, user: u, password_file: p")), "(accepted)");
    EXPECT_THAT(refused(smtp_with("host: h, tls: yes")), HasSubstr("is not one of none, starttls, implicit"));
}

TEST(Config, KeepsToTheLengthsOfSmpp) {
    EXPECT_EQ(refused(smpp_with("source_address: '15771577', enquire_link: 5s, tls: true")), "(accepted)");
    EXPECT_EQ(refused(smpp_with("source_address: SemelShop")), "(accepted)");
    EXPECT_THAT(refused(smpp_with("source_address: TwelveLetter")), HasSubstr("source_address"));
    EXPECT_THAT(refused(smpp_with("source_address: '123456789012345678901'")), HasSubstr("source_address"));
    EXPECT_THAT(refused(smpp_with("source_address: '1', window: 0")), HasSubstr("window"));
    EXPECT_THAT(refused(smpp_with("source_address: '1', response_timeout: 1ms")), HasSubstr("response_timeout"));
    EXPECT_THAT(refused("gateways: {sms: [{name: a, smpp: {host: h, system_id: aaaaaaaaaaaaaaaa, password_file: p, "
                        "source_address: '1'}}]}"),
                HasSubstr("system_id: is longer than SMPP's 15 characters"));
}

class ConfigFile : public testing::Test {
  protected:
    ConfigFile()
        : folder_(std::filesystem::path{testing::TempDir()} / "semel-config-XXXXXX") {
        auto name = folder_.string();
        folder_ = ::mkdtemp(name.data());
    }
    ~ConfigFile() override { std::filesystem::remove_all(folder_); }
    path write(std::string_view name, std::string_view text) {
        std::ofstream{folder_ / name, std::ios::binary} << text;
        return folder_ / name;
    }
    path folder_;
};

TEST_F(ConfigFile, ASecretIsItsFileWithoutTheLastLineEnds) {
    EXPECT_EQ(secret_in(write("password", "s3 cret\n two \r\n\n")).value(), "s3 cret\n two ");
    EXPECT_EQ(secret_in({}).value(), "") << "no file: no secret";
}

TEST_F(ConfigFile, ASecretThatIsNotThereIsAnErrorThatNamesTheFile) {
    for (const auto& file : {write("empty", "\n"), folder_ / "missing"}) {
        const auto secret = secret_in(file);
        ASSERT_FALSE(secret);
        EXPECT_EQ(secret.error().what(), base::fault::kind::broken);
        EXPECT_THAT(secret.error().why(), StartsWith(file.string() + ": "));
    }
}

TEST_F(ConfigFile, ResolvesPathsFromItsOwnFolder) {
    const auto out = load(write("semel.yaml", "key_encryption_key_file: secrets/kek\n"));
    ASSERT_TRUE(out) << out.error().why();
    EXPECT_EQ(out->key_encryption_key_file, folder_ / "secrets/kek");
    EXPECT_EQ(out->data_dir, folder_ / "data");
    EXPECT_TRUE(out->run_dir.empty());
}

TEST_F(ConfigFile, MustBeThereAndBeAFile) {
    EXPECT_THAT(load(folder_ / "none.yaml").error().why(), HasSubstr("none.yaml: cannot be read: No such file"));
    EXPECT_THAT(load(folder_).error().why(), HasSubstr("cannot be read"));
    EXPECT_THAT(load(write("huge.yaml", std::string((1 << 20) + 1, '#'))).error().why(),
                HasSubstr("larger than 1 MiB"));
}

TEST_F(ConfigFile, ReadsSeveralKeysTheFirstOfWhichWrites) {
    const auto one = load(write("semel.yaml", "key_encryption_key_file: kek\n"));
    EXPECT_EQ(key_files(*one), std::vector<path>{folder_ / "kek"});
    const auto two = load(write("semel.yaml", "keys: [new/kek, kek]\n"));
    ASSERT_TRUE(two) << two.error().why();
    EXPECT_EQ(key_files(*two), (std::vector<path>{folder_ / "new/kek", folder_ / "kek"}));
    EXPECT_TRUE(key_files(*load(write("semel.yaml", "partitions: 2\n"))).empty());
    for (const auto* wrong : {"keys: kek\n", "keys: []\n", "keys: [kek, [a]]\n", "keys: [kek, '']\n",
                              "keys: [kek]\nkey_encryption_key_file: kek\n"}) {
        EXPECT_THAT(load(write("semel.yaml", wrong)).error().why(), HasSubstr("keys")) << wrong;
    }
}

TEST_F(ConfigFile, RefusesASecretThatEverybodyMayRead) {
    const auto kek = write("kek", "00");
    const auto file = write("semel.yaml", "key_encryption_key_file: kek\n");
    std::filesystem::permissions(kek, std::filesystem::perms{0644});
    EXPECT_THAT(load(file).error().why(), HasSubstr("chmod 600 " + kek.string()));
    std::filesystem::permissions(kek, std::filesystem::perms{0600});
    EXPECT_TRUE(load(file));
}

} // namespace
} // namespace semel::config
