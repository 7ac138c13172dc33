#include "servers.hpp"

#include <kafka/admin.hpp>
#include <kafka/consumer.hpp>
#include <kafka/leave_group.hpp>
#include <kafka/producer.hpp>

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>
#include <support/play.hpp>

namespace semel::managed {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using base::fault;
using kafka::cluster;
using support::play;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Writes a record in a transaction and reads it back, each with a client of its own.
asio::awaitable<void> exchange(cluster at, std::string topic) {
    const auto executor = co_await asio::this_coro::executor;
    kafka::admin admin{at};
    const auto ready = admin.wait_until_ready(20s);
    EXPECT_TRUE(ready) << ready.error().why();
    const std::vector<kafka::topic_spec> topics{{.name = topic, .partitions = 1, .compacted = false, .config = {}}};
    EXPECT_TRUE(admin.create_topics(topics));
    EXPECT_TRUE(admin.write_first_offsets(topic + ".group", topics));
    kafka::transactional_producer writer{executor, {.bootstrap = at, .transactional_id = topic + ".writer"}};
    co_await writer.init();
    writer.begin();
    const kafka::topic_partition to{topic, 0};
    co_await writer.produce(to, "key", "value");
    const auto done = co_await writer.commit({}, nullptr);
    EXPECT_EQ(done.outcome, kafka::outcome::committed) << done.why;
    kafka::reader reader{executor, {.bootstrap = at}};
    const auto began = co_await reader.from_beginning(topic);
    EXPECT_TRUE(began);
    auto records = co_await reader.next();
    while (records.empty()) { // nothing yet
        records = co_await reader.next();
    }
    EXPECT_EQ(records.front().value(), "value");
}

cluster by_certificate() {
    cluster at{"localhost:" + std::to_string(here().mtls_port())};
    at.tls = true;
    at.ca = here().tls() / "ca.pem";
    at.certificate = here().tls() / "client.pem";
    at.key = here().tls() / "client.key";
    return at;
}

cluster with_scram() {
    auto at = here().kafka();
    at.sasl = cluster::mechanism::scram_sha_512;
    return at;
}

TEST(ManagedKafka, KnowsItsClientsByAPasswordUnderTls) {
    play([] { return exchange(here().kafka(), "t.plain"); });
}

TEST(ManagedKafka, KnowsItsClientsByCertificate) {
    play([] { return exchange(by_certificate(), "t.mtls"); });
}

/// Of each way: a member that is gone for good leaves its partitions at once.
TEST(ManagedKafka, LetsMembersGoOverTheSameWires) {
    play([]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        for (const auto& [at, topic] :
             {std::pair{with_scram(), "t.leave.scram"}, std::pair{here().kafka(), "t.leave.plain"},
              std::pair{by_certificate(), "t.leave.mtls"}}) {
            kafka::admin admin{at};
            const std::vector<kafka::topic_spec> topics{
                {.name = topic, .partitions = 1, .compacted = false, .config = {}}};
            EXPECT_TRUE(admin.create_topics(topics));
            const std::string group = std::string{topic} + ".group";
            EXPECT_TRUE(admin.write_first_offsets(group, topics));
            kafka::consumer_options options;
            options.bootstrap = at;
            options.group = group;
            options.topics = {topic};
            options.session_timeout = 30s;
            options.instance = "gone";
            {
                kafka::consumer first{executor, options};
                auto event = co_await first.next();
                EXPECT_TRUE(std::holds_alternative<kafka::assigned>(event));
            }
            const auto left = co_await kafka::leave_group(at, group, {"gone"});
            EXPECT_TRUE(left) << left.error().why();
            options.instance = "heir";
            kafka::consumer second{executor, options};
            const auto asked = std::chrono::steady_clock::now();
            auto event = co_await second.next();
            EXPECT_TRUE(std::holds_alternative<kafka::assigned>(event));
            EXPECT_LT(std::chrono::steady_clock::now() - asked, 20s) << "the other's session would have lasted 30 s";
            co_await second.close();
        }
    });
}

/// Kafka 4 keeps to RFC 5802, and the librdkafka of Debian 12 does not (tunnel.hpp).
TEST(ManagedKafka, KnowsItsClientsByScram) {
    play([] { return exchange(with_scram(), "t.scram"); });
}

std::string refusal_of(const cluster& at) {
    const auto ready = kafka::admin{at}.wait_until_ready(4s);
    EXPECT_FALSE(ready);
    return ready ? "" : ready.error().why();
}

TEST(ManagedKafka, SaysWhichKeyOfTheSettingsIsWrong) {
    auto wrong_password = here().kafka();
    wrong_password.password = "hunter2";
    EXPECT_THAT(refusal_of(wrong_password), AllOf(HasSubstr("kafka.password_file"), Not(HasSubstr("hunter2"))));
    auto scram = with_scram();
    scram.password = "hunter2";
    EXPECT_THAT(refusal_of(scram), AllOf(HasSubstr("kafka.password_file"), Not(HasSubstr("hunter2"))));
    auto unknown_authority = here().kafka();
    unknown_authority.ca.clear();
    EXPECT_THAT(refusal_of(unknown_authority), HasSubstr("kafka.ca"));
    unknown_authority.sasl = cluster::mechanism::scram_sha_512;
    EXPECT_THAT(refusal_of(unknown_authority), HasSubstr("was not accepted"));
    auto no_certificate = by_certificate();
    no_certificate.certificate.clear();
    no_certificate.key.clear();
    EXPECT_NE(refusal_of(no_certificate), "");
    cluster plain{"localhost:" + std::to_string(here().kafka_port())};
    EXPECT_THAT(refusal_of(plain), HasSubstr("security"));
}

TEST(ManagedKafka, ARawConnectionSaysItToo) {
    play([]() -> asio::awaitable<void> {
        auto wrong_password = here().kafka();
        wrong_password.password = "hunter2";
        auto left = co_await kafka::leave_group(wrong_password, "g", {"b"});
        EXPECT_FALSE(left);
        EXPECT_THAT(left.error().why(), AllOf(HasSubstr("kafka.password_file"), Not(HasSubstr("hunter2"))));
        auto unoffered = here().kafka();
        unoffered.sasl = cluster::mechanism::scram_sha_256;
        left = co_await kafka::leave_group(unoffered, "g", {"b"});
        EXPECT_THAT(left.error().why(), AllOf(HasSubstr("SCRAM-SHA-512"), HasSubstr("kafka.sasl_mechanism")));
        auto unknown_authority = here().kafka();
        unknown_authority.ca.clear();
        left = co_await kafka::leave_group(unknown_authority, "g", {"b"});
        EXPECT_THAT(left.error().why(), HasSubstr("was not accepted"));
    });
}

} // namespace
} // namespace semel::managed
