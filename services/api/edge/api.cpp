#include "api.hpp"

#include "access_events.hpp"
#include "decisions.hpp"
#include "lookups.hpp"
#include "unmatched.hpp"

#include <base/time.hpp>
#include <wire/identity.hpp>

#include <charconv>

namespace semel::api {

namespace asio = boost::asio;

guarded_routes routes(services& s) {
    guarded_routes all{s};
    add_campaign_routes(all, s);
    add_follow_up_routes(all, s);
    add_step_routes(all, s);
    add_approval_routes(all, s);
    add_upload_routes(all, s);
    add_incident_routes(all, s);
    add_record_routes(all, s);
    add_trial_routes(all, s);
    add_doubt_routes(all, s);
    add_people_routes(all, s);
    add_lookup_routes(all, s);
    add_access_event_routes(all, s);
    add_decision_routes(all, s);
    add_test_address_routes(all, s);
    add_user_routes(all, s);
    add_session_routes(all, s);
    add_session_list_routes(all, s);
    add_sign_on_routes(all, s);
    add_key_routes(all, s);
    add_unmatched_routes(all, s);
    return all;
}

http::response answer(const json::value& value, unsigned status) {
    http::response r;
    r.status = status;
    r.body = json::serialize(value);
    return r;
}

http::response not_found(const std::string& campaign) {
    return http::problem(404, "there is no campaign " + campaign, "`semel campaign list` names them all");
}

http::response refused(const base::fault& f) {
    return answer(json::object{{"error", f.why()}, {"retry", f.retryable()}}, 409);
}

v1::Event operator_event(const v1::Campaign& c, const user& who, const std::string& what) {
    v1::Event e;
    e.set_id(wire::event_id(v1::EVENT_OPERATOR, c.id(), 0, what + "|" + std::to_string(c.version())));
    e.set_kind(v1::EVENT_OPERATOR);
    e.set_campaign_id(c.id());
    e.set_time_us(base::to_us(base::now()));
    e.set_text(what);
    e.set_actor(who.name);
    return e;
}

bool is_utf8(std::string_view text) {
    return !text.contains('\0') && json::read(json::serialize(json::value(text))).has_value();
}

std::optional<std::uint32_t> number_in(const http::request& r, std::string_view parameter) {
    const auto& text = r.parameter(parameter);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && number >= 1 && number <= 999'999'999 ? std::optional{number} : std::nullopt;
}

asio::awaitable<base::result<json::object>> read_object(http::request& r) {
    auto body = co_await r.body();
    if (!body) {
        co_return base::failed(body.error());
    }
    auto value = json::read(*body);
    if (!value) {
        co_return base::failed(value.error());
    }
    if (!value->is_object()) {
        co_return base::failed(base::fault::kind::malformed, "the body must be a JSON object");
    }
    co_return std::move(value->as_object());
}

} // namespace semel::api
