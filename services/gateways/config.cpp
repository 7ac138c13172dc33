#include "config.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace semel::gateways {

namespace {

endpoint read_endpoint(const json::object& o, const std::string& where) {
    const auto* name = json::find_text(o, "kind");
    const auto* address = json::find_text(o, "address");
    if (name == nullptr || address == nullptr) {
        throw std::runtime_error{
            fmt::format("{}: each of listen is {{\"kind\": ..., \"address\": \"IP:PORT\"}}", where)};
    }
    endpoint out;
    out.kind = kind_from({name->data(), name->size()});
    if (!out.kind && *name != "control") {
        throw std::runtime_error{fmt::format("{}: \"{}\" is not a kind; write control, smtp, apns, fcm or smpp", where,
                                             std::string_view{name->data(), name->size()})};
    }
    const std::string_view text{address->data(), address->size()};
    const auto colon = text.rfind(':');
    const auto port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (error != std::errc{} || end != port.data() + port.size()) {
        throw std::runtime_error{
            fmt::format("{}: the address of {} is not IP:PORT", where, std::string_view{name->data(), name->size()})};
    }
    out.host = text.substr(0, colon);
    return out;
}

} // namespace

settings read_settings(const std::filesystem::path& file) {
    const auto where = file.string();
    std::ifstream in{file};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in) {
        throw std::runtime_error{fmt::format("{}: cannot be read", where)};
    }
    auto root = json::read(text);
    if (!root || !root->is_object()) {
        throw std::runtime_error{
            fmt::format("{}: {}", where, root ? std::string{"not a JSON object"} : root.error().why())};
    }
    settings out;
    const auto folder = std::filesystem::absolute(file).parent_path();
    for (const auto& [raw, value] : root->get_object()) {
        const std::string_view key{raw.data(), raw.size()};
        const auto* const text_value = value.if_string();
        const auto path = [&] {
            if (text_value == nullptr) {
                throw std::runtime_error{fmt::format("{}: {} must be a path", where, key)};
            }
            return folder / std::string{text_value->data(), text_value->size()};
        };
        if (key == "listen" && value.is_array()) {
            for (const auto& one : value.get_array()) {
                out.listen.push_back(read_endpoint(one.is_object() ? one.get_object() : json::object{}, where));
            }
        } else if (key == "certificate") {
            out.certificate = path();
        } else if (key == "key") {
            out.key = path();
        } else if (key == "apns_public_key") {
            out.apns_public_key = path();
        } else if (key == "fcm_public_key") {
            out.fcm_public_key = path();
        } else if (key == "smpp_password_file") {
            out.smpp_password_file = path();
        } else if (key == "accepted") {
            out.accepted = path();
        } else if (key == "smpp_system_id" && text_value != nullptr) {
            out.smpp_system_id.assign(text_value->data(), text_value->size());
        } else if (key == "keep_content" && value.is_bool()) {
            out.keep_content = value.get_bool() ? std::numeric_limits<std::uint64_t>::max() : 0;
        } else if (key == "keep_content" && value.is_int64() && value.get_int64() >= 0) {
            out.keep_content = static_cast<std::uint64_t>(value.get_int64());
        } else if (key == "behaviour" && value.is_object()) {
            out.behaviour = value.get_object();
        } else {
            throw std::runtime_error{fmt::format("{}: {} is unknown, or not of its type; see README.md", where, key)};
        }
    }
    if (out.accepted.empty()) {
        throw std::runtime_error{fmt::format("{}: accepted is missing: the folder for what is accepted", where)};
    }
    return out;
}

std::vector<const json::object*> sections_for(const json::object& all, kind k, std::string_view listener) {
    std::vector<const json::object*> out;
    for (const auto name : {std::string_view{"all"}, to_string(k), listener}) {
        const auto* value = all.if_contains(name);
        if (const auto* section = value == nullptr ? nullptr : value->if_object()) {
            out.push_back(section);
        }
    }
    return out;
}

base::result<void> check_sections(const json::object& all, const std::vector<std::pair<kind, std::string>>& listeners) {
    for (const auto& [raw, value] : all) {
        const std::string_view name{raw.data(), raw.size()};
        if (name == "seed") {
            if (!value.is_int64() || value.get_int64() < 0) {
                return base::failed(base::fault::kind::malformed, "seed must be a whole number, 0 or more");
            }
            continue;
        }
        const bool known = name == "all" || kind_from(name) ||
                           std::ranges::any_of(listeners, [&](const auto& l) { return l.second == name; });
        if (!known || !value.is_object()) {
            return base::failed(
                base::fault::kind::malformed,
                fmt::format("\"{}\" is not a section; give objects under all, smtp, apns, fcm, smpp or a "
                            "listener's name as GET /counts has it",
                            name));
        }
    }
    return {};
}

} // namespace semel::gateways
