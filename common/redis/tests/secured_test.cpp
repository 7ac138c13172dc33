// Redis as a managed one is: under TLS, with users whose ACL gives them no more than Semel needs.

#include <redis/client.hpp>
#include <redis/closing.hpp>
#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <support/certificates.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace semel::redis {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::uint16_t free_port() {
    asio::io_context io;
    asio::ip::tcp::acceptor probe{io, {asio::ip::address_v4::loopback(), 0}};
    return probe.local_endpoint().port();
}

std::string rights() {
    std::string line;
    std::getline(std::ifstream{"deploy/local/redis.rights"}, line);
    return line;
}

struct Secured : testing::Test {
    Secured() {
        const auto file = certificates_.folder() / "redis.conf";
        std::ofstream{file} << "port 0\ntls-port " << port_ << "\nbind 127.0.0.1\nsave \"\"\nappendonly yes\ndir "
                            << certificates_.folder().string() << "\ntls-cert-file " << certificates_.server().string()
                            << "\ntls-key-file " << certificates_.server_key().string() << "\ntls-ca-cert-file "
                            << certificates_.ca().string() << "\ntls-auth-clients optional\nuser default off\n"
                            << "user semel on >secret " << rights() << "\n"
                            << "user other on >secret2 +@all ~*\n";
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
            ::execlp("redis-server", "redis-server", file.c_str(), nullptr);
            ::_exit(127);
        }
        std::ofstream{certificates_.folder() / "password"} << "secret\n";
    }
    ~Secured() override {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    client_options options() const {
        return {.port = port_,
                .user = "semel",
                .password_file = certificates_.folder() / "password",
                .tls = true,
                .ca = certificates_.ca(),
                .server_name = "localhost",
                .reply_timeout = milliseconds{5'000}};
    }

    template <class Test>
    void run(Test test) {
        asio::io_context io;
        std::exception_ptr failure;
        bool finished = false;
        asio::co_spawn(io, test(*this), [&](std::exception_ptr e) {
            failure = e;
            finished = true;
        });
        io.run_for(std::chrono::seconds{40});
        if (failure) {
            std::rethrow_exception(failure);
        }
        EXPECT_TRUE(finished) << "the test did not end in time";
    }

    /// What the client says of its trouble once it has reached the server.
    static asio::awaitable<std::string> trouble(client& c) {
        while (c.trouble() == "not connected yet" || c.trouble().find("refused: ") != std::string::npos ||
               c.trouble().ends_with("Connection refused")) {
            co_await runtime::sleep(milliseconds{5});
        }
        co_return c.trouble();
    }

    support::certificates certificates_;
    std::uint16_t port_ = free_port();
    pid_t pid_ = 0;
};

TEST_F(Secured, ServesAUserWithNoMoreRightsThanItNeeds) {
    run([](Secured& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, s.options()};
        co_await c.connected();
        EXPECT_EQ(c.identity().run_id.size(), 40U);
        EXPECT_TRUE(co_await check_durability(c)) << "without CONFIG, which this user may not";
        EXPECT_TRUE(co_await c.unchanged());
        const script twice{"redis.call('SET', KEYS[1], ARGV[1]) return redis.call('TIME')"};
        const auto done = co_await c.eval(twice, {"k"}, {"v"});
        EXPECT_EQ(done->type, reply::kind::array) << done->text;
    });
}

TEST_F(Secured, CarriesWhatIsLargerThanARecordOfTls) {
    run([](Secured& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, s.options()};
        co_await c.connected();
        std::string value(3'000'000, 'x');
        value[1'234'567] = '\0';
        std::vector<std::string> set{"SET", "large", value};
        EXPECT_EQ((co_await c.command(std::move(set)))->type, reply::kind::status);
        std::vector<std::string> get{"GET", "large"};
        EXPECT_EQ((co_await c.command(std::move(get)))->text, value);
    });
}

TEST_F(Secured, SaysWhichKeyOfTheSettingsIsWrong) {
    run([](Secured& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        auto wrong_user = s.options();
        wrong_user.user = "nobody";
        client a{ex, wrong_user};
        EXPECT_THAT(co_await trouble(a), AllOf(HasSubstr("redis.user"), HasSubstr("nobody"), Not(HasSubstr("secret"))));
        auto no_password = s.options();
        no_password.password_file.clear();
        client b{ex, no_password};
        EXPECT_THAT(co_await trouble(b), HasSubstr("redis.password_file"));
        auto wrong_name = s.options();
        wrong_name.server_name = "redis.example.com";
        client c{ex, wrong_name};
        EXPECT_THAT(co_await trouble(c), AllOf(HasSubstr("redis.example.com"), HasSubstr("server_name")));
        auto unknown_authority = s.options();
        unknown_authority.ca.clear();
        client d{ex, unknown_authority};
        EXPECT_THAT(co_await trouble(d), AllOf(HasSubstr("was not accepted"), HasSubstr("check ca")));
        auto plain = s.options();
        plain.tls = false;
        plain.reply_timeout = milliseconds{500};
        client e{ex, plain};
        EXPECT_THAT(co_await trouble(e), Not(HasSubstr("secret")));
        EXPECT_EQ(e.generation(), 0U);
    });
}

TEST_F(Secured, ReadsThePasswordAnewForEachConnection) {
    run([](Secured& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        client c{ex, s.options()};
        co_await c.connected();
        auto of_other = s.options();
        of_other.user = "other";
        of_other.password_file = s.certificates_.folder() / "other";
        std::ofstream{of_other.password_file} << "secret2";
        client other{ex, of_other};
        co_await other.connected();
        std::vector<std::string> set{"ACL", "SETUSER", "semel", "resetpass", ">newer"};
        EXPECT_FALSE((co_await other.command(std::move(set)))->is_error());
        std::ofstream{s.certificates_.folder() / "password"} << "newer";
        std::vector<std::string> kill{"CLIENT", "KILL", "USER", "semel"};
        EXPECT_EQ((co_await other.command(std::move(kill)))->integer, 1);
        while (c.generation() < 2) {
            co_await runtime::sleep(milliseconds{5});
        }
        EXPECT_TRUE(co_await c.unchanged());
    });
}

TEST_F(Secured, AnOrderlyEndThatIsForbiddenSaysSoAndLeavesNoNote) {
    run([](Secured& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        client c{ex, s.options()};
        co_await c.connected();
        const auto closed = co_await close_in_order(c);
        EXPECT_FALSE(closed);
        EXPECT_THAT(closed.error().why(), HasSubstr("Redis refuses the note of its orderly end"));
        client after{ex, s.options()};
        co_await after.connected();
        std::vector<std::string> notes{"LRANGE", std::string{closings_key}, "0", "-1"};
        EXPECT_TRUE((co_await after.command(std::move(notes)))->array.empty());
    });
}

} // namespace
} // namespace semel::redis
