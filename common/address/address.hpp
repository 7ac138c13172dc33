#pragma once
// Addresses in two forms: *canonical*, for telling whether two people share one, and *as given*, for sending. Pure;
// every function may be called from any thread. What is refused and what is folded: docs/decisions/0004.
//
// White space (ASCII) around an address is not part of it and is left out of both forms. Nothing else is repaired: an
// address that is not one is refused. The reason never repeats the address.

#include <base/fault.hpp>
#include <base/ids.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace semel::address {

struct address {
    base::channel channel = base::channel::email;
    std::string canonical;
    std::string given;
    std::string transport; // push only: "apns" or "fcm"

    friend bool operator==(const address&, const address&) = default;
};

/// `given`: the mailbox as written. `canonical`: NFC, lower case, the domain as A-labels; gmail's dots and +tags gone.
base::result<address> email(std::string_view text);

/// `canonical`: E.164 with its plus ("+821012345678"); SMPP's destination_addr is canonical without the plus.
/// `given`: the number as written. `default_region`: ISO 3166 alpha-2, for numbers in national form.
base::result<address> phone(std::string_view text, std::string_view default_region);
/// False when libphonenumber knows no such region.
bool is_known_region(std::string_view region);

/// One token, "apns:TOKEN" or "fcm:TOKEN". `canonical`: with its prefix, APNs' hex in lower case. `given`: the token
/// alone, as it was written.
base::result<address> push_token(std::string_view text);

} // namespace semel::address
