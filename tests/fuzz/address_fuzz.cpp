// Addresses of every kind. A canonical form is its own canonical form, or two people who share an address would not be
// told apart from two who do not; and what is sent to a gateway has no character that could end its line.

#include <address/address.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

using namespace semel;

void check(const base::result<address::address>& parsed, const base::result<address::address>& again) {
    if (!again || again->canonical != parsed->canonical) {
        std::abort();
    }
    for (const auto* form : {&parsed->canonical, &parsed->given}) {
        if (form->empty() || form->find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos) {
            std::abort();
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto a = address::email(text)) {
        check(a, address::email(a->canonical));
    }
    if (const auto a = address::phone(text, "KR")) {
        check(a, address::phone(a->canonical, "US"));
    }
    if (const auto a = address::push_token(text)) {
        check(a, address::push_token(a->canonical));
    }
    return 0;
}
