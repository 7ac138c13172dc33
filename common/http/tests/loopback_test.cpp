#include "loopback.hpp"

#include <runtime/gate.hpp>
#include <runtime/race.hpp>

#include <support/slowness.hpp>

namespace semel::http {
namespace {

TEST(Http, RoutesWithParametersQueryAndToken) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        client_request q{.target = "/v1/things/a%20b?q=x+y", .headers = {{"Authorization", "bearer secret"}}};
        const auto r = co_await c.send(std::move(q));
        EXPECT_TRUE(r) << r.error().why();
        EXPECT_EQ(r->status, 200U);
        EXPECT_EQ(r->header("content-type"), "application/json");
        EXPECT_EQ(r->body, R"({"id":"a b","bearer":"secret","q":"x y"})");
    });
}

TEST(Http, RefusalsAreJsonWithAHint) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        struct expectation {
            const char *method, *target;
            unsigned status;
        };
        for (const auto& e :
             {expectation{"GET", "/nowhere", 404}, expectation{"DELETE", "/v1/echo", 405},
              expectation{"GET", "/v1/things/..%2f..%2fetc", 400}, expectation{"GET", "/v1/things/x?q=%zz", 400},
              expectation{"GET", "/v1/throws", 500}, expectation{"POST", "/v1/refuse", 403}}) {
            client_request q{.method = e.method, .target = e.target};
            const auto r = co_await c.send(std::move(q));
            EXPECT_TRUE(r);
            EXPECT_EQ(r->status, e.status) << e.target;
            const auto body = json::read(r->body);
            EXPECT_TRUE(body && json::find_text(body->as_object(), "error") &&
                        json::find_text(body->as_object(), "hint"))
                << r->body;
            EXPECT_EQ(r->body.find("planted"), std::string::npos);
        }
    });
}

TEST(Http, StreamsABigUploadThroughFlatMemory) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        for (const bool sized : {true, false}) {
            constexpr std::uint64_t size = std::uint64_t{128} * 1024 * 1024 + 7;
            const auto before = resident();
            std::uint64_t left = size;
            client_request q{.method = "POST", .target = "/v1/count"};
            q.source = [&](std::span<char> into) {
                const auto n = std::min<std::uint64_t>(left, into.size());
                std::ranges::fill(into.first(n), 'x');
                left -= n;
                return n;
            };
            if (sized) {
                q.length = size;
            }
            const auto r = co_await c.send(std::move(q));
            EXPECT_TRUE(r) << r.error().why();
            EXPECT_EQ(r->status, 200U);
            EXPECT_EQ(r->body.substr(0, r->body.find(' ')), std::to_string(size));
            const auto most = std::stoull(r->body.substr(r->body.find(' ')));
            if constexpr (support::slowness == 1) { // what a sanitizer keeps of what was freed is not the server's
                EXPECT_LT(most, before + 16 * 1024 * 1024);
            }
        }
    });
}

TEST(Http, ARefusedUploadIsNotSent) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        bool asked = false;
        client_request q{.method = "POST", .target = "/v1/refuse"};
        q.source = [&](std::span<char>) {
            asked = true;
            return std::size_t{0};
        };
        const auto r = co_await c.send(std::move(q));
        EXPECT_TRUE(r) << r.error().why();
        EXPECT_EQ(r->status, 403U);
        EXPECT_FALSE(asked);
        client_request next{.target = "/v1/things/x"};
        EXPECT_EQ((co_await c.send(std::move(next)))->status, 200U);
    });
}

TEST(Http, AFailingSourceIsTheCallersException) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        client_request q{.method = "POST", .target = "/v1/count"};
        q.source = [](std::span<char>) -> std::size_t { throw std::runtime_error{"disk"}; };
        bool thrown = false;
        try {
            co_await c.send(std::move(q));
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
        client_request next{.target = "/v1/things/x"};
        EXPECT_EQ((co_await c.send(std::move(next)))->status, 200U);
    });
}

TEST(Http, StreamsAnAnswerToASink) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        std::size_t bytes = 0;
        client_request q{.target = "/v1/stream/50000"};
        q.sink = [&](std::string_view part) { bytes += part.size(); };
        const auto r = co_await c.send(std::move(q));
        EXPECT_TRUE(r) << r.error().why();
        EXPECT_EQ(r->header("transfer-encoding"), "chunked");
        EXPECT_EQ(bytes, 50'000'000U);
    });
}

TEST(Http, ACutAnswerIsNoAnswer) {
    run([](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        client_request q{.target = "/v1/cut"};
        const auto r = co_await c.send(std::move(q));
        EXPECT_FALSE(r);
        EXPECT_EQ(r.error().what(), base::fault::kind::unreachable);
    });
}

TEST(Http, LimitsTheWholeBody) {
    server_options small;
    small.whole_body = 1'000;
    run(
        [](server& s) -> asio::awaitable<void> {
            client c{co_await asio::this_coro::executor, to(s)};
            for (const std::size_t size : {1'000, 1'001}) {
                client_request q{.method = "POST", .target = "/v1/echo", .body = std::string(size, 'x')};
                const auto r = co_await c.send(std::move(q));
                EXPECT_TRUE(r) << r.error().why();
                EXPECT_EQ(r->status, size == 1'000 ? 200U : 422U);
            }
            const auto chunked = co_await talk(s, "POST /v1/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                                  "Transfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                                                      std::string(2'000, 'x') + "\r\n0\r\n\r\n");
            EXPECT_TRUE(chunked.starts_with("HTTP/1.1 422")) << chunked;
        },
        small);
}

TEST(Http, AnswersPipelinedRequestsInOrder) {
    run([](server& s) -> asio::awaitable<void> {
        std::string all;
        for (int i = 0; i < 50; ++i) {
            all += fmt::format("POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n{}\r\n{:04}",
                               i == 49 ? "Connection: close\r\n" : "", i);
        }
        const auto answer = co_await talk(s, std::move(all));
        EXPECT_EQ(count(answer, "HTTP/1.1 200 OK"), 50U);
        std::size_t at = 0;
        for (int i = 0; i < 50; ++i) {
            at = answer.find(fmt::format("\r\n\r\n{:04}", i), at);
            EXPECT_NE(at, answer.npos) << i;
        }
    });
}

TEST(Http, RefusesWhatIsNoRequest) {
    run([](server& s) -> asio::awaitable<void> {
        const auto nonsense = co_await talk(s, "what is this\r\n\r\n");
        EXPECT_TRUE(nonsense.starts_with("HTTP/1.1 400")) << nonsense;
        const auto length = co_await talk(s, "POST /v1/echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n");
        EXPECT_TRUE(length.starts_with("HTTP/1.1 400")) << length;
        const auto both =
            co_await talk(s, "POST /v1/echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
        EXPECT_TRUE(both.starts_with("HTTP/1.1 400")) << both;
        const auto huge = co_await talk(s, "GET /v1/things/x HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
        EXPECT_TRUE(huge.starts_with("HTTP/1.1 431")) << huge;
        const auto chunk = co_await talk(s, "POST /v1/echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        EXPECT_TRUE(chunk.starts_with("HTTP/1.1 400")) << chunk;
    });
}

// Beast takes a coding that it does not know for no body at all: the body would be read as the next request.
TEST(Http, ABodyOfAnotherCodingIsRefusedAndNothingBehindItIsRead) {
    run([](server& s) -> asio::awaitable<void> {
        for (const auto* coding :
             {"xchunked", "chunked, identity", "identity", "gzip, chunked", "chunked, chunked", "\"chunked\"",
              "chunked;q=1", ", chunked", "chunked\r\nTransfer-Encoding: identity"}) {
            const auto answer = co_await talk(s, fmt::format("POST /v1/echo HTTP/1.1\r\nTransfer-Encoding: {}\r\n\r\n"
                                                             "GET /v1/things/smuggled HTTP/1.1\r\n\r\n",
                                                             coding));
            EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << coding << "\n" << answer;
            EXPECT_EQ(count(answer, "Content-Length: "), 1U) << coding << "\n" << answer;
        }
        const auto good =
            co_await talk(s, "POST /v1/echo HTTP/1.1\r\nConnection: close\r\ntransfer-encoding: CHUNKED\r\n\r\n"
                             "2\r\nhi\r\n0\r\n\r\n");
        EXPECT_TRUE(good.starts_with("HTTP/1.1 200")) << good;
    });
}

TEST(Http, ASlowHeaderEndsTheConnection) {
    server_options hasty;
    hasty.header_timeout = milliseconds{100};
    run(
        [](server& s) -> asio::awaitable<void> {
            auto socket = co_await raw_connection(s);
            const auto start = std::chrono::steady_clock::now();
            boost::system::error_code gone;
            while (!gone && std::chrono::steady_clock::now() - start < patience) { // a byte at a time, for ever
                std::tie(gone, std::ignore) =
                    co_await asio::async_write(socket, asio::buffer("G", 1), asio::as_tuple(asio::use_awaitable));
                co_await runtime::sleep(milliseconds{10});
            }
            EXPECT_TRUE(gone);
        },
        hasty);
}

TEST(Http, AnIdleConnectionAndAStalledBodyEnd) {
    server_options hasty;
    hasty.idle_timeout = milliseconds{50};
    hasty.body_timeout = milliseconds{50};
    run(
        [](server& s) -> asio::awaitable<void> {
            EXPECT_EQ(co_await talk(s, ""), "");
            const auto stalled = co_await talk(s, "POST /v1/echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
            EXPECT_FALSE(stalled.starts_with("HTTP/1.1 200")) << stalled;
        },
        hasty);
}

TEST(Http, TooManyRequestsAtOnceAreToldSo) {
    server_options few;
    few.connections = 2;
    few.kept = 0;
    run(
        [](server& s) -> asio::awaitable<void> {
            auto first = co_await raw_connection(s);
            auto second = co_await raw_connection(s);
            for (auto* busy : {&first, &second}) {
                co_await asio::async_write(*busy, asio::buffer(std::string_view{"GET /v1/held HTTP/1.1\r\n\r\n"}),
                                           asio::use_awaitable);
            }
            while (held < 2) {
                co_await runtime::sleep(milliseconds{1});
            }
            auto third = co_await raw_connection(s);
            std::string answer;
            co_await asio::async_read(third, asio::dynamic_buffer(answer), asio::as_tuple(asio::use_awaitable));
            EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
            EXPECT_TRUE(json::read(answer.substr(answer.find("\r\n\r\n") + 4)));
            EXPECT_NE(answer.find(fmt::format("Content-Length: {}\r\n", answer.size() - answer.find("\r\n\r\n") - 4)),
                      answer.npos);
            held = 0;
        },
        few);
}

TEST(Http, WhoOnlyWaitsLocksNobodyOut) {
    server_options few;
    few.connections = 4;
    few.kept = 2;
    run(
        [](server& s) -> asio::awaitable<void> {
            auto known = co_await raw_connection(s);
            EXPECT_TRUE((co_await ask(known, "GET /v1/signed-in HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 200"));
            auto idle = co_await raw_connection(s);
            auto drips = co_await raw_connection(s);
            co_await asio::async_write(drips, asio::buffer("G", 1), asio::use_awaitable);
            auto newcomer = co_await raw_connection(s);
            EXPECT_TRUE((co_await ask(newcomer, "GET /v1/things/a HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 200"));
            EXPECT_TRUE(co_await is_closed(idle)) << "it waited longest";
            auto another = co_await raw_connection(s);
            EXPECT_TRUE((co_await ask(another, "GET /v1/things/b HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 200"));
            EXPECT_TRUE(co_await is_closed(drips)) << "it had no request either";
            EXPECT_TRUE((co_await ask(known, "GET /v1/things/c HTTP/1.1\r\n\r\n")).starts_with("HTTP/1.1 200"))
                << "its place is kept";
        },
        few);
}

// A stranger is told so before its body, and cannot hold the connection with it.
TEST(Http, ARefusalDoesNotWaitForTheBody) {
    run([](server& s) -> asio::awaitable<void> {
        const auto answer = co_await talk(s, "POST /v1/refuse HTTP/1.1\r\nContent-Length: 100000\r\n\r\na little");
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 403")) << answer;
        EXPECT_NE(answer.find("Connection: close"), answer.npos) << answer;
        const auto both =
            co_await talk(s, "POST /v1/refuse HTTP/1.1\r\nContent-Length: 5\r\n\r\nwholeGET /v1/things/x HTTP/1.1\r\n"
                             "Connection: close\r\n\r\n");
        EXPECT_EQ(count(both, "HTTP/1.1 200"), 1U) << both;
    });
}

TEST(Http, ABodyThatDripsEnds) {
    server_options hasty;
    hasty.body_timeout = milliseconds{100};
    hasty.body_pace = 10'000;
    run(
        [](server& s) -> asio::awaitable<void> {
            auto socket = co_await raw_connection(s);
            const std::string head = "POST /v1/count HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n";
            co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
            const auto start = std::chrono::steady_clock::now();
            boost::system::error_code gone;
            while (!gone && std::chrono::steady_clock::now() - start < patience) { // a byte at a time, for ever
                std::tie(gone, std::ignore) =
                    co_await asio::async_write(socket, asio::buffer("x", 1), asio::as_tuple(asio::use_awaitable));
                co_await runtime::sleep(milliseconds{10});
            }
            EXPECT_TRUE(gone);
        },
        hasty);
}

TEST(Http, StoppingLetsARequestFinishAndClosesIdleConnections) {
    run([](server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        auto idle = co_await raw_connection(s);
        client c{ex, to(s)};
        unsigned status = 0;
        runtime::gate g{ex};
        g.spawn("slow", [](client& c, unsigned& status) -> asio::awaitable<void> {
            client_request q{.target = "/v1/slow"};
            const auto r = co_await c.send(std::move(q));
            status = r ? r->status : 1;
            EXPECT_EQ(r->header("connection"), "close");
        }(c, status));
        co_await runtime::sleep(milliseconds{50});
        EXPECT_TRUE(co_await s.stop(patience));
        EXPECT_TRUE(co_await g.close(patience));
        EXPECT_EQ(status, 200U);
        char byte = 0;
        auto [gone, n] = co_await asio::async_read(idle, asio::buffer(&byte, 1), asio::as_tuple(asio::use_awaitable));
        EXPECT_TRUE(gone);
    });
}

TEST(Http, AClientFindsAServerThatClosedTheKeptConnection) {
    server_options hasty;
    hasty.idle_timeout = milliseconds{20 * support::slowness};
    run(
        [](server& s) -> asio::awaitable<void> {
            client c{co_await asio::this_coro::executor, to(s)};
            for (int i = 0; i < 3; ++i) {
                client_request q{.method = "POST", .target = "/v1/echo", .body = "x"};
                const auto r = co_await c.send(std::move(q));
                EXPECT_TRUE(r) << r.error().why();
                co_await runtime::sleep(milliseconds{60 * support::slowness});
            }
        },
        hasty);
}

TEST(Http, AnUnreachableServerIsNamed) {
    asio::io_context io;
    asio::co_spawn(
        io,
        []() -> asio::awaitable<void> {
            client_options options{.base = "http://127.0.0.1:1"};
            client c{co_await asio::this_coro::executor, options};
            client_request q{.target = "/"};
            const auto r = co_await c.send(std::move(q));
            EXPECT_EQ(r.error().what(), base::fault::kind::unreachable);
            EXPECT_NE(r.error().why().find("127.0.0.1:1"), std::string::npos);
        }(),
        [](std::exception_ptr e) { EXPECT_FALSE(e); });
    io.run();
}

TEST(Http, ServersThatSayTheyShareAPortDo) {
    server_options shared;
    shared.share_port = true;
    run(
        [](server& s) -> asio::awaitable<void> {
            const auto ex = co_await asio::this_coro::executor;
            const auto ask = [](server& one) -> asio::awaitable<void> {
                for (int i = 0; i < 20; ++i) { // on a connection of its own each time
                    EXPECT_TRUE(
                        (co_await talk(one, "GET /v1/things/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                            .starts_with("HTTP/1.1 200"));
                }
            };
            {
                server_options same{.port = s.port(), .share_port = true};
                server other{ex, same, test_routes()};
                runtime::gate serving{ex};
                serving.spawn("other", other.run());
                co_await ask(s);
                EXPECT_TRUE(co_await other.stop(patience));
                EXPECT_TRUE(co_await serving.close(patience));
            }
            co_await ask(s);
            server_options alone;
            alone.port = s.port();
            EXPECT_THROW((server{ex, alone, router{}}), std::runtime_error) << "it does not say so";
        },
        shared);
}

TEST(Http, ATakenPortIsNamed) {
    asio::io_context io;
    const server first{io.get_executor(), {}, router{}};
    server_options same;
    same.port = first.port();
    try {
        const server second{io.get_executor(), same, router{}};
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string{error.what()}.find(std::to_string(first.port())), std::string::npos);
    }
}

} // namespace
} // namespace semel::http
