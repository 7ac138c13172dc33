#include "denials.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace semel::api {

std::chrono::milliseconds denials::denied(std::string_view address, time_point now) {
    const auto who = neighbourhood_of(address);
    if (paid_.size() >= limits_.addresses && !paid_.contains(who)) {
        make_room(now);
    }
    auto& until = paid_[who];
    const auto spared = limits_.every * static_cast<int>(limits_.free);
    until = std::min(std::max(until, now) + limits_.every, now + spared + limits_.longest);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - now) - spared;
    return std::max(wait, std::chrono::milliseconds{0});
}

/// What says nothing goes; if all say something, who has used up the least: a flood of addresses keeps nobody's debt
/// from being remembered for long, but memory is bounded.
void denials::make_room(time_point now) {
    std::erase_if(paid_, [&](const auto& one) { return one.second <= now; });
    if (paid_.size() >= limits_.addresses) {
        paid_.erase(std::ranges::min_element(paid_, {}, [](const auto& one) { return one.second; }));
    }
}

std::string neighbourhood_of(std::string_view address) {
    const std::string text{address.substr(0, address.find('%'))}; // without a scope
    in6_addr six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) {
        return text;
    }
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        ::inet_ntop(AF_INET, &six.s6_addr[12], out.data(), out.size());
        return out.data();
    }
    std::memset(&six.s6_addr[8], 0, 8);
    ::inet_ntop(AF_INET6, &six, out.data(), out.size());
    return out.data();
}

} // namespace semel::api
