#include "url.hpp"

#include <fmt/format.h>

#include <charconv>

namespace semel::http {

namespace {

int hex(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool unreserved(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

std::unexpected<base::fault> bad(std::string_view why) {
    return base::failed(base::fault::kind::broken,
                        fmt::format("no URL of the form http://HOST:PORT or https://HOST:PORT/BASE: {}", why));
}

} // namespace

base::result<url> parse_url(std::string_view text) {
    url result;
    if (text.starts_with("https://")) {
        result.tls = true;
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
    } else {
        return bad("it starts with neither http:// nor https://");
    }
    if (text.find_first_of("?#@ \r\n") != text.npos) {
        return bad("it has a user, a query, a fragment or a space");
    }
    const auto slash = text.find('/');
    auto authority = text.substr(0, slash);
    if (slash != text.npos) {
        result.base = text.substr(slash);
        while (result.base.ends_with('/')) {
            result.base.pop_back();
        }
    }
    std::string_view port;
    if (authority.starts_with('[')) { // an IPv6 address
        const auto end = authority.find(']');
        if (end == authority.npos) {
            return bad("the bracket is not closed");
        }
        result.host = authority.substr(1, end - 1);
        port = authority.substr(end + 1);
    } else {
        const auto colon = authority.find(':');
        result.host = authority.substr(0, colon);
        port = colon == authority.npos ? std::string_view{} : authority.substr(colon);
    }
    if (result.host.empty()) {
        return bad("the host is missing");
    }
    result.port = result.tls ? 443 : 80;
    if (!port.empty()) {
        const auto* end = port.data() + port.size();
        const auto [stop, error] = std::from_chars(port.data() + 1, end, result.port);
        if (port.front() != ':' || error != std::errc{} || stop != end || result.port == 0) {
            return bad("the port is not a number from 1 to 65535");
        }
    }
    return result;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (unreserved(c)) {
            out += c;
        } else {
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) {
            return std::nullopt;
        }
        out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
        i += 2;
    }
    return out;
}

std::optional<std::map<std::string, std::string, std::less<>>> parse_query(std::string_view text) {
    std::map<std::string, std::string, std::less<>> values;
    const auto decode = [](std::string_view part) {
        std::string spaced{part};
        for (char& c : spaced) {
            c = c == '+' ? ' ' : c;
        }
        return percent_decode(spaced);
    };
    while (!text.empty()) {
        const auto end = text.find('&');
        const auto pair = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (pair.empty()) {
            continue;
        }
        const auto equals = pair.find('=');
        auto key = decode(pair.substr(0, equals));
        auto value = decode(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1));
        if (!key || !value) {
            return std::nullopt;
        }
        values.insert_or_assign(std::move(*key), std::move(*value));
    }
    return values;
}

} // namespace semel::http
