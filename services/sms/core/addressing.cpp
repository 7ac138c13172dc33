#include "addressing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace semel::sms {

namespace {

using base::fault;

bool digits_only(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string without_separators(std::string_view phone) {
    std::string out;
    std::ranges::copy_if(phone, std::back_inserter(out), [](char c) { return !std::string_view{" -.()"}.contains(c); });
    return out;
}

} // namespace

base::result<smpp_address> destination(std::string_view phone) {
    auto number = without_separators(phone);
    const bool international = number.starts_with('+');
    number.erase(0, international ? 1 : 0);
    constexpr std::size_t shortest = 3;
    constexpr std::size_t longest = 20; // the field's room
    if (number.size() < shortest || number.size() > longest || !digits_only(number)) {
        return base::failed(fault::kind::permanent, "the phone number is not 3 to 20 digits");
    }
    return smpp_address{{.ton = static_cast<std::uint8_t>(international ? 1 : 0), .npi = 1}, std::move(number)};
}

base::result<smpp_address> source(std::string_view sender) {
    auto number = without_separators(sender);
    const bool international = number.starts_with('+');
    number.erase(0, international ? 1 : 0);
    if (!number.empty() && number.size() <= 20 && digits_only(number)) {
        return smpp_address{{.ton = static_cast<std::uint8_t>(international ? 1 : 0), .npi = 1}, std::move(number)};
    }
    const bool printable = std::ranges::all_of(sender, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
    if (sender.empty() || sender.size() > 11 || !printable) {
        return base::failed(fault::kind::broken,
                            "the SMS sender is neither a number of up to 20 digits nor up to 11 characters; "
                            "correct the notice's sender.sms or the gateway's source_address");
    }
    return smpp_address{{.ton = 5, .npi = 0}, std::string{sender}};
}

std::string validity_period(std::optional<base::timestamp> give_up) {
    if (!give_up) {
        return {};
    }
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*give_up);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{seconds - day};
    return fmt::format("{:02}{:02}{:02}{:02}{:02}{:02}000+", static_cast<int>(date.year()) % 100,
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

} // namespace semel::sms
