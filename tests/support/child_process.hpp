#pragma once
// A server of somebody else's, started for one test and ended with it.

#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace semel::support {

/// Runs a command without a shell; killed and reaped by the destructor. Standard output and error are the test's.
class child_process {
  public:
    explicit child_process(std::vector<std::string> command) {
        std::vector<char*> argv;
        for (auto& word : command) {
            argv.push_back(word.data());
        }
        argv.push_back(nullptr);
        if (const int rc = ::posix_spawnp(&pid_, argv[0], nullptr, nullptr, argv.data(), environ); rc != 0) {
            throw std::runtime_error("cannot start " + command[0] + "; run deploy/setup");
        }
    }
    child_process(child_process&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)) {}
    child_process& operator=(child_process&&) = delete;
    ~child_process() { stop(); }

    /// SIGTERM, then its exit code; -1 when a signal ended it, or when it was stopped before.
    int stop() {
        if (pid_ <= 0) {
            return -1;
        }
        ::kill(pid_, SIGTERM);
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    pid_t pid_ = -1;
};

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// A port that nobody listens on now; for servers that cannot choose one themselves.
inline std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

/// Waits until somebody listens there.
inline void wait_for_port(std::uint16_t port, std::chrono::seconds patience = std::chrono::seconds{20}) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        auto address = loopback(port);
        const bool there = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        ::close(fd);
        if (there) {
            return;
        }
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("nobody listens on port " + std::to_string(port));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

} // namespace semel::support
