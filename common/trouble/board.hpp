#pragma once
// Where processes tell their trouble: one Redis key each, renewed while the process lives and gone soon after. Nobody
// waits for it: without Redis nothing is told, and whoever reads sees that for himself.

#include <redis/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <trouble/trouble.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace semel::trouble {

inline constexpr std::chrono::seconds kept{10}; ///< of a process that says nothing more
inline constexpr std::chrono::seconds told_every{2};

/// One process' own. One strand.
class teller {
  public:
    /// `prefix`: empty but in tests.
    teller(redis::client& redis, std::string service, std::string instance, std::string prefix = {})
        : redis_(redis)
        , prefix_(std::move(prefix))
        , said_{.service = std::move(service), .instance = std::move(instance), .entries = {}} {}

    /// What stands still now; what still does keeps the time when it began. Call every `told_every`.
    boost::asio::awaitable<void> tell(std::vector<entry> now);

  private:
    redis::client& redis_;
    std::string prefix_;
    report said_;
};

/// What all processes told lately. A fault when Redis does not answer within `patience`.
boost::asio::awaitable<base::result<std::vector<report>>> read(redis::client&, std::chrono::milliseconds patience,
                                                               std::string prefix = {});

} // namespace semel::trouble
