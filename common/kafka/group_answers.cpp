#include "group_answers.hpp"

#include <fmt/format.h>

#include <algorithm>
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

/// Whatever is not there reads as nothing.
class reader {
  public:
    explicit reader(std::string_view bytes)
        : rest_(bytes) {}
    template <class Int>
    std::optional<Int> number() {
        if (rest_.size() < sizeof(Int)) {
            rest_ = {};
            return std::nullopt;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(Int); ++i) {
            value = value << 8U | static_cast<unsigned char>(rest_[i]);
        }
        rest_.remove_prefix(sizeof(Int));
        return static_cast<Int>(value);
    }
    /// Empty for a null.
    std::optional<std::string> text() {
        const auto size = number<std::int16_t>();
        const auto n = static_cast<std::size_t>(std::max<std::int16_t>(size.value_or(0), 0));
        if (!size || rest_.size() < n) {
            rest_ = {};
            return std::nullopt;
        }
        std::string out{rest_.substr(0, n)};
        rest_.remove_prefix(n);
        return out;
    }

  private:
    std::string_view rest_;
};

} // namespace

base::result<std::uint32_t> length_of_answer(std::string_view four) {
    const auto n = reader{four}.number<std::uint32_t>();
    if (!n || *n < correlation_id || *n > longest_answer) {
        return failed(fault::kind::malformed, "the answer has no length that Kafka would send");
    }
    return *n;
}

base::result<coordinator> coordinator_in(std::string_view body, std::string_view group) {
    reader said{body};
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
    reader told{body};
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

} // namespace semel::kafka
