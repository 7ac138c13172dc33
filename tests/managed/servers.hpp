#pragma once
// Kafka, Redis and PostgreSQL as managed ones are (deploy/backing --secured), once for a test program.

#include <kafka/cluster.hpp>

#include <gtest/gtest.h>
#include <support/records.hpp>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace semel::managed {

class servers : public testing::Environment {
  public:
    void SetUp() override {
        char pattern[] = "/tmp/semel-managed-XXXXXX";
        if (::mkdtemp(pattern) == nullptr) {
            throw std::runtime_error{"no folder could be made in /tmp"};
        }
        folder_ = pattern;
        std::filesystem::permissions(folder_, std::filesystem::perms{0755}); // servers may run as another user
        if (run("start", "--secured") != 0) {
            throw std::runtime_error{"deploy/backing start " + folder_ + " --secured failed"};
        }
        std::ifstream{folder_ + "/config/base"} >> base_;
        std::getline(std::ifstream{tls() / "password"}, password_);
    }
    void TearDown() override {
        run("stop", "");
        std::filesystem::remove_all(folder_);
    }

    std::filesystem::path tls() const { return folder_ + "/config/tls"; }
    std::filesystem::path config() const { return folder_ + "/config"; }
    int kafka_port() const { return base_; }
    int mtls_port() const { return base_ + 4; }
    int postgres_port() const { return base_ + 3; }
    const std::string& password() const { return password_; }

    /// As the user semel, with its password over TLS.
    kafka::cluster kafka() const {
        kafka::cluster at{"localhost:" + std::to_string(base_)};
        at.tls = true;
        at.ca = tls() / "ca.pem";
        at.sasl = kafka::cluster::mechanism::plain;
        at.user = "semel";
        at.password = password_;
        return at;
    }

  private:
    int run(const std::string& command, const std::string& option) const {
        return std::system(
            ("deploy/backing " + command + " '" + folder_ + "' " + option + " > /dev/null").c_str()); // NOLINT
    }
    std::string folder_, password_;
    int base_ = 0;
};

/// Started by main().
servers& here();

} // namespace semel::managed
