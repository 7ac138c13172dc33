#include "head.hpp"

#include <fmt/format.h>

namespace semel::address_register {
namespace {

constexpr std::string_view marker_field = "marker";
constexpr std::string_view server_field = "server";

} // namespace

std::pair<std::string, std::string> to_field(const mark& m) {
    return {fmt::format("{}:{}", m.wave, m.partition), fmt::format("{}", m.end)};
}

std::optional<head> head::from_fields(const std::map<std::string, std::string>& fields) {
    head h;
    for (const auto& [name, value] : fields) {
        if (name == marker_field) {
            h.marker = value;
        } else if (name == server_field) {
            h.server = value;
        } else {
            h.finished.emplace(name, value);
        }
    }
    if (h.marker.empty()) {
        return std::nullopt;
    }
    return h;
}

bool head::has(const mark& m) const {
    const auto [name, value] = to_field(m);
    const auto found = finished.find(name);
    return found != finished.end() && found->second == value;
}

std::string head_key(const base::campaign_id& campaign) {
    return fmt::format("{{plan:{}}}:head", campaign.value());
}

bool is_sealed(const v1::Wave& wave) {
    return wave.phase() >= v1::WAVE_SEALED && !is_dropped(wave);
}

bool is_dropped(const v1::Wave& wave) {
    return wave.phase() == v1::WAVE_DROPPED;
}

} // namespace semel::address_register
