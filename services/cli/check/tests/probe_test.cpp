#include <boost/asio.hpp>
#include <cli/check/probe.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/certificates.hpp>

#include <fstream>
#include <thread>

namespace semel::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using base::fault;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Probe : public testing::Test {
  protected:
    config::settings settings(std::string_view yaml) const {
        auto out = config::parse(yaml, certificates_.folder() / "semel.yaml");
        EXPECT_TRUE(out) << out.error().why();
        return out.value_or(config::settings{});
    }
    void write(const fs::path& name, std::string_view text) const {
        std::ofstream{certificates_.folder() / name} << text;
    }
    support::certificates certificates_;
};

const probe* of_key(const std::vector<probe>& all, std::string_view key) {
    const auto found = std::ranges::find(all, key, &probe::key);
    return found == all.end() ? nullptr : &*found;
}

TEST_F(Probe, EachFileIsWhatItShouldBe) {
    write("kafka.password", "secret\n");
    const auto good = probe_files(settings(R"(
kafka: {security_protocol: sasl_ssl, user: u, password_file: kafka.password, ca: ca.pem, certificate: client.pem, key_file: client.key}
api: {tls: {certificate: server.pem, key_file: server.key, ca: ca.pem}}
verify: {address: "127.0.0.1:18090", organisation: Garam, contact: [our app], certificate: server.pem, key_file: server.key}
)"));
    EXPECT_EQ(good.size(), 6U);
    for (const auto& one : good) {
        EXPECT_TRUE(one.outcome) << one.key << one.outcome.error().why();
    }
    EXPECT_EQ(exit_code_of(good), 0);
}

TEST_F(Probe, AFileThatWillNotDoIsNamedWithItsKey) {
    write("empty", "");
    write("text", "this is not a certificate\n");
    const auto s = settings(R"(
redis: {tls: true, ca: text, certificate: client.pem, key_file: server.key, password_file: empty}
api: {tls: {certificate: nowhere.pem, key_file: server.key}, sign_on: {issuer: "https://login.example.com", client_id: semel, client_secret_file: nowhere, ca: text, own_address: "https://semel.example.com", roles: {ops: [operator]}}}
verify: {address: "127.0.0.1:18090", organisation: Garam, contact: [our app], certificate: server.pem, key_file: client.key}
gateways: {sms: [{name: a, smpp: {host: h, tls: true, ca: nowhere.pem, system_id: s, password_file: nowhere, source_address: '1'}}]}
)");
    const auto all = probe_files(s);
    EXPECT_EQ(exit_code_of(all), 1);
    for (const auto* key : {"redis.password_file", "redis.ca", "redis.key_file", "api.tls.certificate",
                            "api.sign_on.ca", "api.sign_on.client_secret_file", "verify.key_file",
                            "gateways.sms[0].smpp.ca", "gateways.sms[0].smpp.password_file"}) {
        const auto* one = of_key(all, key);
        ASSERT_NE(one, nullptr) << key;
        ASSERT_FALSE(one->outcome) << key;
        EXPECT_EQ(one->outcome.error().what(), fault::kind::broken) << key;
    }
    EXPECT_THAT(s.place_of("redis.ca"), HasSubstr("semel.yaml:2: redis.ca"));
}

TEST_F(Probe, WrongWeighsMoreThanUnreachable) {
    const auto failed = [](fault::kind k) { return probe{.what = "x", .key = "x", .outcome = base::failed(k, "why")}; };
    EXPECT_EQ(exit_code_of({}), 0);
    EXPECT_EQ(exit_code_of({failed(fault::kind::unreachable)}), 3);
    EXPECT_EQ(exit_code_of({failed(fault::kind::unreachable), failed(fault::kind::broken)}), 1);
}

TEST_F(Probe, NamesTheKeyThatTheWordsBlame) {
    EXPECT_EQ(key_at_fault("compare kafka.user, kafka.password_file and", "kafka", "kafka.bootstrap"),
              "kafka.password_file");
    EXPECT_EQ(key_at_fault("the cat sat: Connection refused", "kafka", "kafka.bootstrap"), "kafka.bootstrap");
    EXPECT_EQ(key_at_fault("compare kafka.ca with", "redis", "redis.address"), "redis.address");
}

/// Answers each line it gets with the next of its lines; the first it says by itself.
class scripted {
  public:
    explicit scripted(std::vector<std::string> lines)
        : thread_([this, lines = std::move(lines)] {
            boost::system::error_code error;
            asio::ip::tcp::socket peer{io_};
            acceptor_.accept(peer, error);
            std::array<char, 4096> bytes{};
            for (const auto& line : lines) {
                asio::write(peer, asio::buffer(line), error);
                peer.read_some(asio::buffer(bytes), error);
            }
        }) {}
    ~scripted() {
        boost::system::error_code ignored;
        asio::ip::tcp::socket last{io_}; // whoever was not asked waits to be
        last.connect(acceptor_.local_endpoint(), ignored);
        last.close(ignored);
        thread_.join();
    }
    scripted(const scripted&) = delete;
    scripted& operator=(const scripted&) = delete;
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  private:
    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
    std::thread thread_;
};

/// What is tried of a stack of which nothing runs but this gateway.
probe of_gateway(const config::settings& s) {
    const auto all = probe_servers(s, {.patience = std::chrono::milliseconds{300}});
    EXPECT_EQ(exit_code_of({all.begin(), all.begin() + 3}), 3) << "Kafka, Redis and PostgreSQL do not run here";
    return all.at(3);
}

constexpr auto nothing_runs = "kafka: {bootstrap: '127.0.0.1:1'}\nredis: {address: '127.0.0.1:1'}\n"
                              "postgres: {dsn: 'postgresql://127.0.0.1:1/x'}\n";

TEST_F(Probe, ARelayIsGreetedAndSignedInTo) {
    write("p", "secret\n");
    const auto yaml = [](std::uint16_t port) {
        return fmt::format("{}gateways: {{email: [{{name: a, smtp: {{host: 127.0.0.1, port: {}, tls: none, user: u, "
                           "password_file: p}}}}]}}",
                           nothing_runs, port);
    };
    {
        const scripted relay{{"220 hello\r\n", "250-hello\r\n250 AUTH PLAIN\r\n", "235 welcome\r\n"}};
        const auto one = of_gateway(settings(yaml(relay.port())));
        EXPECT_TRUE(one.outcome) << one.outcome.error().why();
    }
    const scripted relay{{"220 hello\r\n", "250-hello\r\n250 AUTH PLAIN\r\n", "535 5.7.8 no\r\n"}};
    const auto one = of_gateway(settings(yaml(relay.port())));
    ASSERT_FALSE(one.outcome);
    EXPECT_EQ(one.outcome.error().what(), fault::kind::broken);
    EXPECT_THAT(one.outcome.error().why(), AllOf(HasSubstr("535"), Not(HasSubstr("secret"))));
    EXPECT_EQ(one.key, "gateways.email[0].smtp");
}

TEST_F(Probe, ARelayThatDoesNotEncryptIsWrongWhereItMust) {
    const scripted relay{{"220 hello\r\n", "250 hello\r\n"}};
    const auto one = of_gateway(settings(fmt::format(
        "{}gateways: {{email: [{{name: a, smtp: {{host: 127.0.0.1, port: {}}}}}]}}", nothing_runs, relay.port())));
    ASSERT_FALSE(one.outcome);
    EXPECT_THAT(one.outcome.error().why(), HasSubstr("STARTTLS"));
}

TEST_F(Probe, ACentreThatIsNotThereIsUnreachable) {
    write("p", "secret\n");
    const auto one = of_gateway(settings(
        fmt::format("{}gateways: {{sms: [{{name: a, smpp: {{host: 127.0.0.1, port: 1, system_id: s, password_file: p, "
                    "source_address: '1'}}}}]}}",
                    nothing_runs)));
    ASSERT_FALSE(one.outcome);
    EXPECT_EQ(one.outcome.error().what(), fault::kind::unreachable);
}

} // namespace
} // namespace semel::cli
