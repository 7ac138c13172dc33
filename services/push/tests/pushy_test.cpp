// The APNs gateway against pushy's mock of Apple's server, which is not ours (tests/peers/apns). It checks method,
// path, every header, the provider token and the payload's size, and writes down what it accepted.

#include <http2/testing/run.hpp>
#include <runtime/race.hpp>

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <push/core/apns.hpp>
#include <push/edge/apns_gateway.hpp>
#include <support/child_process.hpp>

#include <filesystem>
#include <fstream>
#include <map>

namespace semel::push {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using delivery::verdict;
using kind = verdict::kind;

constexpr auto topic = "com.example.shop";
constexpr auto key_id = "KEY0000001";
constexpr auto team_id = "TEAM000001";

std::string token_of(int n) {
    return fmt::format("{:064x}", n);
}

void write_key(const fs::path& to, EVP_PKEY* key) {
    BIO* out = BIO_new_file(to.c_str(), "w");
    PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    BIO_free(out);
}
void write_public_key(const fs::path& to, EVP_PKEY* key) {
    BIO* out = BIO_new_file(to.c_str(), "w");
    PEM_write_bio_PUBKEY(out, key);
    BIO_free(out);
}
void write_certificate(const fs::path& to, EVP_PKEY* key) {
    X509* c = X509_new();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 24 * 3600);
    X509_set_pubkey(c, key);
    auto* name = X509_get_subject_name(c);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(c, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(c, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(c, key, EVP_sha256());
    BIO* out = BIO_new_file(to.c_str(), "w");
    PEM_write_bio_X509(out, c);
    BIO_free(out);
    X509_free(c);
}

struct Pushy : ::testing::Test {
    fs::path dir;
    std::uint16_t port = support::free_port();
    std::unique_ptr<support::child_process> apple;
    asio::io_context io;
    config::apns link;

    Pushy() {
        if (!fs::exists("tests/peers/apns/target/.complete")) {
            throw std::runtime_error("pushy's mock server is not installed; run deploy/setup or tests/peers/setup");
        }
        std::string name = (fs::temp_directory_path() / "semel-pushy-XXXXXX").string();
        dir = ::mkdtemp(name.data());
        EVP_PKEY* server_key = EVP_RSA_gen(2048);
        write_key(dir / "server.key", server_key);
        write_certificate(dir / "server.pem", server_key);
        EVP_PKEY_free(server_key);
        EVP_PKEY* ours = EVP_EC_gen("P-256");
        write_key(dir / "key.p8", ours);
        write_public_key(dir / "key.pub", ours);
        EVP_PKEY_free(ours);
        std::ofstream tokens{dir / "tokens"};
        for (int n = 1; n <= 300; ++n) {
            tokens << token_of(n) << '\n';
        }
        tokens << token_of(999) << " 1700000000000\n"; // gone since then
        tokens.close();
        std::string jars;
        for (const auto& jar : fs::directory_iterator{"tests/peers/apns/target/lib"}) {
            jars += jar.path().string() + ':';
        }
        apple = std::make_unique<support::child_process>(
            std::vector<std::string>{"java", "-Xmx128m", "-cp", jars + "tests/peers/apns/target/classes", "ApplePeer",
                                     std::to_string(port), dir / "server.pem", dir / "server.key", dir / "key.pub",
                                     key_id, team_id, topic, dir / "tokens", dir / "accepted"});
        support::wait_for_port(port, 30s);
        link.endpoint = fmt::format("https://localhost:{}", port);
        link.ca = dir / "server.pem";
        link.team_id = team_id;
        link.key_id = key_id;
        link.topic = topic;
        link.key_file = dir / "key.p8";
        link.connections = 2;
        link.streams = 50;
    }
    ~Pushy() override {
        apple.reset();
        fs::remove_all(dir);
    }

    std::unique_ptr<apns_gateway> a_gateway() const {
        auto& context = const_cast<asio::io_context&>(io);
        return apns_gateway::make(context.get_executor(), {.name = "apns", .limit = {}, .domains = {}, .link = link})
            .value();
    }
    void tell(delivery::gateway& g, asio::awaitable<void> story) {
        http2::testing::run(io, runtime::race(g.run(), std::move(story)), 60s);
    }
    verdict send_alone(const delivery::outbound& m) {
        const auto g = a_gateway();
        verdict v;
        tell(*g, [](delivery::gateway& g, const delivery::outbound& m, verdict& v) -> asio::awaitable<void> {
            auto staged = co_await g.stage(m, 10s);
            v = staged.index() == 2 ? std::get<delivery::refused>(staged).why()
                                    : co_await std::get<0>(staged)->release();
        }(*g, m, v));
        return v;
    }
    struct line {
        std::string id, token, payload;
    };
    std::vector<line> accepted() const {
        std::vector<line> out;
        std::ifstream in{dir / "accepted"};
        for (std::string text; std::getline(in, text);) {
            const auto a = text.find('\t');
            const auto b = text.find('\t', a + 1);
            out.push_back({text.substr(0, a), text.substr(a + 1, b - a - 1), text.substr(b + 1)});
        }
        return out;
    }
};

delivery::outbound a_message(int n) {
    delivery::outbound m;
    base::byte_array<32> id{};
    id[0] = static_cast<std::uint8_t>(n >> 8);
    id[1] = static_cast<std::uint8_t>(n);
    m.notification = base::notification_id{id};
    m.transport = "apns";
    m.address = token_of(n);
    m.parts = {fmt::format(R"({{"aps":{{"alert":"notice {}"}}}})", n)};
    m.planned_at = base::now();
    m.give_up = m.planned_at + 72h;
    return m;
}

TEST_F(Pushy, AcceptsEachMessageOnce) {
    const auto g = a_gateway();
    std::vector<delivery::outbound> messages;
    for (int n = 1; n <= 300; ++n) {
        messages.push_back(a_message(n));
    }
    std::map<std::string, std::string> told; // id -> payload
    tell(*g,
         [](delivery::gateway& g, std::vector<delivery::outbound>& all,
            std::map<std::string, std::string>& told) -> asio::awaitable<void> {
             const auto on = co_await asio::this_coro::executor;
             std::size_t ended = 0;
             for (const auto& m : all) {
                 auto staged = co_await g.stage(m, 10s);
                 EXPECT_EQ(staged.index(), 0U);
                 asio::co_spawn(
                     on,
                     [](std::unique_ptr<delivery::staged> s, const delivery::outbound& m, std::size_t& ended,
                        std::map<std::string, std::string>& told) -> asio::awaitable<void> {
                         const auto v = co_await s->release();
                         EXPECT_EQ(v.what, kind::accepted) << v.code << ' ' << v.text;
                         told.emplace(v.message_id, m.parts[0]);
                         ++ended;
                     }(std::move(std::get<0>(staged)), m, ended, told),
                     [](const std::exception_ptr& e) { EXPECT_FALSE(e); });
             }
             EXPECT_TRUE(co_await http2::testing::eventually([&] { return ended == all.size(); }, 30s));
         }(*g, messages, told));

    const auto taken = accepted();
    EXPECT_EQ(taken.size(), 300U);
    EXPECT_EQ(told.size(), 300U);
    for (const auto& l : taken) {
        EXPECT_EQ(told[l.id], l.payload);
    }
    EXPECT_TRUE(told.contains(apns::apns_id(messages.front().notification)));
}

TEST_F(Pushy, NeverAcceptsWhatWasWithdrawn) {
    const auto g = a_gateway();
    const auto first = a_message(1);
    const auto second = a_message(2);
    tell(*g,
         [](delivery::gateway& g, const delivery::outbound& first,
            const delivery::outbound& second) -> asio::awaitable<void> {
             for (int i = 0; i < 20; ++i) {
                 auto withdrawn = co_await g.stage(first, 10s);
                 EXPECT_EQ(withdrawn.index(), 0U);
             }
             auto staged = co_await g.stage(second, 10s);
             const auto v = co_await std::get<0>(staged)->release();
             EXPECT_EQ(v.what, kind::accepted);
         }(*g, first, second));
    const auto taken = accepted();
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].token, second.address);
}

TEST_F(Pushy, SaysThatADeviceIsGone) {
    auto m = a_message(1);
    m.address = token_of(999);
    const auto v = send_alone(m);
    EXPECT_EQ(v.what, kind::permanent);
    EXPECT_EQ(v.code, "410 Unregistered");
}

TEST_F(Pushy, DoesNotKnowAForeignToken) {
    auto m = a_message(1);
    m.address = token_of(777);
    const auto v = send_alone(m);
    EXPECT_EQ(v.what, kind::ambiguous) << v.code; // his fault, or a wrong environment: ours
    EXPECT_THAT(v.code, ::testing::StartsWith("400 "));
}

TEST_F(Pushy, RefusesAPayloadOver4096Bytes) {
    auto m = a_message(1);
    m.parts = {R"({"aps":{"alert":")" + std::string(4096 - 20, 'x') + "\"}}"};
    ASSERT_EQ(m.parts[0].size(), 4096U);
    EXPECT_EQ(send_alone(m).what, kind::accepted);
    m.parts[0].insert(20, "x");
    const auto v = send_alone(m);
    EXPECT_EQ(v.what, kind::permanent);
    EXPECT_EQ(v.code, "413 PayloadTooLarge");
}

TEST_F(Pushy, AForeignKeyStopsTheLane) {
    EVP_PKEY* foreign = EVP_EC_gen("P-256");
    write_key(dir / "foreign.p8", foreign);
    EVP_PKEY_free(foreign);
    link.key_file = dir / "foreign.p8";
    const auto v = send_alone(a_message(1));
    EXPECT_EQ(v.what, kind::lane_stop);
    EXPECT_EQ(v.code, "403 InvalidProviderToken");
}

// One such device is the device's fault; many at once are a wrong topic: the engine compares what others are told.
TEST_F(Pushy, ADeviceOfAnotherAppIsRefused) {
    link.topic = "com.example.other";
    const auto v = send_alone(a_message(1));
    EXPECT_EQ(v.what, kind::ambiguous);
    EXPECT_EQ(v.code, "400 DeviceTokenNotForTopic");
}

} // namespace
} // namespace semel::push
