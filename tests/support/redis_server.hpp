#pragma once
// A redis-server of one test: its own port and folder, for tests that take it away.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace semel::support {

class redis_server {
  public:
    redis_server() {
        port_ = free_port();
        std::string pattern = (std::filesystem::temp_directory_path() / "semel-redis-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            throw std::runtime_error{"no temporary folder for a redis-server"};
        }
        folder_ = pattern;
        start();
    }
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;
    ~redis_server() {
        kill();
        std::filesystem::remove_all(folder_);
    }

    /// Comes up with what the last SAVE wrote.
    void start() {
        std::vector<std::string> args{
            "redis-server", "--port", std::to_string(port_), "--bind",  "127.0.0.1", "--dir", folder_.string(),
            "--save",       "",       "--dbfilename",        "dump.rdb"};
        std::vector<char*> argv;
        argv.reserve(args.size() + 1);
        for (auto& a : args) {
            argv.push_back(a.data());
        }
        argv.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
            ::execvp(argv[0], argv.data());
            ::_exit(127);
        }
    }
    void kill() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }
    /// It takes commands and answers none, until it goes on.
    void hold() const { ::kill(pid_, SIGSTOP); }
    void go_on() const { ::kill(pid_, SIGCONT); }
    /// The next start comes up empty: another instance on the same port.
    void forget_file() { std::filesystem::remove(folder_ / "dump.rdb"); }
    std::uint16_t port() const noexcept { return port_; }
    /// What redis-cli prints for a command, as a user would see it.
    std::string tell(const std::string& command) const {
        const auto line = "redis-cli -p " + std::to_string(port_) + " " + command + " 2>/dev/null";
        std::string out;
        if (auto* pipe = ::popen(line.c_str(), "r")) {
            for (int c = 0; (c = std::fgetc(pipe)) != EOF;) {
                out.push_back(static_cast<char>(c));
            }
            ::pclose(pipe);
        }
        return out;
    }

  private:
    /// Below the ephemeral ports: a client that tries to reconnect to one of those may meet itself.
    static std::uint16_t free_port() {
        boost::asio::io_context io;
        for (std::uint16_t port = 21'000 + static_cast<std::uint16_t>(::getpid() % 8'000);; ++port) {
            boost::system::error_code taken;
            boost::asio::ip::tcp::acceptor probe{io, boost::asio::ip::tcp::v4()};
            probe.bind({boost::asio::ip::address_v4::loopback(), port}, taken);
            if (!taken) {
                return port;
            }
        }
    }

    std::filesystem::path folder_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
};

} // namespace semel::support
