#pragma once
// One try of each connection that semel.yaml names, as the services would make it, and what came of it in words.

#include <base/fault.hpp>
#include <config/config.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace semel::cli {

struct probe {
    std::string what; // "Kafka at b-1.example.com:9096"
    std::string key;  // of semel.yaml: where to look; the one at fault, once that is known
    base::result<void> outcome;
};

struct probe_options {
    std::chrono::milliseconds patience{10'000}; // for each
};

/// Every certificate, authority and secret: is it there, and what it should be.
std::vector<probe> probe_files(const config::settings&);
/// Every server. Nothing is written, and no gateway is given a message.
std::vector<probe> probe_servers(const config::settings&, const probe_options&);

/// The key that the words of a fault name, as "kafka.password_file" or a gateway's "ca"; otherwise `otherwise`.
std::string key_at_fault(std::string_view words, std::string_view section, std::string_view otherwise);

/// The contract's exit code: 1 when something is wrong, else 3 when something did not answer, else 0.
int exit_code_of(const std::vector<probe>&) noexcept;

} // namespace semel::cli
