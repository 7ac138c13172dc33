#pragma once
// Records that this process did not believe, or could not use: counted, logged without their content, kept in the topic
// dead-letter, and told to the ledger, where `semel campaign status` and auditors see them. Whoever can write to Kafka
// can send any number of them: what is kept of them is bounded, what is counted is not.

#include <kafka/producer.hpp>
#include <kafka/trust.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace semel::runtime {

class refusals {
  public:
    struct options {
        kafka::cluster bootstrap;
        std::int32_t partitions = 1; // of events
        std::string service;
        std::string prefix = {}; // of topics; empty but in tests
    };
    refusals(boost::asio::any_io_executor, options, telemetry::metrics&);

    /// For kafka::trust(). On the executor's strand alone.
    void take(const kafka::refused_record&);
    /// Writes what was taken, until cancelled.
    boost::asio::awaitable<void> run();

  private:
    struct kept {
        std::string where, why, value;
        bool told = true; // to the ledger
    };
    void say(const kafka::refused_record&);
    boost::asio::awaitable<void> write(kept);

    boost::asio::any_io_executor executor_;
    options options_;
    telemetry::metrics& metrics_;
    std::deque<kept> pending_;
    std::size_t pending_bytes_ = 0;
    std::optional<kafka::producer> producer_; // made for the first record: most processes never meet one
    std::chrono::steady_clock::time_point quiet_until_{};
    std::uint64_t said_ = 0, unsaid_ = 0;
};

} // namespace semel::runtime
