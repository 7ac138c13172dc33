#include "sms_text.hpp"

#include "utf8.hpp"

#include <array>
#include <unordered_map>

namespace semel::notice {
namespace {

constexpr std::uint8_t escape = 0x1b;

// TS 23.038, 6.2.1: by septet. 0x1b is the escape and has no character.
constexpr std::array<char32_t, 128> basic{
    U'@', U'£', U'$', U'¥', U'è', U'é', U'ù', U'ì',  U'ò', U'Ç', U'\n', U'Ø', U'ø', U'\r', U'Å', U'å', //
    U'Δ', U'_', U'Φ', U'Γ', U'Λ', U'Ω', U'Π', U'Ψ',  U'Σ', U'Θ', U'Ξ',  0,    U'Æ', U'æ',  U'ß', U'É', //
    U' ', U'!', U'"', U'#', U'¤', U'%', U'&', U'\'', U'(', U')', U'*',  U'+', U',', U'-',  U'.', U'/', //
    U'0', U'1', U'2', U'3', U'4', U'5', U'6', U'7',  U'8', U'9', U':',  U';', U'<', U'=',  U'>', U'?', //
    U'¡', U'A', U'B', U'C', U'D', U'E', U'F', U'G',  U'H', U'I', U'J',  U'K', U'L', U'M',  U'N', U'O', //
    U'P', U'Q', U'R', U'S', U'T', U'U', U'V', U'W',  U'X', U'Y', U'Z',  U'Ä', U'Ö', U'Ñ',  U'Ü', U'§', //
    U'¿', U'a', U'b', U'c', U'd', U'e', U'f', U'g',  U'h', U'i', U'j',  U'k', U'l', U'm',  U'n', U'o', //
    U'p', U'q', U'r', U's', U't', U'u', U'v', U'w',  U'x', U'y', U'z',  U'ä', U'ö', U'ñ',  U'ü', U'à'};

struct pair {
    std::uint8_t septet;
    char32_t character;
};
// TS 23.038, 6.2.1.1: after an escape.
constexpr std::array<pair, 10> extension{{{0x0a, U'\f'},
                                          {0x14, U'^'},
                                          {0x28, U'{'},
                                          {0x29, U'}'},
                                          {0x2f, U'\\'},
                                          {0x3c, U'['},
                                          {0x3d, U'~'},
                                          {0x3e, U']'},
                                          {0x40, U'|'},
                                          {0x65, U'€'}}};

struct position {
    std::uint8_t septet = 0;
    bool escaped = false;
};

const position* find(char32_t c) noexcept {
    static const auto positions = [] {
        std::unordered_map<char32_t, position> map;
        for (std::size_t i = 0; i < basic.size(); ++i) {
            if (i != escape) {
                map.emplace(basic[i], position{static_cast<std::uint8_t>(i), false});
            }
        }
        for (const auto& p : extension) {
            map.emplace(p.character, position{p.septet, true});
        }
        return map;
    }();
    const auto it = positions.find(c);
    return it == positions.end() ? nullptr : &it->second;
}

// Hands out each character's units (octets of the wire) with its cost; a character is never split.
template <class Put>
void each_character(std::string_view utf8, sms_alphabet alphabet, Put put) {
    while (!utf8.empty()) {
        const auto c = take_code_point(utf8);
        std::array<char, 4> octets{};
        if (alphabet == sms_alphabet::gsm7) {
            const auto* at = find(c);
            octets = at->escaped ? std::array<char, 4>{escape, static_cast<char>(at->septet)}
                                 : std::array<char, 4>{static_cast<char>(at->septet)};
            const std::size_t size = at->escaped ? 2 : 1;
            put(std::string_view{octets.data(), size}, size);
        } else if (c < 0x10000) {
            octets = {static_cast<char>(c >> 8), static_cast<char>(c)};
            put(std::string_view{octets.data(), 2}, std::size_t{1});
        } else {
            const auto high = 0xd800 + ((c - 0x10000) >> 10);
            const auto low = 0xdc00 + ((c - 0x10000) & 0x3ff);
            octets = {static_cast<char>(high >> 8), static_cast<char>(high), static_cast<char>(low >> 8),
                      static_cast<char>(low)};
            put(std::string_view{octets.data(), 4}, std::size_t{2});
        }
    }
}

struct measure {
    sms_alphabet alphabet;
    std::size_t units = 0;
    std::size_t joined_parts = 1; // how many there are if they carry headers
    bool fits_one() const noexcept { return units <= room_of(alphabet).single; }
};

measure measure_of(std::string_view utf8) {
    measure m{.alphabet = alphabet_of(utf8)};
    std::size_t used = 0;
    each_character(utf8, m.alphabet, [&](std::string_view, std::size_t cost) {
        m.units += cost;
        used += cost;
        if (used > room_of(m.alphabet).joined) {
            ++m.joined_parts;
            used = cost;
        }
    });
    return m;
}

std::string header(std::uint8_t reference, std::size_t total, std::size_t number) {
    return {5, 0, 3, static_cast<char>(reference), static_cast<char>(total), static_cast<char>(number)};
}

std::optional<std::string> decode_gsm7(std::string_view octets) {
    std::string out;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        const auto septet = static_cast<unsigned char>(octets[i]);
        if (septet > 0x7f) {
            return std::nullopt;
        }
        if (septet != escape) {
            append_utf8(out, basic[septet]);
            continue;
        }
        if (++i == octets.size()) {
            return std::nullopt;
        }
        const pair* found = nullptr;
        for (const auto& p : extension) {
            if (p.septet == static_cast<unsigned char>(octets[i])) {
                found = &p;
            }
        }
        if (found == nullptr) {
            return std::nullopt;
        }
        append_utf8(out, found->character);
    }
    return out;
}

std::optional<std::string> decode_ucs2(std::string_view octets) {
    const auto unit = [&](std::size_t at) {
        return static_cast<char32_t>(static_cast<unsigned char>(octets[at]) << 8 |
                                     static_cast<unsigned char>(octets[at + 1]));
    };
    if (octets.size() % 2 != 0) {
        return std::nullopt;
    }
    std::string out;
    for (std::size_t i = 0; i < octets.size(); i += 2) {
        auto c = unit(i);
        if (c >= 0xd800 && c < 0xdc00) {
            i += 2;
            if (i >= octets.size() || unit(i) < 0xdc00 || unit(i) > 0xdfff) {
                return std::nullopt;
            }
            c = 0x10000 + ((c - 0xd800) << 10) + (unit(i) - 0xdc00);
        } else if (c >= 0xdc00 && c <= 0xdfff) {
            return std::nullopt;
        }
        append_utf8(out, c);
    }
    return out;
}

} // namespace

std::optional<char32_t> first_outside_gsm7(std::string_view utf8) noexcept {
    while (!utf8.empty()) {
        if (const auto c = take_code_point(utf8); find(c) == nullptr) {
            return c;
        }
    }
    return std::nullopt;
}

sms_alphabet alphabet_of(std::string_view utf8) noexcept {
    return first_outside_gsm7(utf8) ? sms_alphabet::ucs2 : sms_alphabet::gsm7;
}

std::size_t count_sms_parts(std::string_view utf8) {
    const auto m = measure_of(utf8);
    return m.fits_one() ? 1 : m.joined_parts;
}

std::optional<sms_message> encode_sms(std::string_view utf8, std::uint8_t reference) {
    const auto m = measure_of(utf8);
    sms_message message{.alphabet = m.alphabet, .parts = {}};
    if (m.fits_one()) {
        auto& part = message.parts.emplace_back();
        each_character(utf8, m.alphabet, [&](std::string_view octets, std::size_t) { part += octets; });
        return message;
    }
    if (m.joined_parts > most_sms_parts) {
        return std::nullopt;
    }
    std::size_t used = room_of(m.alphabet).joined;
    each_character(utf8, m.alphabet, [&](std::string_view octets, std::size_t cost) {
        if (used + cost > room_of(m.alphabet).joined) {
            message.parts.push_back(header(reference, m.joined_parts, message.parts.size() + 1));
            used = 0;
        }
        message.parts.back() += octets;
        used += cost;
    });
    return message;
}

std::optional<std::string> decode_sms(const sms_message& message) {
    const auto total = message.parts.size();
    std::string octets;
    for (std::size_t i = 0; i < total; ++i) {
        std::string_view part = message.parts[i];
        if (total > 1) {
            if (part.size() < 6 ||
                part.substr(0, 6) != header(static_cast<std::uint8_t>(message.parts[0][3]), total, i + 1)) {
                return std::nullopt;
            }
            part.remove_prefix(6);
        }
        octets += part;
    }
    return message.alphabet == sms_alphabet::gsm7 ? decode_gsm7(octets) : decode_ucs2(octets);
}

std::string decode_part(std::string_view part, std::uint8_t data_coding) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(part[i]); };
    const bool joined = part.size() >= 6 && part.starts_with(std::string_view{"\x05\x00\x03", 3}) && octet(4) > 1 &&
                        octet(5) >= 1 && octet(5) <= octet(4);
    part.remove_prefix(joined ? 6 : 0);
    return (data_coding == 0 ? decode_gsm7(part) : decode_ucs2(part)).value_or("");
}

} // namespace semel::notice
