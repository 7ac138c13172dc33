#pragma once
// The servers that integration tests share, started by ./tests/run.

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace semel::support {

inline std::string given(const char* name) {
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): before any thread
    if (value == nullptr) {
        throw std::runtime_error{std::string{name} + " is not set: run through ./tests/run, or start `deploy/backing "
                                                     "start DIR` and export what it prints"};
    }
    return value;
}

/// Kafka's bootstrap address.
inline std::string broker() {
    return given("SEMEL_TEST_KAFKA");
}
/// Redis' port on loopback.
inline std::uint16_t redis_port() {
    const auto address = given("SEMEL_TEST_REDIS");
    return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}
/// A PostgreSQL URI.
inline std::string postgres() {
    return given("SEMEL_TEST_POSTGRES");
}

} // namespace semel::support
