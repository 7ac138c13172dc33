#pragma once
// Text messages as they go on the wire (3GPP TS 23.038 and 23.040): GSM-7 where every character has a place in the
// default alphabet or its extension, else UCS-2; more than one part get a user data header each. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::notice {

enum class sms_alphabet : unsigned char { gsm7, ucs2 };

/// Room in one part, in septets or UTF-16 units: alone, and beside the header of a concatenated message.
struct sms_room {
    std::size_t single;
    std::size_t joined;
};
constexpr sms_room room_of(sms_alphabet a) noexcept {
    return a == sms_alphabet::gsm7 ? sms_room{160, 153} : sms_room{70, 67};
}

/// The short_message of each part, header included: GSM-7 unpacked (one septet an octet) or UTF-16 big endian.
struct sms_message {
    sms_alphabet alphabet = sms_alphabet::gsm7;
    std::vector<std::string> parts;

    std::uint8_t data_coding() const noexcept { return alphabet == sms_alphabet::gsm7 ? 0 : 8; }
};

inline constexpr std::size_t most_sms_parts = 255; // the header counts in one octet

sms_alphabet alphabet_of(std::string_view utf8) noexcept;
/// The first character that has no place in GSM-7: what makes a text UCS-2.
std::optional<char32_t> first_outside_gsm7(std::string_view utf8) noexcept;

/// `reference` ties the parts together on the phone: the same for all parts, and for every attempt. Escape pairs and
/// surrogate pairs are never split. Nothing when the text needs more than 255 parts.
std::optional<sms_message> encode_sms(std::string_view utf8, std::uint8_t reference);
/// Without encoding; 1 for the empty text.
std::size_t count_sms_parts(std::string_view utf8);
/// What a phone shows, as UTF-8: for previews and audits. Nothing when the parts do not belong together.
std::optional<std::string> decode_sms(const sms_message&);
/// What one part says alone, without its header: for whoever has only recorded parts. Empty when it does not decode.
std::string decode_part(std::string_view part, std::uint8_t data_coding);

} // namespace semel::notice
