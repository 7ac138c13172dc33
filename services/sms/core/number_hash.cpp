#include <base/bytes.hpp>

#include <sms/core/number_hash.hpp>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace semel::sms {

namespace {

constexpr std::size_t half = sizeof(crypto::hash128);
constexpr std::size_t tail_digits = 8; // a subscriber's number without the area code, nearly everywhere

} // namespace

std::string number_hash(const crypto::key256& key, std::string_view number) {
    std::string digits;
    std::ranges::copy_if(number, std::back_inserter(digits), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (digits.empty()) {
        return {};
    }
    const auto tail = digits.substr(digits.size() - std::min(digits.size(), tail_digits));
    std::string out{base::as_view(crypto::keyed_hash(key, "sms-destination", number))};
    return out.append(base::as_view(crypto::keyed_hash(key, "sms-destination-tail", tail)));
}

std::string_view whole_of(std::string_view hash) noexcept {
    return hash.substr(0, half);
}

std::string_view tail_of(std::string_view hash) noexcept {
    return hash.size() == 2 * half ? hash.substr(half) : std::string_view{};
}

} // namespace semel::sms
