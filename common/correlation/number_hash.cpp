#include "number_hash.hpp"

#include <base/bytes.hpp>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace semel::correlation {

namespace {

constexpr std::size_t key_name = 4;
constexpr std::size_t nameless = sizeof(crypto::hash128); // as older versions wrote them
constexpr std::size_t half = key_name + nameless;
constexpr std::size_t tail_digits = 8; // a subscriber's number without the area code, nearly everywhere

} // namespace

std::string number_hash(const crypto::key_ring::named_key& with, std::string_view number) {
    std::string digits;
    std::ranges::copy_if(number, std::back_inserter(digits), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (digits.empty()) {
        return {};
    }
    const auto tail = digits.substr(digits.size() - std::min(digits.size(), tail_digits));
    std::string out{with.id};
    out += base::as_view(crypto::keyed_hash(with.key, "sms-destination", number));
    out += with.id;
    return out.append(base::as_view(crypto::keyed_hash(with.key, "sms-destination-tail", tail)));
}

std::string_view whole_of(std::string_view hash) noexcept {
    return hash.substr(0, hash.size() == 2 * half ? half : nameless);
}

std::string_view tail_of(std::string_view hash) noexcept {
    return hash.size() == 2 * half       ? hash.substr(half)
           : hash.size() == 2 * nameless ? hash.substr(nameless)
                                         : std::string_view{};
}

} // namespace semel::correlation
