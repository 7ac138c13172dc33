// The local stack with real Kafka, Redis and PostgreSQL, and services that do nothing.

#include <kafka/admin.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cli/stack/machine.hpp>
#include <cli/stack/plan.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <simdjson.h>
#include <support/slowness.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include <pqxx/pqxx>

namespace semel::cli::stack {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class LocalStack : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        std::string name = (std::filesystem::temp_directory_path() / "semel-stack-XXXXXX").string();
        home = ::mkdtemp(name.data()); // closed to others, as /root is: PostgreSQL is another user there
        at = *folders_at(home / ".semel");
        base = free_base();
    }
    static void TearDownTestSuite() {
        semel({"down"});
        std::filesystem::remove_all(home);
    }

    static std::uint16_t free_base() {
        std::mt19937 random{std::random_device{}()};
        while (true) {
            const auto candidate = static_cast<std::uint16_t>(20'000 + random() % 500 * 20);
            bool free = true;
            for (std::uint16_t i = 0; i < 20; ++i) {
                free = free && port_is_free(static_cast<std::uint16_t>(candidate + i));
            }
            if (free) {
                return candidate;
            }
        }
    }
    static ran semel(std::vector<std::string> words) {
        words.insert(words.begin(), SEMEL_STACK_BINARY);
        words.insert(words.begin() + 2, {"--dir", at.root.string()});
        return run(words);
    }
    static ran up() { return semel({"up", "--port-base", std::to_string(base)}); }

    struct row {
        std::optional<pid_t> pid;
        bool ready = false;
    };
    static std::map<std::string, row> ps() {
        const auto out = semel({"ps", "--json"});
        EXPECT_EQ(out.exit_code, 0) << out.output;
        simdjson::dom::parser parser;
        std::map<std::string, row> rows;
        for (auto entry : parser.parse(out.output).get_array()) {
            row r{.pid = std::nullopt, .ready = entry["ready"]};
            if (!entry["pid"].is_null()) {
                r.pid = static_cast<pid_t>(std::int64_t{entry["pid"]});
                EXPECT_GE(std::int64_t{entry["uptime_s"]}, 0);
            }
            rows.emplace(std::string{std::string_view{entry["service"]}}, r);
        }
        return rows;
    }

    static inline path home;
    static inline folders at;
    static inline std::uint16_t base = 0;
};

// `semel up` reads the count while deploy/local/run raises it; one that reads 0 takes a day's starts for this minute's.
TEST(Starts, AreNeverSeenToBeFewer) {
    std::string name = (std::filesystem::temp_directory_path() / "semel-starts-XXXXXX").string();
    const auto dir = folders{::mkdtemp(name.data())};
    for (const auto& folder : {dir.run(), dir.log(), dir.config()}) {
        std::filesystem::create_directory(folder);
    }
    constexpr unsigned starts = 60;
    std::atomic<bool> all_started = false;
    unsigned seen = 0, fewer = 0;
    std::jthread reader{[&] {
        do {
            const auto now = starts_of(dir, "email");
            fewer += now < seen ? 1 : 0;
            seen = now;
        } while (!all_started);
    }};
    const auto script = (find_programs()->deploy / "local/run").string();
    for (unsigned i = 0; i < starts; ++i) {
        EXPECT_EQ(run({script, "email", dir.root.string(), "/bin/true"}).exit_code, 0);
        std::filesystem::remove(dir.run() / ".email.started"); // or it would wait for the rest of a second
    }
    all_started = true;
    reader.join();
    EXPECT_EQ(fewer, 0U);
    EXPECT_EQ(starts_of(dir, "email"), starts);
    std::filesystem::remove_all(dir.root);
}

TEST_F(LocalStack, NamesThePortThatIsInUse) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor other{
        io, {boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(base + 2)}}; // Redis'
    const auto out = up();
    EXPECT_EQ(out.exit_code, 1);
    EXPECT_THAT(out.output,
                HasSubstr("port " + std::to_string(base + 2) + " is in use, and redis wants it (redis.address)"));
    EXPECT_FALSE(socket_answers(at.socket()));
}

TEST_F(LocalStack, StartsEverythingAndIsDoneWhenItIsReady) {
    const auto out = up();
    ASSERT_EQ(out.exit_code, 0) << out.output;
    const auto rows = ps();
    EXPECT_EQ(rows.size(), backing_names.size() + service_names.size());
    for (const auto& [name, row] : rows) {
        EXPECT_TRUE(row.ready) << name;
        ASSERT_TRUE(row.pid) << name;
        EXPECT_EQ(::kill(*row.pid, 0), 0) << name;
        EXPECT_TRUE(std::filesystem::exists(at.log() / (name + ".log"))) << name;
    }
}

TEST_F(LocalStack, GivesEachServiceARoleOfItsOwn) {
    ASSERT_EQ(up().exit_code, 0);
    const auto settings = config::load(at.settings());
    ASSERT_TRUE(settings) << settings.error().why();
    for (const std::string service : {"api", "ledger", "receipts"}) {
        pqxx::connection connection{config::postgres_dsn_of(*settings, service)};
        pqxx::work tx{connection};
        EXPECT_EQ(tx.exec1("SELECT current_user")[0].as<std::string>(), "semel_" + service);
        EXPECT_THROW(tx.exec("DELETE FROM ledger.events"), pqxx::insufficient_privilege) << service;
    }
}

TEST_F(LocalStack, HasTopicsAndFirstOffsets) {
    ASSERT_EQ(up().exit_code, 0);
    kafka::admin admin{"127.0.0.1:" + std::to_string(base)};
    const auto lag = admin.group_lag("email", "dispatch.email");
    ASSERT_TRUE(lag) << lag.error().why();
    EXPECT_EQ(lag->size(), 8U);
    for (const auto& partition : *lag) {
        EXPECT_EQ(partition.committed, 0);
    }
}

TEST_F(LocalStack, KeepsItsSecretsToItself) {
    ASSERT_EQ(up().exit_code, 0);
    for (const auto* secret : {"kek", "verp.key", "apns.p8", "fcm.json", "tokens/operator", "tokens/approver",
                               "tokens/auditor", "postgres.pass", "server.key", "smpp.password"}) {
        const auto mode = std::filesystem::status(at.config() / secret).permissions();
        EXPECT_EQ(mode, std::filesystem::perms{0600}) << secret;
    }
    EXPECT_EQ(read_file(at.config() / "kek")->find_first_not_of("0123456789abcdef"), 64U);
}

TEST_F(LocalStack, DoesNotWaitForWhatEndsAgainAndAgain) {
    EXPECT_EQ(semel({"down"}).exit_code, 0);
    const auto planted = at.config() / "plan.env"; // deploy/local/run reads it in its shell
    ASSERT_TRUE(write_file(planted, "echo 'no luck today'; exit 1\n"));
    const auto out = up();
    std::filesystem::remove(planted);
    EXPECT_EQ(out.exit_code, 3);
    EXPECT_THAT(out.output, AllOf(HasSubstr("it ends again and again:\n  plan "), HasSubstr("no luck today"),
                                  Not(HasSubstr("not ready after"))));
    ASSERT_EQ(up().exit_code, 0) << "once it can start";
}

TEST_F(LocalStack, IsLeftAloneByASecondUp) {
    ASSERT_EQ(up().exit_code, 0);
    const auto before = ps();
    const auto out = up();
    EXPECT_EQ(out.exit_code, 0);
    EXPECT_THAT(out.output, HasSubstr("already running"));
    for (const auto& [name, row] : ps()) {
        EXPECT_EQ(row.pid, before.at(name).pid) << name;
    }
}

TEST_F(LocalStack, RestartsWhatDiesWithinASecond) {
    ASSERT_EQ(up().exit_code, 0);
    for (const auto* victim : {"email", "redis", "postgres", "kafka"}) {
        const auto before = pid_of(at, victim);
        ASSERT_TRUE(before) << victim;
        ASSERT_EQ(::kill(*before, SIGKILL), 0);
        EXPECT_TRUE(wait_for(1s * support::slowness, [&] {
            const auto now = pid_of(at, victim);
            return now && now != before;
        })) << victim;
        EXPECT_TRUE(wait_for(30s, [&] { return ps().at(victim).ready; })) << victim;
    }
}

TEST_F(LocalStack, ScalesWithoutTouchingTheOthers) {
    ASSERT_EQ(up().exit_code, 0);
    const auto before = ps();
    ASSERT_EQ(semel({"scale", "email", "3"}).exit_code, 0);
    auto rows = ps();
    EXPECT_TRUE(rows.at("email-2").ready);
    EXPECT_TRUE(rows.at("email-3").ready);
    for (const auto& [name, row] : before) {
        EXPECT_EQ(row.pid, rows.at(name).pid) << name;
    }
    const auto third = *rows.at("email-3").pid;
    ASSERT_EQ(semel({"scale", "email", "1"}).exit_code, 0);
    EXPECT_NE(::kill(third, 0), 0);
    EXPECT_EQ(ps().size(), before.size());
    const auto hangs = *before.at("sms").pid; // it must not keep another service from being scaled
    ASSERT_EQ(::kill(hangs, SIGSTOP), 0);
    EXPECT_EQ(semel({"scale", "email", "2"}).exit_code, 0);
    ASSERT_EQ(::kill(hangs, SIGCONT), 0);
    ASSERT_EQ(semel({"scale", "api", "2"}).exit_code, 0);
    EXPECT_TRUE(ps().at("api-2").ready);
    EXPECT_NE(semel({"scale", "mail", "2"}).exit_code, 0);
}

TEST_F(LocalStack, StopsCompletelyAndStartsAgain) {
    ASSERT_EQ(up().exit_code, 0);
    const auto rows = ps();
    ASSERT_EQ(semel({"down"}).exit_code, 0);
    for (const auto& [name, row] : rows) {
        EXPECT_FALSE(row.pid && pid_of(at, name)) << name;
    }
    EXPECT_FALSE(socket_answers(at.socket()));
    EXPECT_THAT(semel({"down"}).output, HasSubstr("nothing runs"));
    for (const auto& [name, row] : ps()) {
        EXPECT_FALSE(row.ready) << name;
    }
    EXPECT_EQ(up().exit_code, 0);
    // What the servers wrote is still theirs.
    EXPECT_TRUE(kafka::admin{"127.0.0.1:" + std::to_string(base)}.partitions("audience"));
}

TEST_F(LocalStack, EndsProcessesThatLostTheirSupervisor) {
    ASSERT_EQ(up().exit_code, 0);
    const auto supervisor = pid_of(at, "supervisord");
    ASSERT_TRUE(supervisor);
    const auto email = pid_of(at, "email");
    ASSERT_TRUE(email);
    ASSERT_EQ(::kill(*supervisor, SIGKILL), 0);
    ASSERT_TRUE(wait_for(5s, [&] { return !socket_answers(at.socket()); }));
    const auto refused = up();
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.output, AllOf(HasSubstr("of a former start"), HasSubstr("semel down")));
    ASSERT_EQ(semel({"down"}).exit_code, 0);
    EXPECT_TRUE(wait_for(5s, [&] { return ::kill(*email, 0) != 0; }));
    EXPECT_EQ(up().exit_code, 0);
}

TEST_F(LocalStack, RunsItsServicesAsTheUserThatItIsTold) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can become another";
    }
    ASSERT_EQ(semel({"down"}).exit_code, 0);
    const auto settings = *read_file(at.settings());
    ASSERT_TRUE(write_file(at.settings(), settings + "run_as: nobody\n"));
    const auto closed = up();
    EXPECT_EQ(closed.exit_code, 1);
    EXPECT_THAT(closed.output, HasSubstr("the user nobody (run_as) cannot reach"));

    std::filesystem::permissions(home, std::filesystem::perms{0711});
    const auto out = up();
    ASSERT_EQ(out.exit_code, 0) << out.output;
    const auto uids = [](pid_t pid) {
        const auto status = read_file("/proc/" + std::to_string(pid) + "/status").value_or("");
        const auto from = status.find("Uid:");
        return status.substr(from, status.find('\n', from) - from);
    };
    const auto nobody = std::to_string(::getpwnam("nobody")->pw_uid);
    for (const auto service : service_names) {
        const auto pid = pid_of(at, std::string{service});
        ASSERT_TRUE(pid) << service;
        EXPECT_EQ(uids(*pid), fmt::format("Uid:\t{0}\t{0}\t{0}\t{0}", nobody)) << service;
    }
    EXPECT_EQ(semel({"down"}).exit_code, 0);
    ASSERT_TRUE(write_file(at.settings(), settings));
}

} // namespace
} // namespace semel::cli::stack
