#include "fcm.hpp"

#include <http/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::push::fcm {
namespace {

using base::failed;
using base::fault;
using delivery::verdict;
using kind = verdict::kind;

constexpr std::string_view fcm_error = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
constexpr std::string_view bad_request = "type.googleapis.com/google.rpc.BadRequest";
// "QUOTA_EXCEEDED: ... retry with a minimum initial delay of one minute" (Firebase, error codes).
constexpr std::chrono::minutes quota_pause{1};

std::string text_of(const json::object& o, std::string_view key) {
    const auto* text = json::find_text(o, key);
    return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

struct error_body {
    std::string status;       // google.rpc.Code by name
    std::string error_code;   // FcmError
    bool names_token = false; // a field violation of message.token
    bool names_other = false; // of another field
};

error_body read_error(const http2::response& r) {
    error_body out;
    const auto body = r.complete ? json::read(r.body) : base::result<json::value>{json::value{}};
    const auto* root = body ? body->if_object() : nullptr;
    const auto* found = root == nullptr ? nullptr : root->if_contains("error");
    const auto* error = found == nullptr ? nullptr : found->if_object();
    if (error == nullptr) {
        return out;
    }
    out.status = plain_code(text_of(*error, "status"));
    const auto* list = error->if_contains("details");
    const auto* details = list == nullptr ? nullptr : list->if_array();
    if (details == nullptr) {
        return out;
    }
    for (const auto& item : *details) {
        const auto* detail = item.if_object();
        if (detail == nullptr) {
            continue;
        }
        const auto type = text_of(*detail, "@type");
        if (type == fcm_error) {
            out.error_code = plain_code(text_of(*detail, "errorCode"));
        } else if (type == bad_request) {
            const auto* fields = detail->if_contains("fieldViolations");
            const auto* violations = fields == nullptr ? nullptr : fields->if_array();
            for (const auto& v : violations == nullptr ? json::array{} : *violations) {
                const auto field = v.is_object() ? text_of(v.get_object(), "field") : std::string{};
                (field == "message.token" ? out.names_token : out.names_other) = true;
            }
        }
    }
    return out;
}

struct meaning {
    std::string_view code;
    kind what;
    std::string_view text;
    bool token_refused = false;
};

constexpr std::string_view bad_token = "the token is none of FCM's; if many are, check service_account";

// Firebase, "FcmError": every code, and the words of google.rpc.Code that come without one. A token of another project
// is one device's fault, or everybody's and ours: what others are told shows which (blame.hpp).
constexpr auto meanings = std::to_array<meaning>({
    {"UNREGISTERED", kind::permanent, "the app is no longer on the device"},
    {"SENDER_ID_MISMATCH", kind::ambiguous, "the token belongs to another project; if many do, check service_account"},
    {"QUOTA_EXCEEDED", kind::throttled, "the project's quota is used up"},
    {"RESOURCE_EXHAUSTED", kind::throttled, "the project's quota is used up"},
    {"UNAVAILABLE", kind::transient, "FCM is not available"},
    {"INTERNAL", kind::unknown, "FCM failed and does not say whether it accepted the message"},
    {"THIRD_PARTY_AUTH_ERROR", kind::ambiguous, "Firebase lacks the APNs or web push key of the app; upload it there"},
    {"UNAUTHENTICATED", kind::transient, "the access token was refused", true},
    {"PERMISSION_DENIED", kind::ambiguous, "the service account may not send for this project; grant it the role"},
    {"NOT_FOUND", kind::ambiguous, "FCM does not know the project; check service_account"},
    {"INVALID_ARGUMENT", kind::ambiguous, "FCM refuses the payload; check the notice"}, // or the token: below
});

/// INVALID_ARGUMENT says either that the token is not one, or that the payload is wrong for everybody.
bool is_about_the_token(const error_body& e) {
    return !e.names_other && (e.names_token || !e.error_code.empty());
}

kind by_status(const http2::response& r) {
    switch (r.status) {
    case 413:
        return kind::permanent;
    case 429:
        return kind::throttled;
    case 408:
    case 421:
    case 503:
        return kind::transient;
    default:
        break;
    }
    if (r.status >= 500) {
        return kind::unknown; // INTERNAL and gateways in between: nobody says that it was not processed
    }
    if (r.status >= 400 && !r.complete) {
        return kind::transient; // certainly not accepted; the reason was lost on the way
    }
    return kind::ambiguous;
}

} // namespace

base::result<http2::request> request_for(const delivery::outbound& m, std::string_view authority,
                                         std::string_view project, std::string_view access_token) {
    if (m.parts.size() != 1) {
        return failed(fault::kind::permanent, fmt::format("a push message has one payload, not {}", m.parts.size()));
    }
    http2::request r;
    r.authority = authority;
    r.path = fmt::format("/v1/projects/{}/messages:send", project);
    r.headers = {
        {"authorization", fmt::format("Bearer {}", access_token)},
        {"content-type", "application/json"},
    };
    r.body = m.parts.front();
    return r;
}

judgement judge(const http2::response& r) {
    judgement out;
    auto& v = out.verdict;
    v.code = std::to_string(r.status);
    if (r.status >= 200 && r.status < 300) {
        v.what = kind::accepted;
        const auto body = r.complete ? json::read(r.body) : base::result<json::value>{json::value{}};
        if (const auto* object = body ? body->if_object() : nullptr) {
            v.message_id = text_of(*object, "name");
        }
        if (v.message_id.empty()) {
            v.text = "accepted, but the answer names no message";
        }
        return out;
    }
    const auto error = read_error(r);
    const auto& code = error.error_code.empty() ? error.status : error.error_code;
    if (!code.empty()) {
        v.code += ' ';
        v.code += code;
    }
    const auto known = std::ranges::find(meanings, code, &meaning::code);
    if (known != meanings.end()) {
        v.what = known->what;
        v.text = known->text;
        out.token_refused = known->token_refused;
        if (code == "INVALID_ARGUMENT" && is_about_the_token(error)) {
            v.text = bad_token;
        }
    } else {
        v.what = by_status(r);
        if (r.status == 401) {
            v.what = kind::transient;
            out.token_refused = true;
            v.text = "the access token was refused";
        } else if (v.what == kind::ambiguous) {
            v.text = "FCM refuses our requests; check endpoint and service_account";
        } else if (v.what == kind::unknown) {
            v.text = "FCM failed and does not say whether it accepted the message";
        }
    }
    if (v.what == kind::transient || v.what == kind::throttled) {
        v.retry_after = retry_after(r);
        v.asked = v.retry_after.has_value();
        if (!v.retry_after && v.what == kind::throttled) {
            v.retry_after = quota_pause;
            v.concerns = verdict::reach::session; // of the project or of one device: FCM does not say which
        }
    }
    return out;
}

} // namespace semel::push::fcm
