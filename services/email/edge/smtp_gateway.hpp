#pragma once
// A relay of semel.yaml: a pool of SMTP sessions that open when they are needed, stay open, and back off when the relay
// cannot be reached. One message a session at a time, so window() is the number of connections. One strand.

#include <config/config.hpp>
#include <delivery/gateway.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <email/core/dialogue.hpp>
#include <email/core/envelope.hpp>

#include <optional>
#include <string_view>

namespace semel::email {

class smtp_gateway final : public delivery::gateway {
  public:
    struct tuning {
        email::timeouts timeouts{};
        std::chrono::milliseconds first_back_off{200}; // after a failed connection; doubles up to
        std::chrono::milliseconds longest_back_off{30'000};
        std::chrono::milliseconds keep_alive{30'000};  // an idle session says NOOP this often
        std::chrono::milliseconds idle_limit{300'000}; // and QUIT after this long
    };

    /// Reads the password, the VERP key and the certificate authorities; `broken` names the file that is missing.
    /// The gateway must hold a config::smtp.
    static base::result<std::unique_ptr<smtp_gateway>> make(boost::asio::any_io_executor, const config::gateway&);
    static base::result<std::unique_ptr<smtp_gateway>> make(boost::asio::any_io_executor, const config::gateway&,
                                                            tuning);
    ~smtp_gateway() override;

    const std::string& name() const noexcept override;
    bool serves(const delivery::outbound&) const noexcept override;
    std::size_t window() const noexcept override;
    boost::asio::awaitable<delivery::beginning> stage(const delivery::outbound&,
                                                      std::chrono::milliseconds patience) override;
    boost::asio::awaitable<void> run() override;
    boost::asio::awaitable<void> close() override;

  private:
    struct pool;
    struct link;
    struct waiter;
    class lease;
    class staged_mail;

    explicit smtp_gateway(std::shared_ptr<pool>);
    static boost::asio::awaitable<std::optional<delivery::beginning>> begin(lease, const envelope&,
                                                                            std::string_view text);

    std::shared_ptr<pool> pool_;
};

} // namespace semel::email
