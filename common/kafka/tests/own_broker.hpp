#pragma once
// A broker of one test, to be killed.

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <tuple>

namespace semel::kafka::test {

/// Kafka (and what deploy/backing starts beside it) in a folder of its own; gone at the end.
class own_broker {
  public:
    own_broker() {
        char pattern[] = "/tmp/semel-broker-loss-XXXXXX";
        if (::mkdtemp(pattern) == nullptr) {
            throw std::runtime_error{"no folder could be made in /tmp"};
        }
        folder_ = pattern;
        std::filesystem::permissions(folder_, std::filesystem::perms{0755}); // servers may run as another user
        start();
    }
    ~own_broker() {
        run("stop");
        std::ignore = std::system(fmt::format("rm -rf '{}'", folder_).c_str()); // NOLINT(concurrency-mt-unsafe)
    }
    own_broker(const own_broker&) = delete;
    own_broker& operator=(const own_broker&) = delete;

    void start() {
        if (run("start") != 0) {
            throw std::runtime_error{"deploy/backing start " + folder_ + " failed"};
        }
        int base = 0;
        std::ifstream{folder_ + "/config/base"} >> base;
        address_ = fmt::format("127.0.0.1:{}", base);
    }
    bool runs() const {
        int pid = 0;
        std::ifstream{folder_ + "/run/kafka.pid"} >> pid;
        return pid > 1 && ::kill(pid, 0) == 0;
    }
    void kill() const {
        int pid = 0;
        std::ifstream{folder_ + "/run/kafka.pid"} >> pid;
        if (pid <= 1 || ::kill(pid, SIGKILL) != 0) {
            throw std::runtime_error{"the broker could not be killed"};
        }
        while (::kill(pid, 0) == 0) { // until it is gone, deploy/backing would take it for a running one
            ::usleep(1'000);
        }
    }
    const std::string& address() const { return address_; }

  private:
    int run(std::string_view command) const {
        return std::system(fmt::format("deploy/backing {} '{}' > /dev/null", command, folder_).c_str()); // NOLINT
    }
    std::string folder_;
    std::string address_;
};

} // namespace semel::kafka::test
