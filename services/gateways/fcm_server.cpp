#include "desk.hpp"
#include "push_server.hpp"
#include "text.hpp"

#include <crypto/seal.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace semel::gateways {

namespace {

constexpr std::size_t most_payload = 4096;
constexpr std::int64_t lifetime = 3599;

struct violation {
    std::string field;
    std::string what;
};
using verdict = std::optional<violation>;

push_answer problem(int status, std::string_view canonical, std::string_view fcm_code, const verdict& field) {
    json::array details;
    if (field) {
        details.push_back(json::object{
            {"@type", "type.googleapis.com/google.rpc.BadRequest"},
            {"fieldViolations", json::array{json::object{{"field", field->field}, {"description", field->what}}}}});
    } else if (!fcm_code.empty()) {
        details.push_back(json::object{{"@type", "type.googleapis.com/google.firebase.fcm.v1.FcmError"},
                                       {"errorCode", json::string_view{fcm_code.data(), fcm_code.size()}}});
    }
    json::object error{{"code", status},
                       {"message", field ? field->what : "refused by the test gateway"},
                       {"status", json::string_view{canonical.data(), canonical.size()}}};
    if (!details.empty()) {
        error["details"] = std::move(details);
    }
    return {.status = status,
            .headers = {{"content-type", "application/json; charset=UTF-8"}},
            .body = json::serialize(json::object{{"error", std::move(error)}})};
}

/// google.rpc.Code for a status.
std::string_view canonical(int status) {
    switch (status) {
    case 400:
        return "INVALID_ARGUMENT";
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return "PERMISSION_DENIED";
    case 404:
        return "NOT_FOUND";
    case 429:
        return "RESOURCE_EXHAUSTED";
    case 503:
        return "UNAVAILABLE";
    default:
        return "INTERNAL";
    }
}

std::string_view view(const json::string& s) {
    return {s.data(), s.size()};
}

enum class type : unsigned char { text, texts, object, boolean, any };
struct field {
    std::string_view camel, snake; // proto3's JSON reads both
    type want = type::text;
};

bool is_texts(const json::value& v) {
    const auto* o = v.if_object();
    return o != nullptr && std::ranges::all_of(*o, [](const auto& m) { return m.value().is_string(); });
}

bool has(const json::value& v, type want) {
    switch (want) {
    case type::text:
        return v.is_string();
    case type::texts:
        return is_texts(v);
    case type::object:
        return v.is_object();
    case type::boolean:
        return v.is_bool();
    case type::any:
        return true;
    }
    return false;
}

/// Google refuses a name that its message lacks, and a value of another type.
verdict check_fields(const json::object& o, std::string_view where, std::initializer_list<field> known) {
    for (const auto& member : o) {
        const auto* const found = std::ranges::find_if(
            known, [&](const field& f) { return f.camel == member.key() || f.snake == member.key(); });
        const auto name = fmt::format("{}.{}", where, std::string_view{member.key().data(), member.key().size()});
        if (found == known.end()) {
            return violation{name, "no such field"};
        }
        if (!has(member.value(), found->want)) {
            return violation{name, "a value of another type"};
        }
    }
    return std::nullopt;
}

const json::object* object_at(const json::object& o, std::string_view key) {
    const auto* v = o.if_contains(key);
    return v == nullptr ? nullptr : v->if_object();
}
const json::string* text_at(const json::object& o, std::string_view camel, std::string_view snake) {
    const auto* text = json::find_text(o, camel);
    return text != nullptr ? text : json::find_text(o, snake);
}

bool is_duration(std::string_view text) {
    if (!text.ends_with('s')) {
        return false;
    }
    text.remove_suffix(1);
    const auto dot = text.find('.');
    const auto whole = text.substr(0, dot);
    return is_digits(whole) && whole.size() <= 9 &&
           (dot == std::string_view::npos || (is_digits(text.substr(dot + 1)) && text.size() - dot <= 10));
}

verdict check_data(const json::object& data, std::string_view where) {
    for (const auto& member : data) {
        const std::string_view key{member.key().data(), member.key().size()};
        if (key.empty() || key == "from" || key == "message_type" || key.starts_with("google") ||
            key.starts_with("gcm")) {
            return violation{fmt::format("{}.{}", where, key), "a reserved key"};
        }
    }
    return std::nullopt;
}

verdict check_android(const json::object& android) {
    auto wrong = check_fields(android, "message.android",
                              {{"collapseKey", "collapse_key"},
                               {"priority", "priority"},
                               {"ttl", "ttl"},
                               {"restrictedPackageName", "restricted_package_name"},
                               {"data", "data", type::texts},
                               {"notification", "notification", type::object},
                               {"fcmOptions", "fcm_options", type::object},
                               {"directBootOk", "direct_boot_ok", type::boolean}});
    if (wrong) {
        return wrong;
    }
    if (const auto* p = json::find_text(android, "priority");
        p != nullptr && view(*p) != "NORMAL" && view(*p) != "HIGH" && view(*p) != "normal" && view(*p) != "high") {
        return violation{"message.android.priority", "NORMAL or HIGH"};
    }
    if (const auto* ttl = json::find_text(android, "ttl"); ttl != nullptr) {
        if (!is_duration(view(*ttl)) || std::stoll(std::string{view(*ttl)}) > 2'419'200) {
            return violation{"message.android.ttl", "seconds, 0 to 2419200, with an s"};
        }
    }
    if (const auto* n = object_at(android, "notification")) {
        return check_fields(*n, "message.android.notification",
                            {{"title", "title"},
                             {"body", "body"},
                             {"icon", "icon"},
                             {"color", "color"},
                             {"sound", "sound"},
                             {"tag", "tag"},
                             {"clickAction", "click_action"},
                             {"channelId", "channel_id"},
                             {"image", "image"},
                             {"visibility", "visibility"},
                             {"notificationPriority", "notification_priority"},
                             {"ticker", "ticker"},
                             {"sticky", "sticky", type::boolean},
                             {"localOnly", "local_only", type::boolean},
                             {"defaultSound", "default_sound", type::boolean}});
    }
    return std::nullopt;
}

verdict check_message(const json::object& m) {
    auto wrong = check_fields(m, "message",
                              {{"token", "token"},
                               {"topic", "topic"},
                               {"condition", "condition"},
                               {"fid", "fid"},
                               {"data", "data", type::texts},
                               {"notification", "notification", type::object},
                               {"android", "android", type::object},
                               {"apns", "apns", type::object},
                               {"webpush", "webpush", type::object},
                               {"fcmOptions", "fcm_options", type::object}});
    if (wrong) {
        return wrong;
    }
    const auto targets = std::ranges::count_if(std::array<std::string_view, 4>{"token", "topic", "condition", "fid"},
                                               [&](std::string_view t) { return m.contains(t); });
    const auto* token = json::find_text(m, "token");
    if (targets != 1 || (token != nullptr && token->empty())) {
        return violation{"message.token", "exactly one of token, topic, condition, fid"};
    }
    std::size_t payload = 0;
    if (const auto* data = object_at(m, "data")) {
        wrong = check_data(*data, "message.data");
        for (const auto& member : *data) {
            payload += member.key().size() + member.value().get_string().size();
        }
    }
    if (const auto* n = object_at(m, "notification"); n != nullptr && !wrong) {
        wrong = check_fields(*n, "message.notification", {{"title", "title"}, {"body", "body"}, {"image", "image"}});
        for (const auto& member : *n) {
            payload += member.value().is_string() ? member.value().get_string().size() : 0;
        }
    }
    if (payload > most_payload && !wrong) {
        return violation{"message", "over 4096 bytes"};
    }
    if (const auto* android = object_at(m, "android"); android != nullptr && !wrong) {
        wrong = check_android(*android);
    }
    if (const auto* apns = object_at(m, "apns"); apns != nullptr && !wrong) {
        wrong = check_fields(*apns, "message.apns",
                             {{"headers", "headers", type::texts},
                              {"payload", "payload", type::object},
                              {"fcmOptions", "fcm_options", type::object},
                              {"liveActivityToken", "live_activity_token"}});
    }
    return wrong;
}

std::string text_or_nothing(const json::string* s) {
    return s == nullptr ? std::string{} : std::string{view(*s)};
}

/// The value of `"idem":"..."` in a body whose end may be missing still.
std::string early_idem(std::string_view body) {
    constexpr std::string_view key = R"("idem":")";
    const auto at = body.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    const auto value = body.substr(at + key.size());
    const auto end = value.find('"');
    return end == std::string_view::npos ? std::string{} : std::string{value.substr(0, end)};
}

/// ID of "/v1/projects/ID/messages:send".
std::string_view project_of(std::string_view path) {
    constexpr std::string_view before = "/v1/projects/", after = "/messages:send";
    if (!path.starts_with(before) || !path.ends_with(after) || path.size() <= before.size() + after.size()) {
        return {};
    }
    const auto id = path.substr(before.size(), path.size() - before.size() - after.size());
    return id.contains('/') ? std::string_view{} : id;
}

} // namespace

fcm_server::fcm_server(public_key key)
    : key_(std::move(key)) {}

std::pair<std::string, std::string> fcm_server::early(const push_request& r) const {
    constexpr std::string_view key = R"("token":")";
    auto id = early_idem(r.body);
    const auto at = r.body.find(key);
    const auto value = std::string_view{r.body}.substr(std::min(r.body.size(), at + key.size()));
    return {std::move(id), at == std::string::npos ? std::string{} : std::string{value.substr(0, value.find('"'))}};
}

push_answer fcm_server::issue(const push_request& r, std::int64_t now, std::string& rule) {
    const auto refuse = [&](std::string_view why) {
        rule = fmt::format("token request: {}", why);
        return push_answer{.status = 400,
                           .headers = {{"content-type", "application/json; charset=utf-8"}},
                           .body = fmt::format(R"({{"error":"invalid_grant","error_description":"{}"}})", why)};
    };
    constexpr std::string_view grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    if (r.method != "POST" || !r.content_type.starts_with("application/x-www-form-urlencoded")) {
        return refuse("a POST of application/x-www-form-urlencoded");
    }
    if (!r.body.starts_with(grant)) {
        return refuse("grant_type and assertion");
    }
    const auto t = read_token(std::string_view{r.body}.substr(grant.size()), "RS256", key_);
    const auto issued = t ? time_claim(t->claims, "iat") : std::nullopt;
    const auto expires = t ? time_claim(t->claims, "exp") : std::nullopt;
    if (!t) {
        return refuse("Invalid JWT Signature.");
    }
    if (!issued || !expires || *issued > now + 60 || *expires < now || *expires > *issued + 3600) {
        return refuse("Invalid JWT: iat and exp");
    }
    if (!text_claim(t->claims, "iss").contains('@') || text_claim(t->claims, "aud").empty() ||
        !text_claim(t->claims, "scope").contains("https://www.googleapis.com/auth/firebase.messaging")) {
        return refuse("Invalid JWT: iss, aud and scope");
    }
    std::string token = "ya29.";
    append_hex(token, crypto::random_bytes(24));
    issued_.push_back({token, now + lifetime});
    if (issued_.size() > 256) {
        issued_.pop_front();
    }
    return {.status = 200,
            .headers = {{"content-type", "application/json; charset=utf-8"}},
            .body = fmt::format(R"({{"access_token":"{}","expires_in":{},"token_type":"Bearer"}})", token, lifetime)};
}

bool fcm_server::is_issued(std::string_view authorization, std::int64_t now) const {
    constexpr std::string_view scheme = "Bearer ";
    return authorization.starts_with(scheme) &&
           std::ranges::any_of(issued_.rbegin(), issued_.rend(), [&](const issued& i) {
               return i.token == authorization.substr(scheme.size()) && i.until > now;
           });
}

checked_push fcm_server::check(const push_request& r, std::int64_t now) {
    checked_push out;
    const auto refuse = [&out](push_answer answer, std::string rule) {
        out.instead = std::move(answer);
        out.rule = std::move(rule);
    };
    if (r.path == "/token") {
        out.instead = issue(r, now, out.rule);
        return out;
    }
    const auto project = project_of(r.path);
    if (r.method != "POST" || project.empty() || r.header_twice) {
        refuse(problem(404, "NOT_FOUND", "", violation{"path", "POST /v1/projects/ID/messages:send"}), "path");
        return out;
    }
    if (!is_issued(r.authorization, now)) {
        refuse(problem(401, "UNAUTHENTICATED", "", std::nullopt), "");
        return out;
    }
    const auto body = json::read(r.body);
    const auto* root = body ? body->if_object() : nullptr;
    if (root == nullptr || !r.content_type.starts_with("application/json")) {
        refuse(problem(400, "INVALID_ARGUMENT", "", violation{"body", "a JSON object"}),
               "the body is not a JSON object");
        return out;
    }
    auto wrong = check_fields(*root, "request",
                              {{"message", "message", type::object}, {"validateOnly", "validate_only", type::boolean}});
    const auto* message = object_at(*root, "message");
    if (!wrong && message == nullptr) {
        wrong = violation{"message", "missing"};
    }
    if (!wrong) {
        wrong = check_message(*message);
    }
    if (wrong) {
        auto rule = wrong->field + ": " + wrong->what;
        refuse(problem(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", wrong), std::move(rule));
        return out;
    }
    if (const auto* data = object_at(*message, "data")) {
        out.id = text_or_nothing(json::find_text(*data, "idem"));
    }
    if (const auto* android = object_at(*message, "android"); android != nullptr && out.id.empty()) {
        out.id = text_or_nothing(text_at(*android, "collapseKey", "collapse_key"));
    }
    out.address = text_or_nothing(json::find_text(*message, "token"));
    out.more = ",\"project\":";
    append_json(out.more, project);
    out.gateway_message_id = fmt::format("projects/{}/messages/0:{}", project, next_message_number());
    return out;
}

push_answer fcm_server::accepted(const checked_push& m) const {
    return {.status = 200,
            .headers = {{"content-type", "application/json; charset=UTF-8"}},
            .body = fmt::format("{{\"name\":\"{}\"}}\n", m.gateway_message_id)};
}

push_answer fcm_server::refused(const refusal& why, std::optional<unsigned> retry_after, const push_request&) const {
    const auto status = static_cast<int>(why.code);
    auto out = problem(status, canonical(status), why.detail, std::nullopt);
    if (retry_after && (status == 429 || status == 503)) {
        out.headers.emplace_back("retry-after", std::to_string(*retry_after));
    }
    return out;
}

} // namespace semel::gateways
