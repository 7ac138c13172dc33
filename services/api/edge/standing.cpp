#include "standing.hpp"

#include <base/ids.hpp>
#include <base/time.hpp>
#include <wire/identity.hpp>

#include <fmt/format.h>
#include <trouble/board.hpp>

#include <algorithm>

namespace semel::api {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds patience{300};

/// A dispatcher's trouble concerns the campaigns of its channel; anything else, all.
bool concerns(const v1::Campaign& c, std::string_view service) {
    const auto channel = base::channel_from(service);
    return !channel || std::ranges::any_of(c.channels(), [&](auto of) {
        return wire::from_proto(static_cast<v1::Channel>(of)) == channel;
    });
}

std::string since_of(const trouble::entry& e) {
    return base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(e.since));
}

} // namespace

asio::awaitable<std::shared_ptr<const standing>> look_at_standing(services& s) {
    const auto out = std::make_shared<standing>();
    auto told = co_await trouble::read(s.redis, patience);
    out->unencrypted = s.config.unencrypted;
    if (told) {
        out->reports = trouble::merged(std::move(*told));
    } else {
        out->unknown = told.error().why();
    }
    co_return out;
}

void tell_standing(json::object& status, const v1::Campaign& c, const standing& now) {
    json::array lanes;
    auto& warnings = status["warnings"].as_array();
    for (const auto& open : now.unencrypted) {
        warnings.emplace_back(open);
    }
    if (!now.unknown.empty()) {
        warnings.emplace_back(fmt::format("Redis does not answer the api ({}): while it is away nothing is sent, and "
                                          "what stands still at the gateways is not known here",
                                          now.unknown));
    }
    for (const auto& r : now.reports) {
        for (const auto& e : r.entries) {
            if (!concerns(c, r.service)) {
                continue;
            }
            warnings.emplace_back(fmt::format("{}{}{}: {} (since {})", r.service, e.subject.empty() ? "" : " ",
                                              e.subject, e.words, since_of(e)));
            json::object lane{{"service", r.service},  {"instance", r.instance},
                              {"gateway", e.subject},  {"state", std::string{trouble::to_string(e.what)}},
                              {"since", since_of(e)},  {"words", e.words},
                              {"limit_per_s", nullptr}};
            if (e.limit_per_s) {
                lane["limit_per_s"] = *e.limit_per_s;
            }
            lanes.push_back(std::move(lane));
        }
    }
    status["lanes"] = std::move(lanes);
}

} // namespace semel::api
