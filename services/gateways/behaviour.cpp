#include "behaviour.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace semel::gateways {

namespace {

using base::failed;
using bad = base::fault;

constexpr std::array<std::string_view, 4> kinds{"smtp", "apns", "fcm", "smpp"};
constexpr std::array<std::string_view, 4> places{"mail", "rcpt", "data", "dot"};
constexpr std::array<std::string_view, 8> states{"ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
                                                 "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"};

// Apple's and Google's first reason for a status.
std::string_view usual_reason(kind k, std::uint32_t status) noexcept {
    const bool apple = k == kind::apns;
    switch (status) {
    case 400:
        return apple ? "BadDeviceToken" : "INVALID_ARGUMENT";
    case 401:
        return "UNAUTHENTICATED";
    case 403:
        return apple ? "InvalidProviderToken" : "SENDER_ID_MISMATCH";
    case 404:
        return apple ? "BadPath" : "UNREGISTERED";
    case 410:
        return "Unregistered";
    case 413:
        return "PayloadTooLarge";
    case 429:
        return apple ? "TooManyRequests" : "QUOTA_EXCEEDED";
    case 503:
        return apple ? "ServiceUnavailable" : "UNAVAILABLE";
    default:
        return apple ? "InternalServerError" : "INTERNAL";
    }
}

std::unexpected<base::fault> wrong(std::string_view field, std::string_view want) {
    return failed(bad::kind::malformed, fmt::format("\"{}\" must be {}", field, want));
}

base::result<double> number(std::string_view field, const json::value& v, double most, std::string_view want) {
    double n = -1;
    if (v.is_number()) {
        n = v.to_number<double>();
    }
    if (!(n >= 0 && n <= most)) {
        return wrong(field, want);
    }
    return n;
}

base::result<void> into(double& to, std::string_view field, const json::value& v) {
    const auto n = number(field, v, 1, "a probability, 0 to 1");
    if (!n) {
        return failed(n.error());
    }
    to = *n;
    return {};
}
base::result<void> into(std::chrono::milliseconds& to, std::string_view field, const json::value& v) {
    const auto n = number(field, v, 86'400'000, "a number of milliseconds");
    if (!n) {
        return failed(n.error());
    }
    to = std::chrono::milliseconds{static_cast<std::int64_t>(*n)};
    return {};
}
base::result<void> into(unsigned& to, std::string_view field, const json::value& v) {
    const auto n = number(field, v, 1e9, "a whole number, 0 or more");
    if (!n) {
        return failed(n.error());
    }
    to = static_cast<unsigned>(*n);
    return {};
}
base::result<void> into(bool& to, std::string_view field, const json::value& v) {
    if (!v.is_bool()) {
        return wrong(field, "true or false");
    }
    to = v.get_bool();
    return {};
}

template <class T, class F>
base::result<shares<T>> read_shares(std::string_view field, const json::value& v, F parse) {
    if (!v.is_object()) {
        return wrong(field, "an object: answer to probability");
    }
    shares<T> out;
    double sum = 0;
    for (const auto& [key, share] : v.get_object()) {
        auto parsed = parse(std::string_view{key.data(), key.size()});
        if (!parsed) {
            return failed(parsed.error().within(field));
        }
        double p = 0;
        if (const auto ok = into(p, field, share); !ok) {
            return failed(ok.error());
        }
        sum += p;
        out.emplace_back(std::move(*parsed), p);
    }
    if (sum > 1.000001) {
        return wrong(field, "probabilities whose sum is at most 1");
    }
    return out;
}

base::result<receipts> read_receipts(const json::value& v) {
    if (!v.is_object()) {
        return wrong("receipts", "an object");
    }
    receipts out;
    for (const auto& [raw, value] : v.get_object()) {
        const std::string_view key{raw.data(), raw.size()};
        base::result<void> ok;
        if (key == "probability") {
            ok = into(out.probability, key, value);
        } else if (key == "delay_ms") {
            ok = into(out.delay, key, value);
        } else if (key == "jitter_ms") {
            ok = into(out.jitter, key, value);
        } else if (key == "duplicates") {
            ok = into(out.duplicates, key, value);
        } else if (key == "before_response") {
            ok = into(out.before_response, key, value);
        } else if (key == "form") {
            const auto* form = value.if_string();
            if (form == nullptr || (*form != "text" && *form != "tlv" && *form != "both")) {
                return wrong(key, "text, tlv or both");
            }
            out.text = *form != "tlv";
            out.tlv = *form != "text";
        } else if (key == "states") {
            auto read = read_shares<std::string>(key, value, [](std::string_view state) -> base::result<std::string> {
                if (std::ranges::find(states, state) == states.end()) {
                    return failed(bad::kind::malformed,
                                  fmt::format("{} is not a state; give one of {}", state, fmt::join(states, ", ")));
                }
                return std::string{state};
            });
            if (!read) {
                return failed(read.error());
            }
            out.states = std::move(*read);
        } else {
            return failed(bad::kind::malformed, fmt::format("receipts has no field \"{}\"; see README.md", key));
        }
        if (!ok) {
            return failed(ok.error().within("receipts"));
        }
    }
    return out;
}

base::result<std::vector<std::string>> read_suffixes(const json::value& v) {
    std::vector<std::string> out;
    const auto add = [&](const json::value& one) {
        const auto* text = one.if_string();
        if (text != nullptr && !text->empty()) {
            out.emplace_back(text->data(), text->size());
        }
        return text != nullptr;
    };
    bool good = true;
    if (const auto* list = v.if_array()) {
        good = std::ranges::all_of(*list, add);
    } else {
        good = add(v);
    }
    return good ? base::result<std::vector<std::string>>{std::move(out)} : wrong("fail_suffix", "a text or a list");
}

template <class T>
base::result<void> adopt(T& target, base::result<T> read) {
    if (!read) {
        return failed(read.error());
    }
    target = *std::move(read);
    return {};
}

base::result<refusal> read_refusal(kind k, std::string_view key, const json::value& v) {
    const auto* text = v.if_string();
    return text == nullptr ? wrong(key, "an answer") : parse_refusal(k, {text->data(), text->size()});
}

/// What is not one number or one yes or no.
base::result<void> change_compound_field(kind k, behaviour& b, std::string_view key, const json::value& v) {
    if (key == "errors") {
        const auto parse = [k](std::string_view text) { return parse_refusal(k, text); };
        return adopt(b.errors, read_shares<refusal>(key, v, parse));
    }
    if (key == "fail_answer") {
        return adopt(b.fail_answer, read_refusal(k, key, v));
    }
    if (key == "throttle_answer") {
        return adopt(b.throttle_answer, read_refusal(k, key, v));
    }
    if (key == "fail_suffix") {
        return adopt(b.fail_suffix, read_suffixes(v));
    }
    if (key == "receipts" && k == kind::smpp) {
        return adopt(b.receipts, read_receipts(v));
    }
    return failed(bad::kind::malformed, fmt::format("{} has no field \"{}\"; see README.md", to_string(k), key));
}

base::result<void> change_field(kind k, behaviour& b, std::string_view key, const json::value& v) {
    if (key == "latency_ms") {
        return into(b.latency, key, v);
    }
    if (key == "jitter_ms") {
        return into(b.jitter, key, v);
    }
    if (key == "silence") {
        return into(b.silence, key, v);
    }
    if (key == "accept_then_reset") {
        return into(b.accept_then_reset, key, v);
    }
    if (key == "reset_before_last_byte") {
        return into(b.reset_before_last_byte, key, v);
    }
    if (key == "max_accepted_per_second") {
        return into(b.most_per_second, key, v);
    }
    if (key == "hang") {
        return into(b.hang, key, v);
    }
    if (key == "refuse_connections") {
        return into(b.refuse_connections, key, v);
    }
    if (key == "fail_share") {
        return into(b.fail_share, key, v);
    }
    if (key == "retry_after_s") {
        return into(b.retry_after.emplace(), key, v);
    }
    return change_compound_field(k, b, key, v);
}

base::result<refusal> parse_smtp(std::string_view text) {
    refusal out;
    std::optional<refusal::place> at;
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const auto* const found = std::ranges::find(places, text.substr(0, colon));
        if (found == places.end()) {
            return failed(bad::kind::malformed,
                          fmt::format("\"{}\": before the colon stands mail, rcpt, data or dot", text));
        }
        at = static_cast<refusal::place>(found - places.begin());
        text.remove_prefix(colon + 1);
    }
    const auto code = text.substr(0, 3);
    const auto detail = text.size() > 4 ? text.substr(4) : std::string_view{};
    if (code.size() != 3 || !is_digits(code) || (code[0] != '4' && code[0] != '5') ||
        (text.size() > 3 && text[3] != ' ') || (!detail.empty() && (detail[0] != code[0] || detail.size() > 60))) {
        return failed(bad::kind::malformed,
                      fmt::format("\"{}\" is not an answer; write it as \"451 4.7.1\", of 4xx or 5xx", text));
    }
    out.name = text;
    std::from_chars(code.begin(), code.end(), out.code);
    out.detail = detail;
    out.at = at.value_or(detail.substr(0, 4) == "5.1." ? refusal::place::rcpt : refusal::place::dot);
    return out;
}

base::result<refusal> parse_status(kind k, std::string_view text) {
    refusal out;
    if (text == "refused_stream") {
        out.name = text;
        out.refused_stream = true;
        return out;
    }
    const auto code = text.substr(0, 3);
    if (code.size() != 3 || !is_digits(code) || (code[0] != '4' && code[0] != '5') ||
        (text.size() > 3 && (text[3] != ' ' || text.size() == 4))) {
        return failed(bad::kind::malformed,
                      fmt::format("\"{}\" is not an answer; write it as \"429\" or \"410 Unregistered\"", text));
    }
    std::from_chars(code.begin(), code.end(), out.code);
    out.detail = text.size() > 4 ? text.substr(4) : usual_reason(k, out.code);
    out.name = fmt::format("{} {}", code, out.detail);
    return out;
}

base::result<refusal> parse_command_status(std::string_view text) {
    refusal out;
    const auto digits = text.starts_with("0x") ? text.substr(2) : std::string_view{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.code, 16);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || out.code == 0) {
        return failed(bad::kind::malformed, fmt::format("\"{}\" is not a command_status; write it as \"0x58\"", text));
    }
    out.name = fmt::format("0x{:02X}", out.code);
    return out;
}

template <class T>
double milliseconds_of(T t) {
    return std::chrono::duration<double, std::milli>{t}.count();
}

} // namespace

std::string_view to_string(kind k) noexcept {
    return kinds.at(static_cast<std::size_t>(k));
}

std::optional<kind> kind_from(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(kinds, name);
    return found == kinds.end() ? std::nullopt : std::optional{static_cast<kind>(found - kinds.begin())};
}

base::result<refusal> parse_refusal(kind k, std::string_view text) {
    return k == kind::smtp ? parse_smtp(text) : k == kind::smpp ? parse_command_status(text) : parse_status(k, text);
}

behaviour polite(kind k) {
    constexpr std::array<std::string_view, 4> for_ever{"550 5.1.1", "410 Unregistered", "404 UNREGISTERED", "0x0B"};
    constexpr std::array<std::string_view, 4> too_fast{"451 4.7.1", "429", "429", "0x58"};
    behaviour out;
    out.throttle_answer = parse_refusal(k, too_fast.at(static_cast<std::size_t>(k))).value();
    out.fail_answer = parse_refusal(k, for_ever.at(static_cast<std::size_t>(k))).value();
    return out;
}

base::result<void> change(kind k, behaviour& b, const json::object& wanted) {
    auto changed = b;
    for (const auto& [key, value] : wanted) {
        if (auto ok = change_field(k, changed, {key.data(), key.size()}, value); !ok) {
            return ok;
        }
    }
    const double fates = changed.silence + changed.accept_then_reset + changed.reset_before_last_byte;
    double refused = 0;
    for (const auto& [answer, share] : changed.errors) {
        refused += share;
    }
    if (fates + refused > 1.000001) {
        return failed(bad::kind::malformed,
                      "errors, silence, accept_then_reset and reset_before_last_byte exclude each other: the sum of "
                      "their probabilities must be at most 1");
    }
    b = std::move(changed);
    return {};
}

json::object describe(const behaviour& b) {
    json::object errors;
    for (const auto& [answer, share] : b.errors) {
        errors[answer.name] = share;
    }
    json::object out{{"latency_ms", milliseconds_of(b.latency)},
                     {"jitter_ms", milliseconds_of(b.jitter)},
                     {"errors", std::move(errors)},
                     {"silence", b.silence},
                     {"accept_then_reset", b.accept_then_reset},
                     {"reset_before_last_byte", b.reset_before_last_byte},
                     {"max_accepted_per_second", b.most_per_second},
                     {"throttle_answer", b.throttle_answer.name},
                     {"hang", b.hang},
                     {"refuse_connections", b.refuse_connections},
                     {"fail_suffix", json::value_from(b.fail_suffix)},
                     {"fail_share", b.fail_share},
                     {"fail_answer", b.fail_answer.name}};
    if (b.retry_after) {
        out["retry_after_s"] = *b.retry_after;
    }
    const auto& r = b.receipts;
    if (r.probability > 0) {
        json::object wanted;
        for (const auto& [state, share] : r.states) {
            wanted[state] = share;
        }
        out["receipts"] = json::object{{"probability", r.probability},
                                       {"delay_ms", milliseconds_of(r.delay)},
                                       {"jitter_ms", milliseconds_of(r.jitter)},
                                       {"states", std::move(wanted)},
                                       {"duplicates", r.duplicates},
                                       {"before_response", r.before_response},
                                       {"form", r.text && r.tlv ? "both"
                                                : r.text        ? "text"
                                                                : "tlv"}};
    }
    return out;
}

bool fails_for_ever(const behaviour& b, std::string_view address) noexcept {
    return !address.empty() &&
           ((b.fail_share > 0 && as_share(hashed(address)) < b.fail_share) ||
            std::ranges::any_of(b.fail_suffix, [&](const std::string& end) { return address.ends_with(end); }));
}

course draw(const behaviour& b, std::string_view address, chance dice) {
    using fate = course::fate;
    course out;
    out.delay = b.latency;
    out.delay += std::chrono::microseconds{
        static_cast<std::int64_t>(dice.next() * std::chrono::duration<double, std::micro>{b.jitter}.count())};
    if (fails_for_ever(b, address)) {
        out.what = fate::refuse;
        out.why = b.fail_answer;
        return out;
    }
    auto x = dice.next();
    for (const auto& [share, what] : {std::pair{b.silence, fate::silence},
                                      {b.accept_then_reset, fate::accept_then_reset},
                                      {b.reset_before_last_byte, fate::reset_before_last_byte}}) {
        if (x < share) {
            out.what = what;
            return out;
        }
        x -= share;
    }
    if (const auto* answer = drawn(b.errors, x)) {
        out.what = fate::refuse;
        out.why = *answer;
    }
    return out;
}

} // namespace semel::gateways
