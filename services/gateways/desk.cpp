#include "desk.hpp"

#include "text.hpp"

#include <crypto/hash.hpp>

#include <fmt/format.h>

namespace semel::gateways {

std::uint64_t next_message_number() {
    // Microseconds: a run makes fewer numbers than its time has of them.
    static auto last = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
    return ++last;
}

void rate_window::drop(clock::time_point now) {
    while (!recent_.empty() && now - recent_.front() >= std::chrono::seconds{1}) {
        recent_.pop_front();
    }
}

void rate_window::add(clock::time_point now) {
    drop(now);
    recent_.push_back(now);
    most_ = std::max(most_, recent_.size());
}

bool rate_window::room(unsigned most, clock::time_point now) {
    drop(now);
    return recent_.size() < most;
}

desk::desk(settings s)
    : settings_(std::move(s))
    , name_(fmt::format("{}-{}", to_string(settings_.kind), settings_.port))
    , behaviour_(settings_.first)
    , journal_(settings_.folder / (name_ + ".jsonl")) {}

course desk::decide(std::string_view key, std::string_view address) {
    constexpr std::size_t most_tries = 4'000'000;
    const auto message = hashed(key, hashed(to_string(settings_.kind), settings_.seed));
    const auto known = tries_.find(message);
    const auto tries = known == tries_.end() ? 0U : known->second;
    auto out = draw(behaviour_, address, chance{message + tries});
    if (out.what != course::fate::accept && tries_.size() < most_tries) {
        ++tries_[message];
    }
    return out;
}

chance desk::dice_for(std::string_view key) const noexcept {
    return chance{~hashed(key, hashed(to_string(settings_.kind), settings_.seed))};
}

void desk::throttled(std::string_view answer) {
    ++throttled_;
    refused(answer);
}

void desk::accept(const accepted_message& m) {
    const auto wall =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch());
    auto& out = journal_.lines();
    out += R"({"time_us":)";
    append_number(out, static_cast<std::uint64_t>(wall.count()));
    out += R"(,"kind":")";
    out += to_string(settings_.kind);
    out += R"(","port":)";
    append_number(out, settings_.port);
    out += R"(,"connection":)";
    append_number(out, m.connection);
    out += R"(,"id":)";
    append_json(out, m.id);
    out += R"(,"address":)";
    append_json(out, m.address);
    out += R"(,"gateway_message_id":)";
    append_json(out, m.gateway_message_id);
    out += R"(,"sha256":")";
    append_hex(out, base::as_view(crypto::sha256(m.content)));
    out += R"(","bytes":)";
    append_number(out, m.content.size());
    out += m.fate == course::fate::accept    ? R"(,"answer":"sent")"
           : m.fate == course::fate::silence ? R"(,"answer":"silence")"
                                             : R"(,"answer":"reset")";
    out += m.more;
    if (settings_.keep_content > 0) {
        --settings_.keep_content;
        out += R"(,"content":")";
        append_base64(out, m.content);
        out += '"';
    }
    out += "}\n";
    ++accepted_;
    silent_ += m.fate == course::fate::silence ? 1 : 0;
    window_.add(clock::now());
}

void desk::violation(std::string text) {
    ++violations_;
    last_violation_ = std::move(text);
}

void desk::forget_counts() {
    window_.forget_most();
    refusals_.clear();
    accepted_ = silent_ = resets_ = violations_ = throttled_ = 0;
    last_violation_.clear();
    connections_ = open_;
    receipts_.sent = receipts_.acknowledged = 0;
}

json::object desk::counts() const {
    json::object refusals;
    std::uint64_t refused = 0;
    for (const auto& [answer, n] : refusals_) {
        refusals[answer] = n;
        refused += n;
    }
    return {{"listener", name_},
            {"kind", json::string_view{to_string(settings_.kind).data(), to_string(settings_.kind).size()}},
            {"port", settings_.port},
            {"accepted", accepted_},
            {"refused", refused},
            {"refusals", std::move(refusals)},
            {"silent", silent_},
            {"resets", resets_},
            {"violations", violations_},
            {"last_violation", last_violation_},
            {"throttled", throttled_},
            {"connections", open_},
            {"connections_total", connections_},
            {"most_accepted_in_a_second", window_.most()},
            {"receipts_sent", receipts_.sent},
            {"receipts_acknowledged", receipts_.acknowledged},
            {"receipts_pending", receipts_.pending}};
}

} // namespace semel::gateways
