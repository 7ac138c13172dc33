#include "test_addresses.hpp"

namespace semel::api {

base::result<address::address> read_test_address(std::string_view written) {
    if (written.starts_with("apns:") || written.starts_with("fcm:")) {
        return address::push_token(written);
    }
    if (written.contains('@')) {
        return address::email(written);
    }
    if (!written.starts_with('+')) {
        return base::failed(base::fault::kind::malformed,
                            "this is neither a mailbox (kim@example.com), nor a phone number with its country code "
                            "(+82 10 1234 5678), nor a token (apns:... or fcm:...)");
    }
    return address::phone(written, "");
}

} // namespace semel::api
