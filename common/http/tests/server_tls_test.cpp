#include <http/client.hpp>
#include <http/server.hpp>
#include <runtime/race.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/certificates.hpp>

#include <fstream>

namespace semel::http {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::HasSubstr;

router routes() {
    router out;
    out.add("POST", "/echo", [](request& r) -> asio::awaitable<response> {
        auto body = co_await r.body();
        response answer{.status = body ? 200U : 400U};
        answer.body = body ? *std::move(body) : body.error().why();
        co_return answer;
    });
    out.add("GET", "/stream", [](request&) -> asio::awaitable<response> {
        response answer;
        answer.stream = [](body_writer& to) -> asio::awaitable<base::result<void>> {
            for (int i = 0; i < 100; ++i) {
                if (auto written = co_await to.write(std::string(10'000, 'x')); !written) {
                    co_return written;
                }
            }
            co_return base::result<void>{};
        };
        co_return answer;
    });
    return out;
}

struct ServerTls : testing::Test {
    server_options listening() const {
        return {.certificate = certificates_.server(), .key = certificates_.server_key(), .header_timeout = 500ms};
    }
    static client_options asking(const server& s, const fs::path& ca) {
        return {.base = fmt::format("https://localhost:{}", s.port()), .ca = ca};
    }
    /// The test's coroutine, with a server that runs beside it.
    template <class Test>
    void run(Test test) {
        asio::io_context io;
        std::exception_ptr failure;
        bool finished = false;
        asio::co_spawn(
            io,
            [](ServerTls& self, Test test) -> asio::awaitable<void> {
                server s{co_await asio::this_coro::executor, self.listening(), routes()};
                co_await runtime::race(test(self, s), s.run());
                EXPECT_TRUE(co_await s.stop(5s));
            }(*this, test),
            [&](std::exception_ptr e) {
                failure = e;
                finished = true;
            });
        io.run_for(40s);
        if (failure) {
            std::rethrow_exception(failure);
        }
        EXPECT_TRUE(finished) << "the test did not end in time";
    }
    static asio::awaitable<base::result<client_response>> echo(client& c, std::string body) {
        client_request asked;
        asked.method = "POST";
        asked.target = "/echo";
        asked.body = std::move(body);
        co_return co_await c.send(std::move(asked));
    }

    support::certificates certificates_;
};

TEST_F(ServerTls, AnswersAsItDoesInTheClear) {
    run([](ServerTls& self, server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, asking(s, self.certificates_.ca())};
        const std::string large(3'000'000, 'y');
        for (int i = 0; i < 2; ++i) { // the second on the kept connection
            const auto back = co_await echo(c, large);
            if (!back) {
                ADD_FAILURE() << back.error().why();
                co_return;
            }
            EXPECT_EQ(back->status, 200U);
            EXPECT_EQ(back->body, large);
        }
        client_request streamed;
        streamed.target = "/stream";
        const auto all = co_await c.send(std::move(streamed));
        EXPECT_TRUE(all) << all.error().why();
        EXPECT_EQ(all->body.size(), 1'000'000U);
    });
}

TEST_F(ServerTls, IsOnlyBelievedByWhoKnowsItsAuthority) {
    run([](ServerTls& self, server& s) -> asio::awaitable<void> {
        client stranger{co_await asio::this_coro::executor, asking(s, {})};
        const auto refused = co_await echo(stranger, "x");
        EXPECT_FALSE(refused);
        EXPECT_THAT(refused.error().why(), HasSubstr("certificate"));
        auto plainly = asking(s, {});
        plainly.base = fmt::format("http://localhost:{}", s.port());
        client plain{co_await asio::this_coro::executor, plainly};
        EXPECT_FALSE(co_await echo(plain, "x"));
        client known{co_await asio::this_coro::executor, asking(s, self.certificates_.ca())};
        EXPECT_TRUE(co_await echo(known, "x"));
    });
}

TEST_F(ServerTls, ShowsTheNewCertificateOnceItsFilesAreReplaced) {
    run([](ServerTls& self, server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        const auto old_ca = self.certificates_.folder() / "old-ca.pem";
        fs::copy_file(self.certificates_.ca(), old_ca);
        client before{ex, asking(s, old_ca)};
        EXPECT_TRUE(co_await echo(before, "x"));
        self.certificates_.renew();
        EXPECT_TRUE(co_await echo(before, "x")) << "a connection that stands goes on";
        client renewed{ex, asking(s, self.certificates_.ca())};
        const auto answered = co_await echo(renewed, "x");
        EXPECT_TRUE(answered) << answered.error().why();
        client too_old{ex, asking(s, old_ca)};
        EXPECT_FALSE(co_await echo(too_old, "x"));
    });
}

TEST_F(ServerTls, KeepsWhatItHasWhileTheNewFilesDoNotFitTogether) {
    run([](ServerTls& self, server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        std::ofstream{self.certificates_.server_key()} << "half a key";
        client c{ex, asking(s, self.certificates_.ca())};
        const auto answered = co_await echo(c, "x");
        EXPECT_TRUE(answered) << answered.error().why();
    });
}

TEST_F(ServerTls, WhoDoesNotShakeHandsIsSentAway) {
    run([](ServerTls&, server& s) -> asio::awaitable<void> {
        asio::ip::tcp::socket silent{co_await asio::this_coro::executor};
        co_await silent.async_connect({asio::ip::address_v4::loopback(), s.port()}, asio::use_awaitable);
        char c = 0;
        const auto [ended, n] =
            co_await silent.async_read_some(asio::buffer(&c, 1), asio::as_tuple(asio::use_awaitable));
        EXPECT_TRUE(ended);
    });
}

TEST_F(ServerTls, DoesNotStartWithoutItsCertificate) {
    asio::io_context io;
    auto options = listening();
    options.certificate = "/nonexistent/api.pem";
    try {
        const server s{io.get_executor(), options, routes()};
        FAIL() << "it started";
    } catch (const std::exception& e) {
        EXPECT_THAT(e.what(), HasSubstr("/nonexistent/api.pem"));
    }
}

} // namespace
} // namespace semel::http
