#include "group_answers.hpp"

#include "fields.hpp"

#include <fmt/format.h>

#include <optional>

namespace semel::kafka {

using base::failed;
using base::fault;

namespace {

// https://kafka.apache.org/protocol#protocol_error_codes
constexpr std::int16_t unknown_member = 25;
constexpr std::int16_t no_such_group = 69;
constexpr std::uint32_t correlation_id = 4;
constexpr std::uint32_t longest_answer = 1 << 20;

} // namespace

base::result<std::uint32_t> length_of_answer(std::string_view four) {
    const auto n = field_reader{four}.number<std::uint32_t>();
    if (!n || *n < correlation_id || *n > longest_answer) {
        return failed(fault::kind::malformed, "the answer has no length that Kafka would send");
    }
    return *n;
}

base::result<coordinator> coordinator_in(std::string_view body, std::string_view group) {
    field_reader said{body};
    said.number<std::int32_t>(); // throttle time
    const auto error = said.number<std::int16_t>();
    said.text();                 // the error in words
    said.number<std::int32_t>(); // the broker's id
    auto host = said.text();
    const auto port = said.number<std::int32_t>();
    if (error != 0 || !host || host->empty() || !port || *port <= 0 || *port > 65'535) {
        return failed(fault::kind::transient, fmt::format("group {}: Kafka names no coordinator (error {}); try again",
                                                          group, error.value_or(-1)));
    }
    return coordinator{.host = *std::move(host), .port = *port};
}

base::result<void> departure_in(std::string_view body, std::string_view group) {
    field_reader told{body};
    told.number<std::int32_t>(); // throttle time
    auto worst = told.number<std::int16_t>();
    if (worst == no_such_group) {
        return {};
    }
    if (worst == 0) {
        const auto members = told.number<std::int32_t>();
        worst = members && *members >= 0 ? worst : std::nullopt;
        for (std::int32_t i = 0; worst == 0 && i < *members; ++i) {
            told.text();
            told.text();
            const auto code = told.number<std::int16_t>();
            worst = code == unknown_member ? std::optional<std::int16_t>{0} : code;
        }
    }
    if (worst != 0) {
        return failed(fault::kind::transient,
                      fmt::format("group {}: Kafka does not let members go (error {})", group, worst.value_or(-1)));
    }
    return {};
}

base::result<void> mechanism_agreed_in(std::string_view body, std::string_view wanted) {
    field_reader said{body};
    const auto error = said.number<std::int16_t>();
    if (error == 0) {
        return {};
    }
    std::string offers;
    const auto n = said.number<std::int32_t>().value_or(0);
    for (std::int32_t i = 0; i < n; ++i) {
        const auto name = said.text();
        if (!name) {
            break;
        }
        offers += (offers.empty() ? "" : ", ") + *name;
    }
    return failed(fault::kind::broken,
                  fmt::format("Kafka does not take {} here but {}: set kafka.sasl_mechanism to one of its own", wanted,
                              offers.empty() ? "no SASL at all" : offers));
}

base::result<std::string> sasl_token_in(std::string_view body, std::string_view user) {
    field_reader said{body};
    const auto error = said.number<std::int16_t>();
    said.text(); // the error in words, which are the same for every reason
    auto token = said.bytes();
    if (error != 0 || !token) {
        return failed(fault::kind::broken,
                      fmt::format("Kafka does not let the user {} in (error {}): compare kafka.user and "
                                  "kafka.password_file with what Kafka knows",
                                  user, error.value_or(-1)));
    }
    return *std::move(token);
}

} // namespace semel::kafka
