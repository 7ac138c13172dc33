// The process itself, driven by Semel's own gateways: what they are told and what stands in the files must agree, and
// behaviour must change while it runs. peers_test.cpp drives it by clients of others.

#include "fed.hpp"
#include "process.hpp"

#include <crypto/hash.hpp>
#include <runtime/race.hpp>

#include <boost/asio.hpp>
#include <email/edge/smtp_gateway.hpp>
#include <gtest/gtest.h>
#include <push/edge/apns_gateway.hpp>
#include <push/edge/fcm_gateway.hpp>
#include <sms/edge/smpp_gateway.hpp>

#include <functional>

namespace semel::gateways {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using delivery::verdict;
using outcome = verdict::kind;

delivery::outbound a_message(std::uint8_t number) {
    delivery::outbound m;
    base::byte_array<32> id{};
    id[0] = number;
    id[31] = 1;
    m.notification = base::notification_id{id};
    m.planned_at = base::now();
    m.give_up = m.planned_at + 72h;
    return m;
}
std::string hash_of(std::string_view content) {
    return base::to_hex(base::as_view(crypto::sha256(content)));
}
std::string text(const json::object& o, std::string_view key) {
    return std::string{std::string_view{o.at(key).as_string()}};
}

struct Gateways : ::testing::Test {
    testing::gateway_process peer;
    asio::io_context io{1};
    telemetry::metrics metrics;
    std::vector<delivery::late_report> reports;
    std::unique_ptr<delivery::gateway> gate;

    asio::cancellation_signal enough;
    bool running = false; // gate->run(), which must have ended before the gateway goes

    ~Gateways() override {
        enough.emit(asio::cancellation_type::all);
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (running && std::chrono::steady_clock::now() < deadline) {
            io.restart();
            io.run_one_for(20ms);
        }
        if (running) {
            std::terminate(); // to go on would be to use what is gone
        }
        gate.reset();
    }

    void until(const std::function<bool()>& holds) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!holds()) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("what the test waits for did not happen");
            }
            io.restart();
            io.run_one_for(20ms);
        }
    }
    static asio::awaitable<verdict> send_one(delivery::gateway& g, delivery::outbound m) {
        auto staged = co_await g.stage(m, 5s);
        if (const auto* refused = std::get_if<delivery::refused>(&staged)) {
            co_return refused->why();
        }
        co_return co_await std::get<0>(staged)->release();
    }
    verdict send(const delivery::outbound& m) {
        auto done = asio::co_spawn(io, send_one(*gate, m), asio::use_future);
        until([&] { return done.wait_for(0s) == std::future_status::ready; });
        return done.get();
    }
    void run_gate() {
        running = true;
        asio::co_spawn(io, gate->run(), asio::bind_cancellation_slot(enough.slot(), [this](const std::exception_ptr&) {
                           running = false;
                       }));
    }

    delivery::outbound mail(std::uint8_t number, std::string to = "ann@example.com") {
        auto m = a_message(number);
        m.address = std::move(to);
        m.sender = "notice@example.com";
        m.parts = {fmt::format("From: notice@example.com\r\nDate: Tue, 24 Nov 2026 12:00:00 +0000\r\n"
                               "Message-ID: <{}@example.com>\r\n\r\n.hello\r\n..\r\n",
                               base::to_hex(m.notification))};
        return m;
    }
    void open_smtp(std::chrono::milliseconds patience = 2s) {
        config::smtp link;
        link.host = "127.0.0.1";
        link.port = peer.port("smtp");
        link.tls = config::smtp::tls_mode::none;
        link.connections = 2;
        link.helo = "semel.example.com";
        email::smtp_gateway::tuning tuning;
        tuning.timeouts = {.connect = 2s, .handshake = 2s, .command = 2s, .data = 2s, .body = 2s, .dot = patience};
        tuning.first_back_off = 10ms;
        const config::gateway g{.name = "relay-a", .limit = {}, .domains = {}, .link = link};
        gate = email::smtp_gateway::make(io.get_executor(), g, tuning).value();
    }
    void open_apns() {
        config::apns link;
        link.endpoint = fmt::format("https://localhost:{}", peer.port("apns"));
        link.ca = peer.folder() / "server.pem";
        link.team_id = "TEAM000001";
        link.key_id = "KEY0000001";
        link.topic = "com.example.shop";
        link.key_file = peer.folder() / "apns.p8";
        link.connections = 1;
        link.streams = 100;
        const config::gateway g{.name = "apns", .limit = {}, .domains = {}, .link = link};
        gate = push::apns_gateway::make(io.get_executor(), g, push_tuning).value();
        run_gate();
    }
    void open_fcm() {
        config::fcm link;
        link.endpoint = fmt::format("https://localhost:{}", peer.port("fcm"));
        link.ca = peer.folder() / "server.pem";
        link.token_endpoint = link.endpoint + "/token";
        link.service_account = peer.folder() / "fcm.json";
        link.connections = 1;
        const config::gateway g{.name = "fcm", .limit = {}, .domains = {}, .link = link};
        gate = push::fcm_gateway::make(io.get_executor(), g, push_tuning).value();
        run_gate();
    }
    void open_smpp() {
        config::smpp link;
        link.host = "127.0.0.1";
        link.port = peer.port("smpp");
        link.system_id = "semel";
        link.password_file = peer.folder() / "smpp.password";
        link.source_address = "15771577";
        const config::gateway g{.name = "smsc-a", .limit = {}, .domains = {}, .link = link};
        gate = sms::smpp_gateway::make(
                   io.get_executor(), g,
                   [this](delivery::late_report r) -> asio::awaitable<bool> {
                       reports.push_back(std::move(r));
                       co_return true;
                   },
                   metrics)
                   .value();
        run_gate();
    }
    delivery::outbound device(std::uint8_t number) {
        auto m = a_message(number);
        m.transport = "apns";
        m.address = std::string(64, 'a');
        m.parts = {R"({"aps":{"alert":"notice"}})"};
        return m;
    }
    delivery::outbound android(std::uint8_t number) {
        auto m = a_message(number);
        m.transport = "fcm";
        m.address = "token:1";
        m.parts = {fmt::format(
            R"({{"message":{{"token":"token:1","android":{{"priority":"HIGH","ttl":"60s","collapse_key":"{0}"}},)"
            R"("notification":{{"title":"t","body":"b"}},"data":{{"idem":"{0}"}}}}}})",
            base::to_hex(m.notification))};
        return m;
    }
    delivery::outbound phone(std::uint8_t number, std::vector<std::string> parts) {
        auto m = a_message(number);
        m.address = "+821000000000";
        m.parts = std::move(parts);
        return m;
    }

    static constexpr push::tuning push_tuning{.answer = 2s, .drain = 2s, .first_pause = 2ms, .longest_pause = 20ms};
};

TEST_F(Gateways, NoteAMailAsItWasSent) {
    open_smtp();
    const auto m = mail(7);
    const auto v = send(m);
    EXPECT_EQ(v.what, outcome::accepted) << v.text;
    const auto noted = peer.accepted("smtp");
    ASSERT_EQ(noted.size(), 1U);
    EXPECT_EQ(text(noted[0], "id"), base::to_hex(m.notification));
    EXPECT_EQ(text(noted[0], "envid"), base::to_hex(m.notification));
    EXPECT_EQ(text(noted[0], "sha256"), hash_of(m.parts[0]));
    EXPECT_EQ(text(noted[0], "gateway_message_id"), v.message_id);
    EXPECT_EQ(text(noted[0], "address"), m.address);
    EXPECT_EQ(peer.count("smtp", "violations"), 0);
}

TEST_F(Gateways, NoteAnAppleMessageAsItWasSent) {
    open_apns();
    const auto m = device(7);
    const auto v = send(m);
    EXPECT_EQ(v.what, outcome::accepted) << v.code << v.text;
    const auto noted = peer.accepted("apns");
    ASSERT_EQ(noted.size(), 1U);
    EXPECT_EQ(text(noted[0], "id"), base::to_hex(m.notification));
    EXPECT_EQ(text(noted[0], "sha256"), hash_of(m.parts[0]));
    EXPECT_EQ(text(noted[0], "gateway_message_id"), v.message_id);
    EXPECT_EQ(text(noted[0], "address"), m.address);
    EXPECT_EQ(peer.count("apns", "violations"), 0);
}

TEST_F(Gateways, NoteAGoogleMessageAsItWasSent) {
    open_fcm();
    const auto m = android(7);
    const auto v = send(m);
    EXPECT_EQ(v.what, outcome::accepted) << v.code << v.text;
    const auto noted = peer.accepted("fcm");
    ASSERT_EQ(noted.size(), 1U);
    EXPECT_EQ(text(noted[0], "id"), base::to_hex(m.notification));
    EXPECT_EQ(text(noted[0], "sha256"), hash_of(m.parts[0]));
    EXPECT_EQ(text(noted[0], "gateway_message_id"), v.message_id);
    EXPECT_EQ(text(noted[0], "address"), "token:1");
    EXPECT_EQ(peer.count("fcm", "violations"), 0);
}

TEST_F(Gateways, NoteEachPartOfAnSmsAndReportIt) {
    peer.behave(R"({"smpp": {"receipts": {"probability": 1, "delay_ms": 10}}})");
    open_smpp();
    const std::string header{"\x05\x00\x03\x2A\x02", 5};
    const auto m = phone(7, {header + "\x01" + "hello ", header + "\x02" + "world"});
    const auto v = send(m);
    EXPECT_EQ(v.what, outcome::accepted) << v.text;
    const auto noted = peer.accepted("smpp");
    ASSERT_EQ(noted.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(noted[i].at("part").as_int64(), static_cast<std::int64_t>(i + 1));
        EXPECT_EQ(noted[i].at("parts").as_int64(), 2);
        EXPECT_EQ(noted[i].at("ref").as_int64(), 0x2A);
        EXPECT_EQ(text(noted[i], "id"), base::to_hex(m.notification).substr(0, 4));
        EXPECT_EQ(text(noted[i], "sha256"), hash_of(m.parts[i]));
        EXPECT_EQ(text(noted[i], "address"), "+821000000000");
    }
    EXPECT_EQ(v.message_id, text(noted[0], "gateway_message_id") + "," + text(noted[1], "gateway_message_id"));
    until([&] { return reports.size() == 2; });
    EXPECT_EQ(reports[0].state, 1) << "delivered";
    EXPECT_EQ(reports[0].user_message_reference, 0x0700);
    until([&] { return peer.count("smpp", "receipts_acknowledged") == 2; });
    EXPECT_EQ(peer.count("smpp", "receipts_pending"), 0);
}

TEST_F(Gateways, SendReceiptsEarlyAndTwice) {
    peer.behave(R"({"smpp": {"receipts": {"probability": 1, "duplicates": 1, "before_response": 1, "form": "text",
                                          "states": {"UNDELIV": 1}}}})");
    open_smpp();
    EXPECT_EQ(send(phone(8, {"hello"})).what, outcome::accepted);
    EXPECT_EQ(reports.size(), 1U) << "the receipt was there first";
    until([&] { return reports.size() == 2; });
    EXPECT_EQ(reports[0].message_id, reports[1].message_id);
}

TEST_F(Gateways, KeepReceiptsForWhoComesBack) {
    peer.behave(R"({"smpp": {"receipts": {"probability": 1, "delay_ms": 1}, "accept_then_reset": 1}})");
    open_smpp();
    EXPECT_EQ(send(phone(9, {"hello"})).what, outcome::unknown);
    until([&] { return reports.size() == 1; });
    EXPECT_EQ(reports[0].message_id, text(peer.accepted("smpp").at(0), "gateway_message_id"));
}

TEST_F(Gateways, ChangeTheirAnswersWhileTheyRun) {
    open_smtp();
    EXPECT_EQ(send(mail(1)).what, outcome::accepted);
    peer.behave(R"({"smtp": {"errors": {"451 4.7.1": 1}}})");
    auto v = send(mail(2));
    EXPECT_NE(v.what, outcome::accepted);
    EXPECT_TRUE(v.code.starts_with("451")) << v.code;
    peer.behave(R"({"smtp": {"errors": {}, "fail_suffix": "@dead.example"}})");
    v = send(mail(3, "bob@dead.example"));
    EXPECT_EQ(v.what, outcome::permanent);
    EXPECT_TRUE(v.code.starts_with("550")) << v.code;
    EXPECT_EQ(send(mail(4)).what, outcome::accepted);
    EXPECT_EQ(peer.accepted("smtp").size(), 2U) << "what was refused is not in the file";
    EXPECT_EQ(peer.count("smtp", "refused"), 2);
}

TEST_F(Gateways, AnswerLikeApple) {
    peer.behave(R"({"apns": {"errors": {"410": 1}}})");
    open_apns();
    EXPECT_EQ(send(device(1)).code, "410 Unregistered");
    peer.behave(R"({"apns": {"errors": {"429": 1}, "retry_after_s": 3}})");
    const auto v = send(device(2));
    EXPECT_EQ(v.code, "429 TooManyRequests");
    EXPECT_EQ(v.retry_after, std::chrono::milliseconds{3s});
    peer.behave(R"({"apns": {"errors": {"refused_stream": 1}}})");
    EXPECT_EQ(send(device(3)).what, outcome::transient);
    EXPECT_TRUE(peer.accepted("apns").empty());
    auto wrong = device(4);
    wrong.parts = {std::string(4097, 'x')};
    peer.behave(R"({"apns": {"errors": {}}})");
    EXPECT_EQ(send(wrong).code, "413 PayloadTooLarge");
    EXPECT_EQ(peer.count("apns", "violations"), 1);
}

TEST_F(Gateways, AnswerLikeGoogle) {
    peer.behave(R"({"fcm": {"errors": {"404": 1}}})");
    open_fcm();
    EXPECT_EQ(send(android(1)).code, "404 UNREGISTERED");
    peer.behave(R"({"fcm": {"errors": {"429": 1}}})");
    EXPECT_EQ(send(android(2)).what, outcome::throttled);
    peer.behave(R"({"fcm": {"errors": {}}})");
    auto wrong = android(3);
    wrong.parts[0].replace(wrong.parts[0].find("\"HIGH\""), 6, "\"FAST\"");
    EXPECT_EQ(send(wrong).code, "400 INVALID_ARGUMENT");
    EXPECT_EQ(peer.count("fcm", "violations"), 1);
    EXPECT_TRUE(peer.accepted("fcm").empty());
}

TEST_F(Gateways, AnswerLikeAMessageCentre) {
    peer.behave(R"({"smpp": {"errors": {"0x0B": 1}}})");
    open_smpp();
    EXPECT_EQ(send(phone(1, {"hello"})).what, outcome::permanent);
    EXPECT_TRUE(peer.accepted("smpp").empty());
    peer.behave(R"({"smpp": {"errors": {}}})");
    EXPECT_EQ(send(phone(2, {"hello"})).what, outcome::accepted);
}

TEST_F(Gateways, FallSilentOrResetAfterTheyAccepted) {
    open_smtp(300ms);
    peer.behave(R"({"smtp": {"silence": 1}})");
    EXPECT_EQ(send(mail(1)).what, outcome::unknown);
    peer.behave(R"({"smtp": {"silence": 0, "accept_then_reset": 1}})");
    EXPECT_EQ(send(mail(2)).what, outcome::unknown);
    peer.behave(R"({"smtp": {"accept_then_reset": 0, "reset_before_last_byte": 1}})");
    EXPECT_NE(send(mail(3)).what, outcome::accepted);
    const auto noted = peer.accepted("smtp");
    ASSERT_EQ(noted.size(), 2U);
    EXPECT_EQ(text(noted[0], "answer"), "silence");
    EXPECT_EQ(text(noted[1], "answer"), "reset");
    EXPECT_EQ(peer.count("smtp", "resets"), 2);
}

TEST_F(Gateways, ResetHttp2BeforeTheLastByte) {
    open_apns();
    peer.behave(R"({"apns": {"reset_before_last_byte": 1}})");
    EXPECT_NE(send(device(1)).what, outcome::accepted);
    EXPECT_TRUE(peer.accepted("apns").empty());
    peer.behave(R"({"apns": {"reset_before_last_byte": 0, "accept_then_reset": 1}})");
    EXPECT_EQ(send(device(2)).what, outcome::unknown);
    EXPECT_EQ(peer.accepted("apns").size(), 1U);
}

TEST_F(Gateways, HangAndGoOn) {
    open_smtp(10s);
    EXPECT_EQ(send(mail(1)).what, outcome::accepted);
    peer.behave(R"({"smtp": {"hang": true}})");
    auto done = asio::co_spawn(io, send_one(*gate, mail(2)), asio::use_future);
    // Longer than an answer ever takes; the process answers its control port meanwhile.
    for (int i = 0; i < 10; ++i) {
        io.run_for(10ms);
        EXPECT_EQ(peer.count("smtp", "accepted"), 1);
    }
    peer.behave(R"({"smtp": {"hang": false}})");
    until([&] { return done.wait_for(0s) == std::future_status::ready; });
    EXPECT_EQ(done.get().what, outcome::accepted);
}

TEST_F(Gateways, KeepToARate) {
    peer.behave(R"({"smtp": {"max_accepted_per_second": 5}})");
    open_smtp();
    int accepted = 0;
    for (std::uint8_t i = 0; i < 20; ++i) {
        accepted += send(mail(i)).what == outcome::accepted ? 1 : 0;
    }
    EXPECT_GE(accepted, 5);
    EXPECT_EQ(peer.count("smtp", "most_accepted_in_a_second"), 5);
    EXPECT_EQ(peer.count("smtp", "throttled"), 20 - accepted);
}

TEST_F(Gateways, SayThatARateIsExceededAsTheyAreTold) {
    peer.behave(R"({"smtp": {"max_accepted_per_second": 1, "throttle_answer": "421 4.7.0"}})");
    open_smtp();
    EXPECT_EQ(send(mail(1)).what, outcome::accepted);
    EXPECT_EQ(send(mail(2)).code, "421 4.7.0");
    EXPECT_EQ(peer.count("smtp", "throttled"), 1);
}

TEST_F(Gateways, RefuseABehaviourThatTheyDoNotUnderstand) {
    EXPECT_EQ(peer.post("/behaviour", R"({"smtp": {"lattency_ms": 5}})"), 400U);
    EXPECT_EQ(peer.post("/behaviour", R"({"pigeon": {}})"), 400U);
    EXPECT_EQ(peer.post("/behaviour", R"({"all": {"latency_ms": 5}, "smtp": {"silence": 2}})"), 400U);
    EXPECT_EQ(peer.get("/behaviour").at("smpp-" + std::to_string(peer.port("smpp"))).at("latency_ms").to_number<int>(),
              0)
        << "all or nothing";
}

TEST_F(Gateways, StopInOrder) {
    open_smtp();
    EXPECT_EQ(send(mail(1)).what, outcome::accepted);
    EXPECT_EQ(peer.stop(), 0);
    EXPECT_EQ(peer.accepted("smtp").size(), 1U);
}

} // namespace
} // namespace semel::gateways
