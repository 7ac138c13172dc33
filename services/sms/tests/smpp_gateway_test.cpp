// The gateway against a scripted message centre on loopback.

#include <boost/asio.hpp>
#include <gtest/gtest.h>
#include <sms/core/pdu.hpp>
#include <sms/edge/smpp_gateway.hpp>
#include <support/tls_door.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

namespace semel::sms {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using delivery::verdict;
using kind = verdict::kind;
using namespace std::chrono_literals;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

struct centre {
    asio::io_context& io;
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    std::uint32_t bind_status = 0;
    std::function<std::optional<std::uint32_t>(const message&)> answer; // nothing: silence
    std::size_t request_bytes = std::string::npos;                      // after the bind: hang up after so many
    std::size_t answer_bytes = std::string::npos; // of the first submit_sm_resp: hang up after so many
    int sessions = 0;
    int unbinds = 0;
    std::vector<message> taken;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> delivery_answers; // sequence, status
    std::shared_ptr<tcp::socket> line;                                     // of the last session

    explicit centre(asio::io_context& context)
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
            line = std::make_shared<tcp::socket>(std::move(peer));
            asio::co_spawn(io, serve(line), asio::detached);
        }
    }

    asio::awaitable<void> serve(std::shared_ptr<tcp::socket> peer) {
        framer frames;
        bool bound = false;
        std::size_t used = 0;
        while (true) {
            while (const auto frame = frames.next()) {
                const auto p = decode(*frame).value();
                std::string out;
                if (std::holds_alternative<bind>(p.content)) {
                    bound = true;
                    encode(out, {.status = bind_status,
                                 .sequence = p.sequence,
                                 .content = bind_resp{command::bind_transceiver, "centre"}});
                } else if (const auto* m = std::get_if<message>(&p.content)) {
                    taken.push_back(*m);
                    const auto status = answer ? answer(*m) : std::optional<std::uint32_t>{0};
                    if (status) {
                        const auto id = "id-" + std::to_string(taken.size());
                        encode(out, {.status = *status,
                                     .sequence = p.sequence,
                                     .content = message_resp{command::submit_sm, *status == 0 ? id : ""}});
                        if (answer_bytes < out.size()) {
                            out.resize(answer_bytes);
                            co_await asio::async_write(*peer, asio::buffer(out), as_result);
                            peer->close();
                            co_return;
                        }
                    }
                } else if (std::holds_alternative<unbind>(p.content)) {
                    ++unbinds;
                    encode(out, {.status = 0, .sequence = p.sequence, .content = unbind_resp{}});
                } else if (std::holds_alternative<message_resp>(p.content)) {
                    delivery_answers.emplace_back(p.sequence, p.status);
                }
                co_await asio::async_write(*peer, asio::buffer(out), as_result);
            }
            char buffer[4096];
            const auto room = bound ? std::min(sizeof buffer, request_bytes - used) : sizeof buffer;
            if (room == 0) {
                peer->close();
                co_return;
            }
            const auto [ec, n] = co_await peer->async_read_some(asio::buffer(buffer, room), as_result);
            if (ec) {
                co_return;
            }
            used += bound ? n : 0;
            frames.feed({buffer, n});
        }
    }

    void deliver(message m, std::uint32_t sequence) {
        m.kind = command::deliver_sm;
        std::string out;
        encode(out, {.status = 0, .sequence = sequence, .content = std::move(m)});
        asio::write(*line, asio::buffer(out));
    }
};

struct Gateway : testing::Test {
    asio::io_context io{1};
    centre peer{io};
    std::filesystem::path password;
    config::gateway settings{.name = "smsc-a", .limit = {}, .domains = {}, .link = config::smpp{}};
    config::smpp& link = std::get<config::smpp>(settings.link);
    smpp_gateway::tuning tuning;
    telemetry::metrics metrics;
    std::vector<delivery::late_report> reports;
    bool safe = true;
    std::unique_ptr<smpp_gateway> gate;
    delivery::outbound message;
    bool released = false;
    std::vector<verdict> rests; // answers that left a part to be submitted again

    Gateway() {
        std::string name = (std::filesystem::temp_directory_path() / "semel-sms-XXXXXX").string();
        ::close(::mkstemp(name.data()));
        password = name;
        std::ofstream{password} << "secret\n";
        link.host = "127.0.0.1";
        link.port = peer.acceptor.local_endpoint().port();
        link.system_id = "semel";
        link.password_file = password;
        link.window = 4;
        link.source_address = "15771577";
        link.response_timeout = 2s;
        tuning.first_back_off = 10ms;
        tuning.part_pause = 10ms;
        message.address = "+821000000000";
        message.parts = {"hello"};
        message.give_up = base::from_rfc3339("2026-11-24T03:13:45Z");
        auto id = base::byte_array<32>{};
        id[0] = 0x12;
        id[1] = 0x34;
        message.notification = base::notification_id{id};
    }
    ~Gateway() override { std::filesystem::remove(password); }

    smpp_gateway& gateway() {
        if (!gate) {
            gate = smpp_gateway::make(
                       io.get_executor(), settings,
                       [this](delivery::late_report r) -> asio::awaitable<bool> {
                           reports.push_back(std::move(r));
                           co_return safe;
                       },
                       metrics, tuning)
                       .value();
        }
        return *gate;
    }

    template <class T>
    T run(asio::awaitable<T> work) {
        auto done = asio::co_spawn(io, std::move(work), asio::use_future);
        until([&] { return done.wait_for(0s) == std::future_status::ready; });
        return done.get();
    }

    void until(const std::function<bool()>& holds) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!holds()) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("what the test waits for did not happen");
            }
            io.run_one_for(50ms);
        }
    }

    asio::awaitable<verdict> send_one(std::chrono::milliseconds patience = 3s) {
        released = false;
        auto staged = co_await gateway().stage(message, patience);
        if (const auto* refused = std::get_if<delivery::refused>(&staged)) {
            co_return refused->why();
        }
        released = true;
        auto v = co_await std::get<0>(staged)->release();
        while (v.rest_after) {
            rests.push_back(v);
            co_await asio::steady_timer{io, *v.rest_after}.async_wait(asio::use_awaitable);
            v = co_await std::get<0>(staged)->release();
        }
        co_return v;
    }
};

TEST_F(Gateway, SubmitsWithAllItsFields) {
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::accepted) << v.text;
    EXPECT_EQ(v.message_id, "id-1");
    EXPECT_EQ(v.code, "0x00000000");
    ASSERT_EQ(peer.taken.size(), 1U);
    const auto& m = peer.taken[0];
    EXPECT_EQ(m.source, "15771577");
    EXPECT_EQ(m.destination, "821000000000");
    EXPECT_EQ(m.destination_numbering, (numbering{1, 1}));
    EXPECT_EQ(m.registered_delivery, 1);
    EXPECT_EQ(m.replace_if_present, 0);
    EXPECT_EQ(m.esm_class, 0);
    EXPECT_EQ(m.validity, "261124031345000+");
    EXPECT_EQ(*m.find(tag::user_message_reference), "\x12\x34");
    EXPECT_EQ(m.short_message, "hello");
}

TEST_F(Gateway, SpeaksUnderTlsToACentreThatItsAuthorityVouchesFor) {
    const support::certificates certificates;
    const support::tls_door door{io, certificates, link.port};
    link.port = door.port();
    link.tls = true;
    link.ca = certificates.ca();
    link.server_name = "localhost";
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::accepted) << v.text;
    EXPECT_EQ(door.handshakes(), 1);
    EXPECT_EQ(door.asked_for(), "localhost");
    EXPECT_EQ(peer.taken.size(), 1U);
}

TEST_F(Gateway, ACentreWithACertificateOfAnotherNameOrAuthorityStopsTheLane) {
    const support::certificates certificates;
    const support::tls_door door{io, certificates, link.port};
    link.port = door.port();
    link.tls = true;
    link.ca = certificates.ca();
    link.server_name = "smsc.example.com";
    const auto other_name = run(send_one());
    EXPECT_EQ(other_name.what, kind::lane_stop);
    EXPECT_NE(other_name.text.find("server_name"), std::string::npos) << other_name.text;
    gate.reset();
    link.server_name = "localhost";
    link.ca.clear();
    EXPECT_EQ(run(send_one()).what, kind::lane_stop);
    EXPECT_EQ(peer.sessions, 0) << "not a byte reached the centre";
}

TEST_F(Gateway, SendsThePartsOfOneMessageTogether) {
    message.parts = {{"\x05\x00\x03\x09\x02\x01"
                      "a",
                      7},
                     {"\x05\x00\x03\x09\x02\x02"
                      "b",
                      7}};
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.message_id, "id-1,id-2");
    ASSERT_EQ(peer.taken.size(), 2U);
    EXPECT_EQ(peer.taken[0].esm_class, 0x40);
    EXPECT_EQ(peer.taken[1].short_message, message.parts[1]);
}

TEST_F(Gateway, AThrottledPartIsTriedAgainWithTheSameHeader) {
    message.parts = {"one", "two"};
    int refusals = 2;
    peer.answer = [&](const sms::message& m) -> std::optional<std::uint32_t> {
        return m.short_message == "two" && refusals-- > 0 ? status::throttled : status::ok;
    };
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.parts.accepted, 1U) << "each answer tells of what was just submitted";
    EXPECT_EQ(peer.taken.size(), 4U);
    ASSERT_EQ(rests.size(), 2U);
    EXPECT_EQ(rests[0].what, kind::unknown) << "given up now, a fragment would stay";
    EXPECT_EQ(rests[0].parts.accepted, 1U);
    EXPECT_EQ(rests[0].parts.refused, 1U);
    EXPECT_EQ(rests[1].parts.accepted, 0U);
    EXPECT_EQ(*rests[1].rest_after, 2 * *rests[0].rest_after);
    // All slots came back.
    message.parts = {"1", "2", "3", "4"};
    EXPECT_EQ(run(send_one()).what, kind::accepted);
}

TEST_F(Gateway, APartThatWaitsKeepsOneSlotAndNoMore) {
    message.parts = {"one", "two"};
    peer.answer = [refusals = 1](const sms::message& m) mutable -> std::optional<std::uint32_t> {
        return m.short_message == "two" && refusals-- > 0 ? status::throttled : status::ok;
    };
    const auto first = std::get<0>(run(gateway().stage(message, 3s)));
    ASSERT_TRUE(run(first->release()).rest_after);
    auto three = message;
    three.parts = {"1", "2", "3"};
    const auto beside = std::get<0>(run(gateway().stage(three, 3s)));
    auto one = message;
    one.parts = {"4"};
    EXPECT_TRUE(std::holds_alternative<delivery::busy>(run(gateway().stage(one, 50ms)))) << "the window has four";
    EXPECT_EQ(run(beside->release()).what, kind::accepted);
    EXPECT_EQ(run(first->release()).what, kind::accepted);
}

TEST_F(Gateway, AFragmentIsDoubt) {
    message.parts = {"one", "two"};
    peer.answer = [](const sms::message& m) -> std::optional<std::uint32_t> {
        return m.short_message == "two" ? 0x0BU : 0U;
    };
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::unknown);
    EXPECT_EQ(v.code, "0x0000000B");
    EXPECT_EQ(peer.taken.size(), 2U) << "a refused number is not asked again";
}

TEST_F(Gateway, AMessageRefusedWholeIsCertain) {
    message.parts = {"one", "two"};
    peer.answer = [](const sms::message&) { return std::optional{status::throttled}; };
    EXPECT_EQ(run(send_one()).what, kind::throttled);
    EXPECT_EQ(peer.taken.size(), 2U);
    message.parts = {"1", "2", "3", "4"};
    EXPECT_EQ(run(send_one()).what, kind::throttled) << "the slots came back";
}

TEST_F(Gateway, EachCutOfARequestIsDoubtOnceReleased) {
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    std::string pdu;
    encode(pdu, {.status = 0, .sequence = 2, .content = peer.taken[0]});
    for (std::size_t left = 0; left <= pdu.size(); ++left) {
        gate.reset();
        peer.taken.clear();
        peer.request_bytes = pdu.size() - left;
        if (left == 0) {
            peer.answer = [](const sms::message&) { return std::optional<std::uint32_t>{}; };
        }
        const auto v = run(send_one());
        // All bytes left this machine, so nobody can tell how far they came. Cut at once, the session may be gone
        // before the message is written: then it is certain.
        if (left < pdu.size()) {
            EXPECT_EQ(v.what, kind::unknown) << left << ' ' << v.text;
        } else {
            EXPECT_TRUE(v.what == kind::unknown || v.what == kind::transient) << v.text;
        }
        EXPECT_EQ(peer.taken.size(), left == 0 ? 1U : 0U);
        peer.answer = nullptr;
    }
}

TEST_F(Gateway, EachBytePrefixOfAnAnswerIsDoubtUntilItIsWhole) {
    const std::size_t size = 16 + std::string{"id-1"}.size() + 1;
    for (std::size_t n = 0; n <= size; ++n) {
        gate.reset();
        peer.taken.clear();
        peer.answer_bytes = n;
        EXPECT_EQ(run(send_one()).what, n < size ? kind::unknown : kind::accepted) << n;
    }
}

TEST_F(Gateway, SilenceIsDoubt) {
    link.response_timeout = 300ms;
    peer.answer = [](const sms::message&) { return std::optional<std::uint32_t>{}; };
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::unknown);
    EXPECT_EQ(v.code, "semel:timeout");
    peer.answer = nullptr;
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    EXPECT_EQ(peer.sessions, 1);
}

TEST_F(Gateway, AWrongPasswordStopsTheLane) {
    peer.bind_status = status::invalid_password;
    const auto v = run(send_one());
    EXPECT_EQ(v.what, kind::lane_stop);
    EXPECT_EQ(v.code, "0x0000000E");
    peer.bind_status = 0;
    until([&] { return run(send_one()).what == kind::accepted; }); // and then it recovers
}

TEST_F(Gateway, BindsAgainAfterALoss) {
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    peer.line->close();
    EXPECT_EQ(run(send_one()).what == kind::accepted || run(send_one()).what == kind::accepted, true);
    EXPECT_EQ(peer.sessions, 2);
}

TEST_F(Gateway, WithdrawingFreesTheSlot) {
    const auto withdraw = [](Gateway& t) -> asio::awaitable<bool> {
        auto staged = co_await t.gateway().stage(t.message, 3s);
        co_return std::holds_alternative<std::unique_ptr<delivery::staged>>(staged);
    };
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(run(withdraw(*this)));
    }
    EXPECT_TRUE(peer.taken.empty());
    EXPECT_EQ(run(send_one()).what, kind::accepted);
}

TEST_F(Gateway, KeepsItsWindow) {
    EXPECT_EQ(gateway().window(), 4U);
    const auto five = [](Gateway& t) -> asio::awaitable<bool> {
        std::vector<delivery::beginning> held;
        for (int i = 0; i < 5; ++i) {
            held.push_back(co_await t.gateway().stage(t.message, i < 4 ? 3s : 50ms));
        }
        co_return std::holds_alternative<delivery::busy>(held.back());
    };
    EXPECT_TRUE(run(five(*this)));
    message.parts.assign(5, "x");
    EXPECT_EQ(run(send_one()).what, kind::ambiguous) << "more parts than the window ever has";
}

TEST_F(Gateway, HandsReceiptsOverBeforeItAnswersThem) {
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    sms::message receipt;
    receipt.source = "821000000000";
    receipt.destination = "15771577";
    receipt.esm_class = 0x04;
    receipt.short_message = "id:id-1 sub:001 dlvrd:001 stat:UNDELIV err:001 text:";
    receipt.optional = {{tag::user_message_reference, "\x12\x34"}};
    peer.deliver(receipt, 41);
    until([&] { return peer.delivery_answers.size() == 1; });
    EXPECT_EQ(peer.delivery_answers[0], (std::pair{41U, 0U}));
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].gateway, "smsc-a");
    EXPECT_EQ(reports[0].message_id, "id-1");
    EXPECT_EQ(reports[0].state, 2); // RECEIPT_BOUNCED
    EXPECT_EQ(reports[0].code, "UNDELIV 001");
    EXPECT_EQ(reports[0].destination, "+821000000000");
    EXPECT_EQ(reports[0].user_message_reference, 0x1234);

    safe = false;
    peer.deliver(receipt, 42);
    until([&] { return peer.delivery_answers.size() == 2; });
    EXPECT_EQ(peer.delivery_answers[1], (std::pair{42U, status::receiver_temporary}));

    sms::message from_a_person;
    from_a_person.source = "821000000000";
    from_a_person.short_message = "who are you";
    peer.deliver(from_a_person, 43);
    until([&] { return peer.delivery_answers.size() == 3; });
    EXPECT_EQ(peer.delivery_answers[2], (std::pair{43U, 0U}));
    EXPECT_EQ(reports.size(), 2U);
    EXPECT_TRUE(metrics.expose().contains("kind=\"from_handset\"} 1"));
}

TEST_F(Gateway, SaysGoodbye) {
    EXPECT_EQ(run(send_one()).what, kind::accepted);
    const auto close = [](smpp_gateway& g) -> asio::awaitable<bool> {
        co_await g.close();
        co_return true;
    };
    EXPECT_TRUE(run(close(gateway())));
    EXPECT_EQ(peer.unbinds, 1);
    EXPECT_EQ(run(send_one()).code, "semel:closing");
}

TEST_F(Gateway, FailsABadNumberAlone) {
    message.address = "not a number";
    EXPECT_EQ(run(send_one()).what, kind::permanent);
    message.address = "+821000000000";
    message.sender = "a sender beyond eleven";
    EXPECT_EQ(run(send_one()).what, kind::lane_stop);
}

TEST_F(Gateway, ManyReleasesShareOneSession) {
    link.window = 64;
    int accepted = 0;
    int running = 64;
    const auto many = [](Gateway& t, int& sum) -> asio::awaitable<void> {
        for (int i = 0; i < 100; ++i) {
            auto staged = co_await t.gateway().stage(t.message, 5s);
            const auto v = co_await std::get<0>(staged)->release();
            sum += v.what == kind::accepted ? 1 : 0;
        }
    };
    for (int i = 0; i < 64; ++i) {
        asio::co_spawn(io, many(*this, accepted), [&](const std::exception_ptr& e) {
            EXPECT_FALSE(e);
            --running;
        });
    }
    until([&] { return running == 0; });
    EXPECT_EQ(accepted, 6400);
    EXPECT_EQ(peer.taken.size(), 6400U);
}

} // namespace
} // namespace semel::sms
