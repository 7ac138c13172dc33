#pragma once
// How a listener treats its messages, as values and as the JSON of POST /behaviour (README.md). Pure.

#include "chance.hpp"

#include <base/fault.hpp>
#include <http/json.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::gateways {

enum class kind : unsigned char { smtp, apns, fcm, smpp };
std::string_view to_string(kind) noexcept;
std::optional<kind> kind_from(std::string_view) noexcept;

/// A negative answer.
struct refusal {
    enum class place : unsigned char { mail, rcpt, data, dot }; // SMTP alone
    std::string name;                                           // as counted: "451 4.7.1", "410 Unregistered", "0x58"
    std::uint32_t code = 0;                                     // SMTP reply, HTTP status, command_status
    std::string detail;                                         // enhanced status, or reason
    place at = place::dot;
    bool refused_stream = false; // HTTP/2: RST_STREAM instead of an answer
};
base::result<refusal> parse_refusal(kind, std::string_view);

template <class T>
using shares = std::vector<std::pair<T, double>>;

/// The entry that a draw of 0 <= x < 1 falls on; nothing beyond their sum.
template <class T>
const T* drawn(const shares<T>& all, double x) noexcept {
    for (const auto& [value, share] : all) {
        if (x < share) {
            return &value;
        }
        x -= share;
    }
    return nullptr;
}

struct receipts {
    double probability = 0;
    std::chrono::milliseconds delay{0}, jitter{0};
    shares<std::string> states{{"DELIVRD", 1}};
    double duplicates = 0;
    double before_response = 0;
    bool text = true, tlv = true;
};

struct behaviour {
    std::chrono::milliseconds latency{0}, jitter{0};
    shares<refusal> errors;
    std::optional<unsigned> retry_after;
    double silence = 0, accept_then_reset = 0, reset_before_last_byte = 0;
    unsigned most_per_second = 0; // 0: no limit
    refusal throttle_answer;      // beyond it
    bool hang = false, refuse_connections = false;
    std::vector<std::string> fail_suffix;
    double fail_share = 0;
    refusal fail_answer;
    gateways::receipts receipts;
};

/// All accepted at once.
behaviour polite(kind);
/// Changes what the object names. `malformed` names the field; then nothing is changed.
base::result<void> change(kind, behaviour&, const json::object&);
json::object describe(const behaviour&);

/// What becomes of a message.
struct course {
    enum class fate : unsigned char { accept, refuse, silence, accept_then_reset, reset_before_last_byte };
    fate what = fate::accept;
    refusal why; // of `refuse`
    std::chrono::microseconds delay{0};
};
/// Whether the address fails for ever, whoever asks and however often.
bool fails_for_ever(const behaviour&, std::string_view address) noexcept;
course draw(const behaviour&, std::string_view address, chance);

} // namespace semel::gateways
