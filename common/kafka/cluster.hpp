#pragma once
// Where Kafka is, and how it is spoken to: one value for every client of it.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace semel::config {
struct settings;
}

namespace semel::kafka {

struct cluster {
    enum class mechanism : unsigned char { none, scram_sha_512, scram_sha_256, plain };

    cluster() = default;
    /// In the clear, to whom it may concern: tests and tools on one machine.
    cluster(std::string bootstrap) // NOLINT(google-explicit-constructor)
        : servers(std::move(bootstrap)) {}
    cluster(const char* bootstrap) // NOLINT(google-explicit-constructor)
        : servers(bootstrap) {}

    std::string servers; // "host:port,host:port"
    bool tls = false;
    mechanism sasl = mechanism::none;
    std::string user, password;
    std::filesystem::path ca;               // PEM; empty: the system's
    std::filesystem::path certificate, key; // ours, PEM; empty: none

    /// librdkafka's words.
    std::string_view protocol_name() const noexcept;
    std::string_view mechanism_name() const noexcept;
};

/// Whether the librdkafka that runs keeps to RFC 5802, as Kafka 4 demands: before 2.6.1 it said its nonce twice.
bool librdkafka_scrams_with_kafka_4() noexcept;

/// As semel.yaml has it, the password from its file. Throws, naming the key, when that cannot be read.
cluster configured(const config::settings&);

} // namespace semel::kafka
