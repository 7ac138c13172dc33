#pragma once
// Slows down who is turned away again and again (401, 403): after the first few, an address gets its refusals no faster
// than one a second. Who may come in is never slowed, whatever others at the same address do. Pure; one strand.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

namespace semel::api {

class denials {
  public:
    using time_point = std::chrono::steady_clock::time_point;
    struct limits {
        std::size_t free = 10; // refusals in a row that do not wait
        std::chrono::milliseconds every{1'000};
        std::chrono::milliseconds longest{10'000};
        std::size_t addresses = 10'000; // remembered at once
    };

    denials() = default;
    explicit denials(limits l)
        : limits_(l) {}

    /// One more refusal to this address: how long it waits.
    std::chrono::milliseconds denied(std::string_view address, time_point now);
    std::size_t remembered() const noexcept { return paid_.size(); }

  private:
    void make_room(time_point now);

    limits limits_;
    // When what an address has used up is forgiven; an entry whose time is past says nothing and may go.
    std::unordered_map<std::string, time_point> paid_;
};

/// Whom an address stands for: an IPv4 address alone, of IPv6 the network of 64 bits, which one host has to itself.
std::string neighbourhood_of(std::string_view address);

} // namespace semel::api
