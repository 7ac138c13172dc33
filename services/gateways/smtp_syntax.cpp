#include "smtp_syntax.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>

namespace semel::gateways::smtp {

namespace {

bool is_atom_text(char c, bool utf8) noexcept {
    const auto u = static_cast<unsigned char>(c);
    return u >= 0x80 ? utf8
                     : (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view{"!#$%&'*+-/=?^_`{|}~"}.contains(c);
}

bool is_local_part(std::string_view local, bool utf8) noexcept {
    if (local.empty() || local.size() > 64) {
        return false;
    }
    if (local.front() != '"') {
        return !local.starts_with('.') && !local.ends_with('.') && !local.contains("..") &&
               std::ranges::all_of(local, [&](char c) { return c == '.' || is_atom_text(c, utf8); });
    }
    if (local.size() < 2 || local.back() != '"') {
        return false;
    }
    for (std::size_t i = 1; i + 1 < local.size(); ++i) {
        const auto u = static_cast<unsigned char>(local[i]);
        if (local[i] == '\\') {
            ++i; // the next may be anything printable
        } else if (local[i] == '"' || u < 0x20 || u == 0x7F || (u >= 0x80 && !utf8)) {
            return false;
        }
        if (i + 1 >= local.size()) {
            return false;
        }
    }
    return true;
}

bool is_domain(std::string_view domain, bool utf8) noexcept {
    if (domain.empty() || domain.size() > 255) {
        return false;
    }
    if (domain.front() == '[') {
        return domain.back() == ']' && domain.size() > 2;
    }
    while (!domain.empty()) {
        const auto label = domain.substr(0, domain.find('.'));
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-' ||
            !std::ranges::all_of(label, [&](char c) {
                return c == '-' || ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) ||
                       (utf8 && static_cast<unsigned char>(c) >= 0x80);
            })) {
            return false;
        }
        if (label.size() == domain.size()) {
            return true;
        }
        domain.remove_prefix(label.size() + 1);
    }
    return false; // ended by a dot
}

} // namespace

std::optional<path_argument> read_path(std::string_view text) {
    if (!text.starts_with('<')) {
        return std::nullopt;
    }
    bool quoted = false;
    std::size_t end = 1;
    for (; end < text.size() && (quoted || text[end] != '>'); ++end) {
        if (text[end] == '"') {
            quoted = !quoted;
        } else if (text[end] == '\\' && quoted) {
            ++end;
        }
    }
    if (end >= text.size()) {
        return std::nullopt;
    }
    path_argument out{.path = text.substr(1, end - 1), .parameters = {}};
    text.remove_prefix(end + 1);
    while (!text.empty()) {
        if (text.front() != ' ') {
            return std::nullopt;
        }
        text.remove_prefix(1);
        const auto word = text.substr(0, text.find(' '));
        if (word.empty()) {
            return std::nullopt;
        }
        const auto equals = word.find('=');
        out.parameters.push_back(
            {.key = word.substr(0, equals), .value = equals == std::string_view::npos ? "" : word.substr(equals + 1)});
        text.remove_prefix(word.size());
    }
    return out;
}

bool is_mailbox(std::string_view text, bool utf8) noexcept {
    const auto at = text.rfind('@');
    return text.size() <= 254 && at != std::string_view::npos && is_local_part(text.substr(0, at), utf8) &&
           is_domain(text.substr(at + 1), utf8) && (!utf8 || is_utf8(text));
}

std::optional<std::string> from_xtext(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF"; // upper case alone
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '+') {
            const auto high = i + 2 < text.size() ? digits.find(text[i + 1]) : std::string_view::npos;
            const auto low = high == std::string_view::npos ? high : digits.find(text[i + 2]);
            if (low == std::string_view::npos) {
                return std::nullopt;
            }
            out += static_cast<char>(high << 4U | low);
            i += 2;
        } else if (c < '!' || c > '~' || c == '=') {
            return std::nullopt;
        } else {
            out += c;
        }
    }
    return out;
}

header_facts read_headers(std::string_view message) {
    constexpr std::array<std::string_view, 3> single{"message-id", "from", "date"};
    std::array<int, single.size()> seen{};
    header_facts out;
    std::string_view name;
    bool first = true;
    while (!message.empty() && !message.starts_with("\r\n")) {
        const auto line = message.substr(0, message.find("\r\n"));
        message.remove_prefix(std::min(message.size(), line.size() + 2));
        std::string_view value = line;
        if (line.front() == ' ' || line.front() == '\t') {
            if (first) {
                out.problem = "the header begins with a folded line";
                return out;
            }
        } else {
            const auto colon = line.find(':');
            name = line.substr(0, colon);
            if (colon == std::string_view::npos || name.empty() ||
                !std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; })) {
                out.problem = "a header line has no name before a colon";
                return out;
            }
            value = line.substr(colon + 1);
            for (std::size_t i = 0; i < single.size(); ++i) {
                if (same_word(name, single.at(i)) && ++seen.at(i) == 2) {
                    out.problem = "a header field stands twice that may stand once (Message-ID, From or Date)";
                    return out;
                }
            }
        }
        first = false;
        const auto open = value.find('<');
        if (out.message_id.empty() && open != std::string_view::npos && same_word(name, single[0])) {
            const auto at = value.find('@', open);
            out.message_id = value.substr(open + 1, at == std::string_view::npos ? 0 : at - open - 1);
        }
    }
    return out;
}

} // namespace semel::gateways::smtp
