#include "push_server.hpp"
#include "text.hpp"

#include <crypto/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::gateways {

namespace {

constexpr std::string_view device_path = "/3/device/";
constexpr std::size_t most_payload = 4096;
constexpr std::array<std::string_view, 11> push_types{"alert",        "background", "voip",         "complication",
                                                      "fileprovider", "mdm",        "liveactivity", "location",
                                                      "pushtotalk",   "widgets",    "controls"};

bool is_uuid(std::string_view text) {
    if (text.size() != 36) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) {
            return false;
        }
    }
    return true;
}

bool is_topic(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

/// A UUID as Apple makes one for a request that brings none; from the request, so that a run repeats itself.
std::string made_id(const push_request& r) {
    std::string hex;
    append_hex(hex, base::as_view(crypto::sha256(r.path + r.body)).substr(0, 16));
    return fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3), hex.substr(17, 3),
                       hex.substr(20, 12));
}

push_answer with_reason(int status, std::string_view reason, std::string_view apns_id, std::int64_t timestamp_ms) {
    push_answer out{.status = status, .headers = {}, .body = {}};
    if (!apns_id.empty()) {
        out.headers.emplace_back("apns-id", apns_id);
    }
    out.body = status == 410 ? fmt::format(R"({{"reason":"{}","timestamp":{}}})", reason, timestamp_ms)
                             : fmt::format(R"({{"reason":"{}"}})", reason);
    return out;
}

struct objection {
    int status = 0;
    std::string_view reason;
};

/// Apple, "Sending notification requests to APNs", table of headers.
std::optional<objection> objection_to_headers(const push_request& r) {
    const auto device = std::string_view{r.path}.substr(std::min(r.path.size(), device_path.size()));
    if (r.method != "POST") {
        return objection{405, "MethodNotAllowed"};
    }
    if (!r.path.starts_with(device_path)) {
        return objection{404, "BadPath"};
    }
    if (device.empty()) {
        return objection{400, "MissingDeviceToken"};
    }
    if (device.size() < 64 || device.size() > 200 || device.size() % 2 != 0 || !is_hex(device)) {
        return objection{400, "BadDeviceToken"};
    }
    if (r.header_twice) {
        return objection{400, "DuplicateHeaders"};
    }
    if (r.apns_topic.empty()) {
        return objection{400, "MissingTopic"};
    }
    if (!is_topic(r.apns_topic)) {
        return objection{400, "BadTopic"};
    }
    if (!r.apns_id.empty() && !is_uuid(r.apns_id)) {
        return objection{400, "BadMessageId"};
    }
    if (r.apns_collapse_id.size() > 64) {
        return objection{400, "BadCollapseId"};
    }
    if (std::ranges::find(push_types, r.apns_push_type) == push_types.end()) {
        return objection{400, "InvalidPushType"};
    }
    if (!r.apns_priority.empty() && r.apns_priority != "1" && r.apns_priority != "5" && r.apns_priority != "10") {
        return objection{400, "BadPriority"};
    }
    if (!r.apns_expiration.empty() && (!is_digits(r.apns_expiration) || r.apns_expiration.size() > 12)) {
        return objection{400, "BadExpirationDate"};
    }
    return std::nullopt;
}

std::optional<objection> objection_to_payload(std::string_view body) {
    if (body.empty()) {
        return objection{400, "PayloadEmpty"};
    }
    if (body.size() > most_payload) {
        return objection{413, "PayloadTooLarge"};
    }
    const auto value = json::read(body);
    const auto* aps = value && value->is_object() ? value->get_object().if_contains("aps") : nullptr;
    if (aps == nullptr || !aps->is_object()) {
        return objection{400, "BadPayload"}; // ours: Apple documents no word for it
    }
    return std::nullopt;
}

} // namespace

std::pair<std::string, std::string> apns_server::early(const push_request& r) const {
    return {r.apns_collapse_id.empty() ? r.apns_id : r.apns_collapse_id,
            r.path.substr(std::min(r.path.size(), device_path.size()))};
}

std::string_view apns_server::objection_to_token(std::string_view authorization, std::int64_t now) {
    constexpr std::string_view scheme = "bearer ";
    constexpr std::int64_t hour = 3600;
    if (authorization.size() < scheme.size() || !same_word(authorization.substr(0, scheme.size()), scheme)) {
        return "MissingProviderToken";
    }
    const auto text = authorization.substr(scheme.size());
    if (text != good_) {
        const auto t = read_token(text, "ES256", key_);
        const auto issued = t ? time_claim(t->claims, "iat") : std::nullopt;
        if (!issued || text_claim(t->header, "kid").size() != 10 || text_claim(t->claims, "iss").size() != 10 ||
            *issued > now + 60) {
            return "InvalidProviderToken";
        }
        good_ = text;
        good_since_ = *issued;
    }
    return now - good_since_ > hour ? "ExpiredProviderToken" : "";
}

checked_push apns_server::check(const push_request& r, std::int64_t now) {
    checked_push out;
    auto wrong = objection_to_headers(r);
    if (!wrong) {
        if (const auto token = objection_to_token(r.authorization, now); !token.empty()) {
            wrong = objection{403, token};
        }
    }
    if (!wrong) {
        wrong = objection_to_payload(r.body);
    }
    if (wrong) {
        out.instead = with_reason(wrong->status, wrong->reason, r.apns_id, 0);
        out.rule = wrong->reason;
        return out;
    }
    std::tie(out.id, out.address) = early(r);
    out.gateway_message_id = r.apns_id.empty() ? made_id(r) : r.apns_id;
    if (out.id.empty()) {
        out.id = out.gateway_message_id;
    }
    out.more = ",\"apns_id\":";
    append_json(out.more, r.apns_id);
    out.more += ",\"topic\":";
    append_json(out.more, r.apns_topic);
    return out;
}

push_answer apns_server::accepted(const checked_push& m) const {
    return {.status = 200, .headers = {{"apns-id", m.gateway_message_id}}, .body = {}};
}

push_answer apns_server::refused(const refusal& why, std::optional<unsigned> retry_after, const push_request& r) const {
    constexpr std::int64_t long_ago = 1'700'000'000'000;
    auto out = with_reason(static_cast<int>(why.code), why.detail, r.apns_id, long_ago);
    if (retry_after && (why.code == 429 || why.code == 503)) {
        out.headers.emplace_back("retry-after", std::to_string(*retry_after));
    }
    return out;
}

} // namespace semel::gateways
