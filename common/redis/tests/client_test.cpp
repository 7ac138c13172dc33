#include <redis/client.hpp>
#include <redis/refusal.hpp>
#include <runtime/gate.hpp>
#include <runtime/race.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/slowness.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace semel::redis {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using base::fault;
using std::chrono::milliseconds;
constexpr milliseconds patience = std::chrono::seconds{20};

std::uint16_t free_port() {
    asio::io_context io;
    asio::ip::tcp::acceptor probe{io, {asio::ip::address_v4::loopback(), 0}};
    return probe.local_endpoint().port();
}

/// A redis-server of one test: its own port, its own data.
class server {
  public:
    explicit server(std::vector<std::string> settings = {})
        : settings_(std::move(settings))
        , port_(free_port()) {
        std::string pattern = (fs::temp_directory_path() / "semel-redis-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error{"no temporary folder"};
        }
        dir_ = pattern;
        start();
    }
    server(const server&) = delete;
    server& operator=(const server&) = delete;
    ~server() {
        stop();
        fs::remove_all(dir_);
    }

    void start() {
        std::vector<std::string> args{
            "redis-server", "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", dir_, "--save", ""};
        args.insert(args.end(), settings_.begin(), settings_.end());
        std::vector<char*> argv;
        for (auto& a : args) {
            argv.push_back(a.data());
        }
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            const int null = ::open("/dev/null", O_WRONLY);
            ::dup2(null, STDOUT_FILENO);
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
    }
    void stop() {
        if (pid_ > 0) {
            signal(SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }
    void signal(int what) const { ::kill(pid_, what); }
    std::uint16_t port() const { return port_; }

  private:
    std::vector<std::string> settings_;
    std::uint16_t port_;
    std::string dir_;
    pid_t pid_ = 0;
};

using test_body = asio::awaitable<void> (*)(server&);

void run(server& s, test_body body) {
    asio::io_context io;
    std::exception_ptr failure;
    bool finished = false;
    asio::co_spawn(io, body(s), [&](std::exception_ptr e) {
        failure = e;
        finished = true;
    });
    io.run_for(patience * 2);
    if (failure) {
        std::rethrow_exception(failure);
    }
    EXPECT_TRUE(finished) << "the test did not end in time";
}

client_options to(const server& s) {
    return {.host = "127.0.0.1", .port = s.port(), .password = {}, .reply_timeout = milliseconds{2'000}};
}

asio::awaitable<base::result<reply>> ask(client& c, std::vector<std::string> words) {
    co_return co_await c.command(std::move(words));
}

/// Reaches the connection after `generation`.
asio::awaitable<void> reconnected(client& c, std::uint64_t generation) {
    while (c.generation() <= generation) {
        co_await runtime::sleep(milliseconds{2});
        co_await c.connected();
    }
}

TEST(Client, AnswersEveryKindOfReply) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        EXPECT_EQ(c.generation(), 1U);
        EXPECT_EQ(c.identity().run_id.size(), 40U);
        EXPECT_EQ(c.identity().master_replid.size(), 40U);
        const std::string binary{"a\0b\r\n", 5};
        EXPECT_EQ((co_await ask(c, {"SET", "k", binary}))->type, reply::kind::status);
        EXPECT_EQ((co_await ask(c, {"GET", "k"}))->text, binary);
        EXPECT_EQ((co_await ask(c, {"GET", "none"}))->type, reply::kind::nil);
        EXPECT_EQ((co_await ask(c, {"INCR", "n"}))->integer, 1);
        const auto list = co_await ask(c, {"MGET", "k", "none"});
        EXPECT_EQ(list->array.size(), 2U);
        const auto wrong = co_await ask(c, {"INCR", "k"});
        EXPECT_TRUE(wrong->is_error());
        EXPECT_EQ(wrong->error_code(), "ERR");
    });
}

TEST(Client, PipelinesConcurrentCommandsInCallOrder) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        client c{ex, to(s)};
        co_await c.connected();
        constexpr int n = 200'000 / support::slowness;
        int next = 1;
        runtime::gate workers{ex};
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 1'000; ++i) {
            workers.spawn("worker", [](client& c, int& next) -> asio::awaitable<void> {
                for (int k = 0; k < n / 1'000; ++k) {
                    const auto answer = co_await ask(c, {"INCR", "n"});
                    EXPECT_EQ(answer->integer, next++);
                }
            }(c, next));
        }
        EXPECT_TRUE(co_await workers.close(patience));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        EXPECT_EQ(next, n + 1);
        fmt::print("{:.0f} commands/s\n", n / took.count());
    });
}

TEST(Client, LoadsAScriptThatTheServerForgot) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        static const script add{"return redis.call('INCRBY', KEYS[1], ARGV[1])"};
        EXPECT_EQ(add.sha1().size(), 40U);
        client c{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        for (int expected : {5, 10}) {
            std::vector<std::string> keys{"n"};
            std::vector<std::string> args{"5"};
            EXPECT_EQ((co_await c.eval(add, std::move(keys), std::move(args)))->integer, expected);
            co_await ask(c, {"SCRIPT", "FLUSH"});
        }
    });
}

TEST(Client, SaysWhatAScriptComplains) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        static const script stale{"return redis.error_reply('STALE another owner')"};
        static const script broken{"this is not Lua"};
        client c{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        EXPECT_EQ((co_await c.eval(stale, {}, {}))->error_code(), "STALE");
        EXPECT_TRUE((co_await c.eval(broken, {}, {}))->is_error());
    });
}

TEST(Client, ComesBackAfterAKillWithAnotherIdentity) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        const auto before = c.identity();
        s.stop();
        const auto lost = co_await ask(c, {"PING"});
        EXPECT_FALSE(lost);
        EXPECT_EQ(lost.error().what(), fault::kind::unreachable);
        s.start();
        co_await reconnected(c, 1);
        EXPECT_EQ(c.generation(), 2U);
        EXPECT_NE(c.identity(), before);
        EXPECT_EQ((co_await ask(c, {"PING"}))->text, "PONG");
    });
}

TEST(Client, AKillWhileCommandsAreOutAnswersThemAll) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        client c{ex, to(s)};
        co_await c.connected();
        s.signal(SIGSTOP); // so that they are out
        int lost = 0;
        runtime::gate out{ex};
        for (int i = 0; i < 100; ++i) {
            out.spawn("out", [](client& c, int& lost) -> asio::awaitable<void> {
                const auto answer = co_await ask(c, {"INCR", "n"});
                lost += !answer && answer.error().what() == fault::kind::unreachable ? 1 : 0;
            }(c, lost));
        }
        co_await runtime::sleep(milliseconds{10});
        s.stop();
        EXPECT_TRUE(co_await out.close(patience));
        EXPECT_EQ(lost, 100);
    });
}

TEST(Client, AStoppedServerRunsIntoTheReplyTimeout) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        auto options = to(s);
        options.reply_timeout = milliseconds{100};
        client c{co_await asio::this_coro::executor, options};
        co_await c.connected();
        s.signal(SIGSTOP);
        const auto answer = co_await ask(c, {"PING"});
        EXPECT_FALSE(answer);
        EXPECT_EQ(answer.error().what(), fault::kind::unreachable);
        EXPECT_NE(answer.error().why().find("no reply within 100 ms"), std::string::npos) << answer.error().why();
        s.signal(SIGCONT);
        co_await reconnected(c, 1);
        EXPECT_EQ((co_await ask(c, {"PING"}))->text, "PONG");
    });
}

TEST(Client, RefusedConnectionIsAnAnswerAndNotAWait) {
    server s;
    s.stop();
    run(s, [](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        const auto answer = co_await ask(c, {"PING"});
        EXPECT_EQ(answer.error().what(), fault::kind::unreachable);
        while (c.trouble() == "not connected yet") {
            co_await runtime::sleep(milliseconds{1});
        }
        EXPECT_NE(c.trouble().find("refused"), std::string::npos) << c.trouble();
        EXPECT_EQ(c.generation(), 0U);
        s.start();
        co_await c.connected();
        EXPECT_EQ((co_await ask(c, {"PING"}))->text, "PONG");
    });
}

TEST(Client, AWrongPasswordIsNamed) {
    server s{{"--requirepass", "right"}};
    run(s, [](server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        auto options = to(s);
        options.password = "wrong";
        client c{ex, options};
        while (c.trouble().find("password") == std::string::npos) {
            co_await runtime::sleep(milliseconds{1});
        }
        EXPECT_EQ(c.trouble().find("wrong"), std::string::npos);
        options.password = "right";
        client good{ex, options};
        co_await good.connected();
        EXPECT_EQ((co_await ask(good, {"PING"}))->text, "PONG");
    });
}

TEST(Client, ResolvesNames) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        auto options = to(s);
        options.host = "localhost"; // possibly ::1 first, where nobody listens
        client c{co_await asio::this_coro::executor, options};
        co_await c.connected();
        EXPECT_EQ((co_await ask(c, {"PING"}))->text, "PONG");
    });
}

TEST(Client, DestroyedWhileCommandsAreOutItAnswersThem) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        std::optional<client> c{std::in_place, ex, to(s)};
        co_await c->connected();
        s.signal(SIGSTOP);
        runtime::gate out{ex};
        std::optional<fault::kind> kind;
        out.spawn("out", [](client& c, std::optional<fault::kind>& kind) -> asio::awaitable<void> {
            const auto answer = co_await ask(c, {"PING"});
            if (!answer) {
                kind = answer.error().what();
            }
        }(*c, kind));
        co_await runtime::sleep(milliseconds{5});
        c.reset();
        EXPECT_TRUE(co_await out.close(patience));
        EXPECT_EQ(kind, fault::kind::stopping);
    });
}

TEST(Client, ACancelledWaitLeavesTheOrderOfRepliesWhole) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        client c{ex, to(s)};
        co_await c.connected();
        s.signal(SIGSTOP);
        runtime::gate out{ex};
        bool whole = false;
        auto impatient = [](client& c) -> asio::awaitable<void> { co_await ask(c, {"ECHO", "given up"}); }(c);
        auto soon = [](runtime::gate& out, client& c, bool& whole) -> asio::awaitable<void> {
            out.spawn("patient", [](client& c, bool& whole) -> asio::awaitable<void> {
                whole = (co_await ask(c, {"ECHO", "kept"}))->text == "kept";
            }(c, whole));
            co_await runtime::sleep(milliseconds{5});
        }(out, c, whole);
        co_await runtime::race(std::move(impatient), std::move(soon));
        s.signal(SIGCONT);
        EXPECT_TRUE(co_await out.close(patience));
        EXPECT_TRUE(whole);
    });
}

/// How many the server has accepted since it started.
asio::awaitable<int> connections_so_far(client& c) {
    const auto info = co_await ask(c, {"INFO", "stats"});
    const std::string_view name = "total_connections_received:";
    co_return std::stoi(info->text.substr(info->text.find(name) + name.size()));
}

/// Until the client says why it has no connection.
asio::awaitable<std::string> in_trouble(client& c) {
    for (int i = 0; c.trouble().empty() && i < 5'000; ++i) {
        co_await runtime::sleep(milliseconds{2});
    }
    co_return c.trouble();
}

TEST(Client, AServerWhoseMemoryIsFullIsNoConnectionUntilAWriteSucceeds) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        client other{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        co_await other.connected();
        const auto before = c.generation();
        std::ignore = co_await ask(other, {"CONFIG", "SET", "maxmemory", "1"});
        const auto refused = co_await ask(c, {"SET", "k", "v"});
        EXPECT_EQ(refused->error_code(), "OOM");
        EXPECT_NE((co_await in_trouble(c)).find("maxmemory"), std::string::npos) << c.trouble();
        EXPECT_FALSE((co_await ask(c, {"GET", "k"})).has_value()) << "a loss, for everything";
        const auto tries = co_await connections_so_far(other);
        while (co_await connections_so_far(other) < tries + 3) { // it tries again and again
            co_await runtime::sleep(milliseconds{5});
        }
        EXPECT_EQ(c.generation(), before) << "it came up although no write would succeed";
        std::ignore = co_await ask(other, {"CONFIG", "SET", "maxmemory", "0"});
        co_await c.connected();
        EXPECT_EQ(c.generation(), before + 1);
        EXPECT_FALSE((co_await ask(c, {"SET", "k", "v"}))->is_error());
    });
}

TEST(Client, AScriptThatIsRefusedIsALossToo) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        client other{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        co_await other.connected();
        static const script put{"return redis.call('SET', KEYS[1], ARGV[1])"};
        std::ignore = co_await ask(other, {"CONFIG", "SET", "maxmemory", "1"});
        std::vector<std::string> keys{"k"};
        std::vector<std::string> args{"v"};
        std::ignore = co_await c.eval(put, std::move(keys), std::move(args));
        EXPECT_FALSE(c.trouble().empty());
    });
}

// Demoted, filled with another master's data and promoted, while the connection stands: its claims are not the ones
// that were made there.
TEST(Client, AMasterThatTookOthersDataMeanwhileIsGreetedAnew) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        server copy{{"--repl-diskless-sync-delay", "0"}};
        const auto executor = co_await asio::this_coro::executor;
        client c{executor, to(s)};
        client admin{executor, to(s)};
        client source{executor, to(copy)};
        co_await c.connected();
        co_await admin.connected();
        co_await source.connected();
        EXPECT_TRUE(co_await c.unchanged());
        const auto before = c.identity();
        const auto generation = c.generation();
        std::ignore = co_await ask(source, {"SET", "of", "the other"});
        std::ignore = co_await ask(admin, {"REPLICAOF", "127.0.0.1", std::to_string(copy.port())});
        std::ignore = co_await in_trouble(c); // it hears of the demotion by itself
        EXPECT_FALSE(c.trouble().empty());
        std::ignore = co_await in_trouble(admin);
        const auto line = fmt::format("redis-cli -p {} ", s.port());
        for (bool synced = false; !synced; co_await runtime::sleep(milliseconds{20})) {
            synced = std::system((line + "get of | grep -q other").c_str()) == 0; // NOLINT(concurrency-mt-unsafe)
        }
        std::ignore = std::system((line + "replicaof no one > /dev/null").c_str()); // NOLINT(concurrency-mt-unsafe)
        co_await reconnected(c, generation);
        EXPECT_EQ(c.identity().run_id, before.run_id);
        EXPECT_NE(c.identity().master_replid, before.master_replid);
        EXPECT_TRUE(co_await c.unchanged());
    });
}

TEST(Refusal, NamesWhatToDoAndLeavesOtherErrorsAlone) {
    for (const auto* code : {"READONLY", "OOM", "MISCONF", "BUSY", "LOADING", "NOAUTH", "NOREPLICAS", "CLUSTERDOWN",
                             "MOVED", "MASTERDOWN"}) {
        const auto why = refusal(fmt::format("{} something or other", code));
        ASSERT_TRUE(why) << code;
        EXPECT_NE(why->find(code), std::string::npos);
    }
    EXPECT_FALSE(refusal("STALE another head stands here"));
    EXPECT_FALSE(refusal("ERR OOM is the second word"));
}

TEST(Durability, RefusesAServerThatMayForget) {
    server s;
    run(s, [](server& s) -> asio::awaitable<void> {
        client c{co_await asio::this_coro::executor, to(s)};
        co_await c.connected();
        auto verdict = co_await check_durability(c);
        EXPECT_FALSE(verdict);
        EXPECT_NE(verdict.error().why().find("appendonly"), std::string::npos);
        co_await ask(c, {"CONFIG", "SET", "appendonly", "yes"});
        co_await ask(c, {"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
        verdict = co_await check_durability(c);
        EXPECT_NE(verdict.error().why().find("maxmemory-policy"), std::string::npos);
        co_await ask(c, {"CONFIG", "SET", "maxmemory-policy", "noeviction"});
        EXPECT_TRUE(co_await check_durability(c));
        co_await ask(c, {"ACL", "SETUSER", "default", "-config"});
        EXPECT_TRUE(co_await check_durability(c)) << "managed servers forbid CONFIG";
    });
}

} // namespace
} // namespace semel::redis
