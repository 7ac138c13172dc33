#include <runtime/gate.hpp>
#include <runtime/race.hpp>
#include <runtime/serve.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace semel::runtime {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string read_line(const fs::path& file) {
    std::string line;
    std::getline(std::ifstream{file}, line);
    return line;
}

bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::yield();
    }
    return true;
}

/// A service in a process of its own, as its supervisor would start it.
class Serve : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "semel-serve-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
        std::ofstream{dir_ / "semel.yaml"} << "run_dir: run\ndrain_deadline: 1s\n";
    }
    void TearDown() override {
        if (child_ > 0) {
            ::kill(child_, SIGKILL);
            ::waitpid(child_, nullptr, 0);
        }
        fs::remove_all(dir_);
    }

    void start(service_main main, std::vector<std::string> more = {}) {
        child_ = ::fork();
        ASSERT_GE(child_, 0);
        if (child_ != 0) {
            return;
        }
        std::vector<std::string> args{"semel-intake", "--config", (dir_ / "semel.yaml").string()};
        args.insert(args.end(), more.begin(), more.end());
        std::vector<char*> argv;
        for (auto& a : args) {
            argv.push_back(a.data());
        }
        const auto silent = ::freopen((dir_ / "log").c_str(), "w", stderr);
        ::_exit(silent == nullptr ? 99 : serve(static_cast<int>(argv.size()), argv.data(), "intake", main));
    }

    void start_and_wait(service_main main, const std::string& name = "intake", std::vector<std::string> more = {}) {
        start(main, std::move(more));
        ASSERT_TRUE(eventually([&] { return fs::exists(dir_ / "run" / (name + ".pid")); }));
        port_ = static_cast<std::uint16_t>(std::stoi(read_line(dir_ / "run" / (name + ".port"))));
    }

    int exit_code() {
        int status = 0;
        ::waitpid(child_, &status, 0);
        child_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::string get(const std::string& target) const {
        asio::io_context io;
        asio::ip::tcp::socket socket{io};
        socket.connect({asio::ip::address_v4::loopback(), port_});
        asio::write(socket, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        std::string answer;
        boost::system::error_code end;
        asio::read(socket, asio::dynamic_buffer(answer), end);
        return answer;
    }

    std::string log() const {
        std::ifstream in{dir_ / "log"};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    fs::path dir_;
    pid_t child_ = 0;
    std::uint16_t port_ = 0;
};

asio::awaitable<void> until_stopped(context& ctx) {
    ctx.metrics().make_counter("semel_probe_rounds_total", "Rounds.").add(3);
    ctx.ready();
    co_await ctx.stop_requested();
}
asio::awaitable<void> never_ready(context& ctx) {
    ctx.not_ready("waiting for Redis");
    co_await ctx.stop_requested();
}
asio::awaitable<void> returns(context&) {
    co_return;
}
asio::awaitable<void> throws(context&) {
    co_await sleep(milliseconds{1});
    throw std::runtime_error{"the plan is lost"};
}
asio::awaitable<void> ignores_stop(context& ctx) {
    ctx.ready();
    co_await sleep(std::chrono::hours{1});
}
asio::awaitable<void> breaks_inside_a_gate(context& ctx) {
    gate g{ctx.executor()};
    g.spawn("task", throws(ctx));
    co_await ctx.stop_requested();
}

TEST_F(Serve, KeepsItsMemoryAndItsFilesToItself) {
    start_and_wait(until_stopped);
    std::ifstream in{"/proc/" + std::to_string(child_) + "/limits"};
    std::string limit;
    while (std::getline(in, limit) && !limit.starts_with("Max core file size")) {
    }
    EXPECT_EQ(limit.substr(26, 1), "0") << limit;
    EXPECT_EQ(fs::status(dir_ / "run/intake.pid").permissions() & fs::perms::all,
              fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(Serve, DrainsAtSigtermAndRemovesItsFiles) {
    start_and_wait(until_stopped);
    EXPECT_EQ(read_line(dir_ / "run/intake.pid"), std::to_string(child_));
    ::kill(child_, SIGTERM);
    EXPECT_EQ(exit_code(), 0);
    EXPECT_FALSE(fs::exists(dir_ / "run/intake.pid"));
    EXPECT_FALSE(fs::exists(dir_ / "run/intake.port"));
    EXPECT_NE(log().find("\"event\":\"stop.requested\""), std::string::npos);
}

TEST_F(Serve, AnswersHealthAndMetrics) {
    start_and_wait(until_stopped);
    EXPECT_TRUE(eventually([&] { return get("/health/ready").starts_with("HTTP/1.1 200"); }));
    EXPECT_TRUE(get("/health/live").starts_with("HTTP/1.1 200"));
    EXPECT_NE(get("/metrics").find("semel_probe_rounds_total 3"), std::string::npos);
    EXPECT_NE(get("/metrics").find("semel_service_ready 1"), std::string::npos);
    EXPECT_TRUE(get("/nothing").starts_with("HTTP/1.1 404"));
}

TEST_F(Serve, SaysWhyItIsNotReady) {
    start_and_wait(never_ready);
    EXPECT_TRUE(eventually([&] { return get("/health/ready").find("waiting for Redis") != std::string::npos; }));
    EXPECT_TRUE(get("/health/ready").starts_with("HTTP/1.1 503"));
    EXPECT_NE(get("/metrics").find("semel_service_ready 0"), std::string::npos);
}

TEST_F(Serve, ASecondProcessHasANameOfItsOwn) {
    start_and_wait(until_stopped, "intake-2", {"--instance", "2"});
    EXPECT_EQ(read_line(dir_ / "run/intake-2.pid"), std::to_string(child_));
}

TEST_F(Serve, ReturningMeansDone) {
    start(returns);
    EXPECT_EQ(exit_code(), 0);
}

TEST_F(Serve, AnExceptionIsLoggedAndEndsTheProcess) {
    start(throws);
    EXPECT_EQ(exit_code(), 1);
    EXPECT_NE(log().find("\"event\":\"service.failed\",\"why\":\"the plan is lost\""), std::string::npos);
    EXPECT_FALSE(fs::exists(dir_ / "run/intake.pid"));
}

TEST_F(Serve, AnExceptionInsideAGateEndsTheProcess) {
    start(breaks_inside_a_gate);
    EXPECT_EQ(exit_code(), 1);
    EXPECT_NE(log().find("the plan is lost"), std::string::npos);
}

TEST_F(Serve, TheDrainDeadlineEndsWhatDoesNotStop) {
    start_and_wait(ignores_stop);
    ::kill(child_, SIGTERM);
    EXPECT_EQ(exit_code(), 1);
    EXPECT_NE(log().find("the drain deadline passed"), std::string::npos);
    EXPECT_FALSE(fs::exists(dir_ / "run/intake.pid"));
}

TEST_F(Serve, ASecondSignalEndsThePatience) {
    std::ofstream{dir_ / "semel.yaml"} << "run_dir: run\ndrain_deadline: 10m\n";
    start_and_wait(ignores_stop);
    ::kill(child_, SIGTERM);
    ASSERT_TRUE(eventually([&] { return log().find("stop.requested") != std::string::npos; }));
    ::kill(child_, SIGINT);
    EXPECT_EQ(exit_code(), 1);
    EXPECT_NE(log().find("a second signal came"), std::string::npos);
}

TEST_F(Serve, ATakenAdminPortIsNamed) {
    asio::io_context io;
    asio::ip::tcp::acceptor taken{io, {asio::ip::address_v4::loopback(), 0}};
    const auto port = std::to_string(taken.local_endpoint().port());
    std::ofstream{dir_ / "semel.yaml"} << "run_dir: run\nadmin_ports: {intake: " << port << "}\n";
    start(returns);
    EXPECT_EQ(exit_code(), 1);
    EXPECT_NE(log().find("127.0.0.1:" + port), std::string::npos);
}

TEST_F(Serve, RefusesWrongUsageAndWrongConfiguration) {
    start(returns, {"--instance", "none"});
    EXPECT_EQ(exit_code(), 2);
    std::ofstream{dir_ / "semel.yaml"} << "kafka: [\n";
    start(returns);
    EXPECT_EQ(exit_code(), 2);
}

TEST_F(Serve, DoesNotBeginBeforeItIsNotedWhichRecordsHaveNoMac) {
    std::ofstream{dir_ / "semel.yaml"} << "run_dir: run\nkey_encryption_key_file: kek\n";
    ASSERT_TRUE(crypto::make_key_file(dir_ / "kek"));
    start(returns);
    EXPECT_EQ(exit_code(), 1);
    EXPECT_NE(log().find("semel prepare"), std::string::npos);
    std::ofstream{dir_ / "unsigned-records"} << "control:0:17\n";
    start(returns);
    EXPECT_EQ(exit_code(), 0);
    std::ofstream{dir_ / "unsigned-records"} << "control\n";
    start(returns);
    EXPECT_EQ(exit_code(), 1) << "half a note would refuse records for good";
    fs::remove(dir_ / "unsigned-records");
    std::ofstream{dir_ / "macs-began"};
    start(returns);
    EXPECT_EQ(exit_code(), 0) << "a note that was lost is not missed: nothing unsigned is believed";
}

TEST_F(Serve, CheckConfigStartsNothing) {
    start(throws, {"--check-config"});
    EXPECT_EQ(exit_code(), 0);
}

} // namespace
} // namespace semel::runtime
