#include "family.hpp"

namespace semel::api {

const std::string& root_of(const v1::Campaign& c) {
    return c.has_follow_up() ? c.follow_up().root() : c.id();
}

std::vector<v1::Campaign> together_with(const v1::Campaign& c, std::span<const v1::Campaign> all) {
    std::vector<v1::Campaign> out;
    for (const auto& other : all) {
        const bool same_incident = !c.incident().empty() && other.incident() == c.incident();
        if (same_incident || root_of(other) == root_of(c)) {
            out.push_back(other);
        }
    }
    return out;
}

std::vector<std::string> family_of(const v1::Campaign& c, std::span<const v1::Campaign> together) {
    std::vector<std::string> out;
    for (const auto& other : together) {
        if (root_of(other) == root_of(c)) {
            out.push_back(other.id());
        }
    }
    return out;
}

} // namespace semel::api
