#include "address.hpp"
#include "text.hpp"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include <array>
#include <optional>

namespace semel::address {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

// Longer than any number with any decoration; libphonenumber itself gives up at 250.
constexpr std::size_t longest_text = 64;

PhoneNumberUtil& library() {
    static PhoneNumberUtil& instance = [] -> PhoneNumberUtil& {
        auto& made = *PhoneNumberUtil::GetInstance();
        // Its own logger prints numbers that it cannot parse to standard output: personal data in a log.
        made.SetLogger(new i18n::phonenumbers::NullLogger); // the library owns it
        return made;
    }();
    return instance;
}

std::string_view why_not_parsed(PhoneNumberUtil::ErrorType error) {
    switch (error) {
    case PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR:
        return "it has no country code that exists, and the campaign's default region gives none";
    case PhoneNumberUtil::TOO_SHORT_AFTER_IDD:
    case PhoneNumberUtil::TOO_SHORT_NSN:
        return "it has too few digits for a phone number";
    case PhoneNumberUtil::TOO_LONG_NSN:
        return "it has too many digits for a phone number";
    default:
        return "it is not a phone number";
    }
}

std::optional<std::string_view> why_no_text_message(PhoneNumberUtil::PhoneNumberType type) {
    switch (type) {
    case PhoneNumberUtil::MOBILE:
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
    case PhoneNumberUtil::VOIP:
    case PhoneNumberUtil::PERSONAL_NUMBER:
        return std::nullopt;
    case PhoneNumberUtil::FIXED_LINE:
        return "it is a landline, which takes no text messages";
    case PhoneNumberUtil::PREMIUM_RATE:
        return "it is a premium-rate number";
    case PhoneNumberUtil::TOLL_FREE:
    case PhoneNumberUtil::SHARED_COST:
    case PhoneNumberUtil::UAN:
        return "it is a company's service number, not a person's";
    case PhoneNumberUtil::PAGER:
    case PhoneNumberUtil::VOICEMAIL:
        return "it is a pager or a voice mailbox";
    default:
        return "no such number is assigned in its country";
    }
}

/// The E.164 form, or why not.
base::result<std::string> ask_library(std::string_view text, std::string_view region) {
    auto& util = library();
    PhoneNumber number;
    auto error = util.Parse(std::string{text}, std::string{region}, &number);
    // "00" is what the ITU recommends for "+". Where it means something else (Korea), such a number parses as nothing.
    if (error == PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR && text.starts_with("00")) {
        error = util.Parse("+" + std::string{text.substr(2)}, std::string{region}, &number);
    }
    if (error != PhoneNumberUtil::NO_PARSING_ERROR) {
        return refused(why_not_parsed(error));
    }
    if (number.has_extension()) {
        return refused("it has an extension, which text messages cannot reach");
    }
    if (const auto why = why_no_text_message(util.GetNumberType(number))) {
        return refused(*why);
    }
    std::string e164;
    util.Format(number, PhoneNumberUtil::E164, &e164);
    return e164;
}

/// The digits after "010" when the text is a Korean mobile number in one of its common spellings ("010-NNNN-NNNN",
/// "+82 10 NNNN NNNN"), else nothing. Only what libphonenumber surely reads the same way.
std::optional<std::array<char, 8>> korean_mobile(std::string_view text) {
    if (text.starts_with("+82")) {
        text.remove_prefix(3);
        if (text.starts_with(' ') || text.starts_with('-')) {
            text.remove_prefix(1);
        }
    } else if (text.starts_with('0')) {
        text.remove_prefix(1);
    } else {
        return std::nullopt;
    }
    if (!text.starts_with("10")) {
        return std::nullopt;
    }
    text.remove_prefix(2);
    std::array<char, 8> digits{};
    std::size_t n = 0;
    char before = '0';
    for (const char c : text) {
        if (is_digit(c)) {
            if (n == digits.size()) {
                return std::nullopt;
            }
            digits[n++] = c;
        } else if ((c != '-' && c != ' ') || !is_digit(before)) {
            return std::nullopt;
        }
        before = c;
    }
    return n == digits.size() && is_digit(before) ? std::optional{digits} : std::nullopt;
}

/// Whether 010-NNNx-xxxx is a mobile number, for each NNN: asked of libphonenumber once. In its metadata the last
/// five digits decide nothing (Phone.TheFastPathAgreesWithTheLibrary holds that against it).
const std::array<bool, 1000>& korean_mobile_blocks() {
    static const std::array<bool, 1000> blocks = [] {
        std::array<bool, 1000> valid{};
        for (std::size_t block = 0; block < valid.size(); ++block) {
            valid[block] = ask_library("+8210" + std::to_string(1000 + block).substr(1) + "00000", "KR").has_value();
        }
        return valid;
    }();
    return blocks;
}

} // namespace

base::result<address> phone(std::string_view text, std::string_view default_region) {
    text = trimmed(text);
    if (text.empty()) {
        return refused("it is empty");
    }
    if (text.size() > longest_text) {
        return refused("it is too long for a phone number");
    }
    std::string e164;
    const auto digits = default_region == "KR" ? korean_mobile(text) : std::nullopt;
    if (digits) {
        const auto& d = *digits;
        const auto block = static_cast<std::size_t>((d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'));
        if (korean_mobile_blocks()[block]) {
            e164 = "+8210";
            e164.append(d.data(), d.size());
            return address{base::channel::sms, std::move(e164), std::string{text}, {}};
        }
    }
    for (const char c : text) {
        if (is_control(c)) {
            return refused("it has a control character (a line break, a tab, NUL)");
        }
        if (is_letter(c) || c == ';') {
            return refused("it has letters, or an extension: only the number itself can be sent to");
        }
    }
    auto number = ask_library(text, default_region);
    if (!number) {
        return base::failed(std::move(number.error()));
    }
    return address{base::channel::sms, std::move(*number), std::string{text}, {}};
}

bool is_known_region(std::string_view region) {
    return library().GetCountryCodeForRegion(std::string{region}) != 0;
}

} // namespace semel::address
