#include "apns.hpp"

#include <base/bytes.hpp>
#include <http/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::push::apns {
namespace {

using base::failed;
using base::fault;
using delivery::verdict;
using kind = verdict::kind;

// Without an end of its own a message may wait for its device as long as Apple keeps one.
constexpr std::chrono::days longest_storage{30};

struct meaning {
    std::string_view reason;
    kind what;
    std::string_view text;
    bool token_refused = false;
    verdict::reach concerns = verdict::reach::lane;
};

constexpr std::string_view our_key =
    "APNs refuses our provider token or certificate; check team_id, key_id and key_file";

constexpr std::string_view our_request =
    "APNs refuses the request; if it does so for everybody, check endpoint and topic";

// Apple, "Handling notification responses from APNs": every reason that it lists. A token that is bad in this
// environment or for this topic is one device's fault, or everybody's and ours: what others are told shows which
// (blame.hpp).
constexpr auto meanings = std::to_array<meaning>({
    {"BadDeviceToken", kind::ambiguous, "the device token is not valid here; if many are, check endpoint and topic"},
    {"DeviceTokenNotForTopic", kind::ambiguous, "the device token belongs to another app; if many do, check topic"},
    {"MissingDeviceToken", kind::permanent, "the request names no device"},
    {"Unregistered", kind::permanent, "the app is no longer on the device"},
    {"ExpiredToken", kind::permanent, "the device token has expired"},
    {"PayloadTooLarge", kind::permanent, "the payload is larger than APNs takes"},
    {"BadCollapseId", kind::ambiguous, our_request},
    {"BadExpirationDate", kind::ambiguous, our_request},
    {"BadMessageId", kind::ambiguous, our_request},
    {"BadPriority", kind::ambiguous, our_request},
    {"BadTopic", kind::ambiguous, our_request},
    {"MissingTopic", kind::ambiguous, our_request},
    {"TopicDisallowed", kind::ambiguous, our_request},
    {"DuplicateHeaders", kind::ambiguous, our_request},
    {"InvalidPushType", kind::ambiguous, our_request},
    {"PayloadEmpty", kind::ambiguous, our_request},
    {"Forbidden", kind::ambiguous, our_request},
    {"BadPath", kind::ambiguous, our_request},
    {"MethodNotAllowed", kind::ambiguous, our_request},
    {"IdleTimeout", kind::transient, "the connection was idle for too long"},
    {"TooManyRequests", kind::throttled, "too many messages to this device", false, verdict::reach::message},
    {"ExpiredProviderToken", kind::transient, "the provider token was refused as outdated", true},
    {"TooManyProviderTokenUpdates", kind::throttled, "the provider token is renewed too often"},
    {"InvalidProviderToken", kind::lane_stop, our_key},
    {"MissingProviderToken", kind::lane_stop, our_key},
    {"UnrelatedKeyIdInToken", kind::lane_stop, our_key},
    {"BadEnvironmentKeyIdInToken", kind::lane_stop, our_key},
    {"BadEnvironmentKeyInToken", kind::lane_stop, our_key}, // what the wire says
    {"BadCertificate", kind::lane_stop, our_key},
    {"BadCertificateEnvironment", kind::lane_stop, our_key},
    {"InternalServerError", kind::unknown, "APNs failed and does not say whether it accepted the message"},
    {"ServiceUnavailable", kind::transient, "APNs is not available"},
    {"Shutdown", kind::transient, "the APNs server is shutting down"},
});

const meaning* find(std::string_view reason) {
    const auto found = std::ranges::find(meanings, reason, &meaning::reason);
    return found == meanings.end() ? nullptr : &*found;
}

std::string reason_of(const http2::response& r) {
    if (!r.complete) {
        return {};
    }
    const auto body = json::read(r.body);
    const auto* object = body ? body->if_object() : nullptr;
    const auto* reason = object == nullptr ? nullptr : json::find_text(*object, "reason");
    return reason == nullptr ? std::string{} : plain_code(std::string_view{reason->data(), reason->size()});
}

// For a reason that the table lacks, or an answer whose body was cut: only the status speaks.
kind by_status(const http2::response& r) {
    switch (r.status) {
    case 410:
    case 413:
        return kind::permanent;
    case 408:
    case 421:
    case 429:
    case 503:
        return kind::transient;
    default:
        break;
    }
    if (r.status >= 500) {
        return kind::unknown; // Apple does not say that a 500 was not processed
    }
    if (r.status >= 400 && !r.complete) {
        return kind::transient; // certainly not accepted; the reason was lost on the way
    }
    return kind::ambiguous;
}

} // namespace

std::string apns_id(const base::notification_id& id) {
    auto bytes = std::string{base::as_view(id).substr(0, 16)};
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x80); // version 8
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80); // variant of RFC 9562
    const auto hex = base::to_hex(bytes);
    const std::string_view h{hex};
    return fmt::format("{}-{}-{}-{}-{}", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4), h.substr(16, 4),
                       h.substr(20));
}

base::result<http2::request> request_for(const delivery::outbound& m, std::string_view authority,
                                         std::string_view topic, std::string_view provider_token) {
    if (m.address.empty() || m.address.size() > 200 || !base::from_hex(m.address)) {
        return failed(fault::kind::permanent,
                      "the device token is not hexadecimal; correct the audience's push column");
    }
    if (m.parts.size() != 1) {
        return failed(fault::kind::permanent, fmt::format("a push message has one payload, not {}", m.parts.size()));
    }
    const auto until = std::chrono::floor<std::chrono::seconds>(m.give_up.value_or(m.planned_at + longest_storage));
    http2::request r;
    r.authority = authority;
    r.path = "/3/device/" + m.address;
    r.headers = {
        {"authorization",
         fmt::format("bearer {}", provider_token)}, // the same for an hour: worth its place in the table
        {"apns-topic", std::string{topic}},
        {"apns-push-type", "alert"},
        {"apns-priority", "10"},
        {"apns-expiration", std::to_string(std::max<std::int64_t>(until.time_since_epoch().count(), 0))},
        {"apns-id", apns_id(m.notification), true},
        {"apns-collapse-id", base::to_hex(m.notification), true}, // 64 characters, the most that Apple takes
    };
    r.body = m.parts.front();
    return r;
}

judgement judge(const http2::response& r, std::string_view sent_id) {
    judgement out;
    auto& v = out.verdict;
    v.code = std::to_string(r.status);
    if (r.status >= 200 && r.status < 300) {
        v.what = kind::accepted;
        const auto id = r.header_value("apns-id");
        v.message_id = base::to_printable(id.empty() ? sent_id : id);
        return out;
    }
    const auto reason = reason_of(r);
    const auto* known = find(reason);
    if (!reason.empty()) {
        v.code += ' ';
        v.code += reason;
    }
    v.what = known != nullptr ? known->what : by_status(r);
    v.concerns = known != nullptr ? known->concerns : verdict::reach::lane;
    out.token_refused = known != nullptr && known->token_refused;
    if (known != nullptr) {
        v.text = known->text;
    } else if (v.what == kind::ambiguous) {
        v.text = our_request;
    } else if (v.what == kind::unknown) {
        v.text = "APNs failed and does not say whether it accepted the message";
    }
    if (v.what == kind::transient || v.what == kind::throttled) {
        v.retry_after = retry_after(r);
        v.asked = v.retry_after.has_value();
        if (!v.retry_after && v.what == kind::throttled) {
            v.retry_after = std::chrono::minutes{1};
        }
    }
    return out;
}

} // namespace semel::push::apns
