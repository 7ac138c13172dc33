#pragma once
// What Kafka answers to FindCoordinator 1, LeaveGroup 3, SaslHandshake 1 and SaslAuthenticate 0
// (https://kafka.apache.org/protocol). Pure; outside bytes.

#include <base/fault.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace semel::kafka {

/// Bytes that follow the four which say so: a correlation id at least, and no more than such an answer ever has.
base::result<std::uint32_t> length_of_answer(std::string_view four);

struct coordinator {
    std::string host;
    std::int32_t port = 0;
};
/// `body`: what follows the correlation id. `group` is for the error's text.
base::result<coordinator> coordinator_in(std::string_view body, std::string_view group);

/// A group that does not exist and an instance that is not a member are gone: no fault.
base::result<void> departure_in(std::string_view body, std::string_view group);

/// `broken`, naming what the broker offers, when it does not take this mechanism.
base::result<void> mechanism_agreed_in(std::string_view body, std::string_view wanted);
/// The broker's part of the SASL exchange; `broken` when it refuses the user.
base::result<std::string> sasl_token_in(std::string_view body, std::string_view user);

} // namespace semel::kafka
