// The gateway against a scripted relay on loopback: connections are cut at every byte that matters, and no cut may turn
// into "accepted", nor, once the dot was released, into a certain "not sent".

#include <base/codes.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <email/edge/smtp_gateway.hpp>
#include <gtest/gtest.h>
#include <support/tls_door.hpp>

#include <filesystem>
#include <fstream>
#include <functional>

namespace semel::email {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using delivery::verdict;
using kind = verdict::kind;
using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct relay {
    asio::io_context& io;
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    std::string greeting = "220 relay.example.com ESMTP\r\n";
    std::string ehlo = "250-relay.example.com\r\n250-PIPELINING\r\n250 DSN\r\n";
    std::string rcpt = "250 2.1.5 Ok\r\n";
    std::string answer = "250 2.0.0 Ok: queued as Q1\r\n"; // to the dot
    std::size_t answer_bytes = std::string::npos;          // hang up after so many
    std::size_t request_bytes = std::string::npos;         // of a transaction, MAIL to dot: hang up after so many
    std::size_t messages_a_session = std::string::npos;    // then 421
    bool reset = false;                                    // hang up by RST
    bool silent = false;                                   // no answer to the dot
    int sessions = 0;
    int noops = 0;
    int dots = 0;                // messages whose dot arrived
    std::size_t transaction = 0; // bytes of the last one
    std::string data;

    explicit relay(asio::io_context& context)
        : io(context) {
        asio::co_spawn(io, accept(), asio::detached);
    }

    asio::awaitable<void> accept() {
        while (true) {
            auto [ec, peer] = co_await acceptor.async_accept(as_result);
            if (ec) {
                co_return;
            }
            ++sessions;
            peer.set_option(tcp::no_delay{true});
            asio::co_spawn(io, serve(std::move(peer)), asio::detached);
        }
    }

    asio::awaitable<void> serve(tcp::socket peer) {
        std::string in;
        std::size_t used = 0; // of this transaction
        std::size_t done = 0;
        bool in_data = false;
        co_await send(peer, greeting);
        while (true) {
            const auto end = in_data ? in.find("\r\n.\r\n") : in.find("\r\n");
            if (end != std::string::npos) {
                const auto size = end + (in_data ? 5 : 2);
                const auto line = in.substr(0, size);
                in.erase(0, size);
                if (in_data) {
                    in_data = false;
                    ++dots;
                    ++done;
                    data = line;
                    transaction = used;
                    used = 0;
                    if (!silent) {
                        co_await send(peer, std::string_view{answer}.substr(0, answer_bytes));
                        if (answer_bytes < answer.size()) {
                            co_return hang_up(peer);
                        }
                    }
                } else if (line.starts_with("EHLO")) {
                    used = 0;
                    co_await send(peer, ehlo);
                } else if (line.starts_with("MAIL")) {
                    if (done >= messages_a_session) {
                        co_await send(peer, "421 4.7.0 too many messages\r\n");
                        co_return;
                    }
                    co_await send(peer, "250 2.1.0 Ok\r\n");
                } else if (line.starts_with("RCPT")) {
                    co_await send(peer, rcpt);
                } else if (line.starts_with("DATA")) {
                    const bool taken = rcpt.starts_with("250");
                    co_await send(peer, taken ? "354 go\r\n" : "554 5.5.1 no valid recipients\r\n");
                    in_data = taken;
                    if (!taken) {
                        used = 0;
                    }
                    continue;
                } else if (line.starts_with("QUIT")) {
                    co_await send(peer, "221 bye\r\n");
                    co_return;
                } else {
                    noops += line.starts_with("NOOP") ? 1 : 0;
                    co_await send(peer, "250 Ok\r\n");
                }
                continue;
            }
            char buffer[8192];
            const auto room = std::min(sizeof buffer, request_bytes - used);
            if (room == 0) {
                co_return hang_up(peer);
            }
            const auto [ec, n] = co_await peer.async_read_some(asio::buffer(buffer, room), as_result);
            if (ec) {
                co_return;
            }
            used += n;
            in.append(buffer, n);
        }
    }

    void hang_up(tcp::socket& peer) const {
        if (reset) {
            peer.set_option(asio::socket_base::linger{true, 0});
        }
        peer.close();
    }

    static asio::awaitable<void> send(tcp::socket& peer, std::string_view text) {
        co_await asio::async_write(peer, asio::buffer(text), as_result);
    }
};

struct Gateway : testing::Test {
    asio::io_context io{1};
    relay peer{io};
    config::gateway settings{.name = "relay-a", .limit = {}, .domains = {}, .link = config::smtp{}};
    smtp_gateway::tuning tuning;
    std::unique_ptr<smtp_gateway> gate;
    delivery::outbound message;
    bool released = false;

    Gateway() {
        auto& link = std::get<config::smtp>(settings.link);
        link.host = "127.0.0.1";
        link.port = peer.acceptor.local_endpoint().port();
        link.tls = config::smtp::tls_mode::none;
        link.connections = 2;
        link.helo = "semel.example.com";
        message.address = "ann@example.com";
        message.sender = "notice@example.com";
        message.parts = {"Subject: hello\r\n\r\n" + std::string(200, 'x') + "\r\n"};
        tuning.timeouts = {.connect = 2s, .handshake = 2s, .command = 2s, .data = 2s, .body = 2s, .dot = 2s};
        tuning.first_back_off = 10ms;
    }

    smtp_gateway& gateway() {
        if (!gate) {
            gate = smtp_gateway::make(io.get_executor(), settings, tuning).value();
        }
        return *gate;
    }

    /// Runs the coroutine to its end while the relay serves.
    template <class T>
    T run(asio::awaitable<T> work) {
        auto done = asio::co_spawn(io, std::move(work), asio::use_future);
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (done.wait_for(0s) != std::future_status::ready) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("the test's work did not end in time");
            }
            io.run_one_for(100ms);
        }
        return done.get();
    }

    asio::awaitable<verdict> send_one() {
        released = false;
        auto staged = co_await gateway().stage(message, 3s);
        if (const auto* refused = std::get_if<delivery::refused>(&staged)) {
            co_return refused->why();
        }
        released = true;
        co_return co_await std::get<0>(staged)->release();
    }

    asio::awaitable<bool> stage_and_withdraw() {
        auto staged = co_await gateway().stage(message, 3s);
        co_return std::holds_alternative<std::unique_ptr<delivery::staged>>(staged);
    }
};

TEST_F(Gateway, SendsAndReusesTheSession) {
    for (int i = 0; i < 5; ++i) {
        const auto v = run(send_one());
        EXPECT_EQ(v.what, kind::accepted);
        EXPECT_EQ(v.message_id, "Q1");
    }
    EXPECT_EQ(peer.sessions, 1);
    EXPECT_EQ(peer.dots, 5);
    EXPECT_EQ(peer.data, message.parts[0] + ".\r\n");
}

TEST_F(Gateway, SignsWhatItSendsWhereItHasAKey) {
    const auto key = std::filesystem::path{testing::TempDir()} / "gateway-dkim.pem";
    std::ofstream{key} << "-----BEGIN PRIVATE KEY-----\n" // RFC 8463, appendix A
                          "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                          "-----END PRIVATE KEY-----\n";
    std::get<config::smtp>(settings.link).dkim = {{.domain = "example.com", .selector = "s1", .key_file = key}};
    message.parts = {"From: notice@example.com\r\nSubject: hello\r\n\r\nwords\r\n"};
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    EXPECT_TRUE(peer.data.starts_with("DKIM-Signature: v=1; a=ed25519-sha256;")) << peer.data;
    EXPECT_TRUE(peer.data.ends_with("\r\n" + message.parts[0] + ".\r\n")) << "behind it the message as it was";

    message.parts = {"no header at all"};
    EXPECT_EQ(run(send_one()).code, codes::dkim);
}

TEST_F(Gateway, ACutBeforeTheWholeDotIsNeverAcceptedAndNeverCertainOnceReleased) {
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    const auto whole = peer.transaction;
    for (const bool reset : {false, true}) {
        for (std::size_t left = 0; left <= 64; ++left) {
            gate.reset();
            peer.reset = reset;
            peer.dots = 0;
            peer.request_bytes = whole - left;
            if (left == 0) {
                peer.request_bytes = std::string::npos;
                peer.answer_bytes = 0;
            }
            const auto v = run(send_one());
            EXPECT_EQ(v.what, released ? kind::unknown : kind::transient) << left << ' ' << v.text;
            EXPECT_EQ(peer.dots, left == 0 ? 1 : 0) << left;
            if (left < 3) {
                EXPECT_TRUE(released) << left;
            }
        }
    }
}

TEST_F(Gateway, EachBytePrefixOfTheAnswerIsDoubtUntilItIsWhole) {
    for (const bool reset : {false, true}) {
        for (std::size_t n = 0; n <= peer.answer.size(); ++n) {
            gate.reset();
            peer.reset = reset;
            peer.answer_bytes = n;
            const auto v = run(send_one());
            EXPECT_TRUE(released);
            EXPECT_EQ(v.what, n < peer.answer.size() ? kind::unknown : kind::accepted) << n;
        }
    }
}

TEST_F(Gateway, ARefusalCutShortIsDoubtToo) {
    peer.answer = "550 5.1.1 nobody\r\n";
    for (std::size_t n = 0; n <= peer.answer.size(); ++n) {
        gate.reset();
        peer.answer_bytes = n;
        EXPECT_EQ(run(send_one()).what, n < peer.answer.size() ? kind::unknown : kind::permanent) << n;
    }
}

TEST_F(Gateway, SilenceAfterTheDotIsDoubt) {
    tuning.timeouts.dot = 50ms;
    peer.silent = true;
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::unknown);
    EXPECT_TRUE(v.text.contains("no answer in time")) << v.text;
}

TEST_F(Gateway, WithdrawingSendsNoDot) {
    EXPECT_TRUE(run(stage_and_withdraw()));
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    EXPECT_EQ(peer.dots, 1);
    EXPECT_EQ(peer.sessions, 2);
}

TEST_F(Gateway, ARefusedRecipientLeavesTheSessionUsable) {
    peer.rcpt = "550 5.1.1 <ann@example.com> nobody\r\n";
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::permanent);
    EXPECT_EQ(v.code, "550 5.1.1");
    peer.rcpt = "250 Ok\r\n";
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    EXPECT_EQ(peer.sessions, 1);
}

TEST_F(Gateway, ASessionThatTheRelayTiredOfIsReplacedSilently) {
    peer.messages_a_session = 2;
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(run(send_one()).what, kind::accepted) << i;
    }
    EXPECT_EQ(peer.sessions, 4);
}

TEST_F(Gateway, SaysWhereNobodyListens) {
    peer.acceptor.close();
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::transient);
    EXPECT_TRUE(v.text.contains("cannot connect to 127.0.0.1:")) << v.text;
}

TEST_F(Gateway, StopsTheLaneWhenTheRelayRefusesUs) {
    peer.greeting = "554 5.7.1 go away\r\n";
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::lane_stop);
    EXPECT_EQ(v.code, "554 5.7.1");
    EXPECT_TRUE(v.retry_after);
    peer.greeting = "220 welcome back\r\n";
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (run(send_one()).what != kind::accepted) { // and then it recovers
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    }
}

TEST_F(Gateway, SpeaksUnderTlsFromTheFirstByte) {
    const support::certificates certificates;
    auto& link = std::get<config::smtp>(settings.link);
    const support::tls_door door{io, certificates, link.port};
    link.port = door.port();
    link.tls = config::smtp::tls_mode::implicit;
    link.ca = certificates.ca();
    link.server_name = "localhost";
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::accepted) << v.text;
    EXPECT_EQ(door.asked_for(), "localhost");
}

TEST_F(Gateway, StopsTheLaneWithoutStarttls) {
    std::get<config::smtp>(settings.link).tls = config::smtp::tls_mode::starttls;
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::lane_stop);
    EXPECT_EQ(v.code, "semel:starttls");
}

TEST_F(Gateway, KeepsItsWindow) {
    EXPECT_EQ(gateway().window(), 2U);
    const auto three = [](Gateway& t) -> asio::awaitable<bool> {
        auto a = co_await t.gateway().stage(t.message, 1s);
        auto b = co_await t.gateway().stage(t.message, 1s);
        auto c = co_await t.gateway().stage(t.message, 50ms);
        EXPECT_TRUE(std::holds_alternative<std::unique_ptr<delivery::staged>>(a));
        EXPECT_TRUE(std::holds_alternative<std::unique_ptr<delivery::staged>>(b));
        co_return std::holds_alternative<delivery::busy>(c);
    };
    EXPECT_TRUE(run(three(*this)));
    EXPECT_EQ(peer.dots, 0);
}

TEST_F(Gateway, WhoComesLaterTakesNoSessionPastThoseWhoWait) {
    std::get<config::smtp>(settings.link).connections = 1;
    struct course {
        Gateway& test;
        int sent = 0;
        int before_its_turn = 0;

        /// One mail after another, the next in the moment in which the last gave its session back.
        asio::awaitable<void> many() {
            for (int i = 0; i < 20; ++i) {
                EXPECT_EQ((co_await test.send_one()).what, kind::accepted);
                ++sent;
            }
        }
        asio::awaitable<void> one() {
            EXPECT_EQ((co_await test.send_one()).what, kind::accepted);
            before_its_turn = sent;
        }
        asio::awaitable<bool> all() {
            using asio::experimental::awaitable_operators::operator&&;
            co_await (many() && many() && one());
            co_return true;
        }
    };
    course c{*this};
    EXPECT_TRUE(run(c.all()));
    EXPECT_EQ(peer.dots, 41);
    EXPECT_LE(c.before_its_turn, 2);
}

TEST_F(Gateway, KeepsSessionsAliveAndSaysGoodbye) {
    tuning.keep_alive = 20ms;
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    asio::cancellation_signal stop;
    bool ended = false;
    asio::co_spawn(io, gateway().run(),
                   asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr&) { ended = true; }));
    for (const auto deadline = std::chrono::steady_clock::now() + 10s;
         peer.noops < 3 && std::chrono::steady_clock::now() < deadline;) {
        io.run_one_for(10ms);
    }
    EXPECT_EQ(peer.noops, 3);
    EXPECT_EQ(peer.sessions, 1);
    stop.emit(asio::cancellation_type::all);
    while (!ended) {
        io.run_one_for(10ms);
    }
    const auto close = [](smtp_gateway& g) -> asio::awaitable<bool> {
        co_await g.close();
        co_return true;
    };
    EXPECT_TRUE(run(close(gateway())));
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::transient);
    EXPECT_EQ(v.code, "semel:closing");
}

TEST_F(Gateway, FailsABadAddressAloneWithoutNamingIt) {
    message.address = "ann@x\r\nRCPT TO:<eve@example.com>";
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::permanent);
    EXPECT_FALSE(v.text.contains("eve"));
    EXPECT_EQ(peer.sessions, 0);
}

} // namespace
} // namespace semel::email
