#pragma once
// The bootstrap that every service shares: flags, configuration, logs, signals, admin port, pid file, exit code.
//
//   asio::awaitable<void> sms(runtime::context& ctx);
//   int main(int argc, char** argv) { return semel::runtime::serve(argc, argv, "sms", sms); }
//
// Flags: --config FILE, --instance N (default 1), --check-config, --help. Exit codes: 0 drained, 1 could not go on
// (logged with the service's name), 2 wrong usage or configuration.

#include <config/config.hpp>
#include <crypto/key_ring.hpp>
#include <telemetry/log.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace semel::runtime {

/// What a service's main coroutine gets. Everything here outlives that coroutine.
class context {
  public:
    boost::asio::any_io_executor executor() const;
    const config::settings& config() const noexcept;
    /// "sms"; "sms-2" for the second process: group.instance.id and transactional.id derive from it.
    const std::string& service() const noexcept;
    const std::string& instance_name() const noexcept;
    unsigned instance() const noexcept;
    telemetry::logger& log() noexcept;
    telemetry::metrics& metrics() noexcept;
    /// The key-encryption keys; they change while the service runs (keys.hpp). Throws std::runtime_error when
    /// semel.yaml names none.
    const crypto::key_ring& keys() const;

    /// /health/ready answers 200 from now on, or 503 with the reason.
    void ready();
    void not_ready(std::string reason);
    /// Completes at SIGTERM or SIGINT. May be awaited many times.
    boost::asio::awaitable<void> stop_requested();
    bool stopping() const noexcept;

    struct impl;
    explicit context(std::shared_ptr<impl>);

  private:
    std::shared_ptr<impl> impl_;
};

using service_main = boost::asio::awaitable<void> (*)(context&);
int serve(int argc, char** argv, std::string_view service, service_main);

} // namespace semel::runtime
