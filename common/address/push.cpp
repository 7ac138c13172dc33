#include "address.hpp"
#include "text.hpp"

namespace semel::address {
namespace {

// Apple: "don't make assumptions about the length"; 32 bytes today, 100 at most in its own header file.
constexpr std::size_t shortest_apns = 64;
constexpr std::size_t longest_apns = 200;
constexpr std::size_t longest_fcm = 4096;

constexpr bool is_hex(char c) noexcept {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}
// Registration tokens are base64url in pieces joined by ":"; installation ids use the same letters.
constexpr bool is_token_char(char c) noexcept {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == ':' || c == '.' || c == '%' || c == '=';
}

base::result<address> apns(std::string_view token) {
    if (token.size() < shortest_apns || token.size() > longest_apns) {
        return refused("an APNs token has 64 to 200 hexadecimal digits");
    }
    if (token.size() % 2 != 0) {
        return refused("the APNs token has an odd number of digits");
    }
    std::string canonical = "apns:";
    for (const char c : token) {
        if (!is_hex(c)) {
            return refused("the APNs token has a character that is not hexadecimal");
        }
        canonical += lower(c);
    }
    return address{base::channel::push, std::move(canonical), std::string{token}, "apns"};
}

base::result<address> fcm(std::string_view token) {
    if (token.empty()) {
        return refused("nothing stands after fcm:");
    }
    if (token.size() > longest_fcm) {
        return refused("the FCM token is longer than 4,096 characters");
    }
    for (const char c : token) {
        if (!is_token_char(c)) {
            return refused("the FCM token has a character that no token has");
        }
    }
    return address{base::channel::push, "fcm:" + std::string{token}, std::string{token}, "fcm"};
}

} // namespace

base::result<address> push_token(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) {
        return refused("it is empty");
    }
    if (text.starts_with("apns:")) {
        return apns(text.substr(5));
    }
    if (text.starts_with("fcm:")) {
        return fcm(text.substr(4));
    }
    return refused("it starts with neither apns: nor fcm:");
}

} // namespace semel::address
