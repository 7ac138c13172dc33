#pragma once
// The file of --config (README.md).

#include "behaviour.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace semel::gateways {

struct endpoint {
    std::optional<gateways::kind> kind; // nothing: control
    std::string host;
    std::uint16_t port = 0;
};

struct settings {
    std::vector<endpoint> listen;
    std::filesystem::path certificate, key, apns_public_key, fcm_public_key, smpp_password_file, accepted;
    std::string smpp_system_id;
    std::uint64_t keep_content = 0; // of so many messages a listener
    json::object behaviour;         // as for POST /behaviour
};

/// Throws std::runtime_error that names the file and what to change.
settings read_settings(const std::filesystem::path&);

/// The sections of a /behaviour object that are for this listener, in the order in which they apply: all, kind, name.
std::vector<const json::object*> sections_for(const json::object&, kind, std::string_view listener);
/// `malformed` for a section that is for nobody.
base::result<void> check_sections(const json::object&, const std::vector<std::pair<kind, std::string>>& listeners);

} // namespace semel::gateways
