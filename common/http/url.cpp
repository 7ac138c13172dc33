#include "url.hpp"

#include <fmt/format.h>
#include <url/url.hpp>

#include <utility>

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

} // namespace

base::result<url> parse_url(std::string_view text) {
    auto place = semel::url::parse(text);
    if (!place) {
        return base::failed(
            base::fault::kind::broken,
            fmt::format("no URL of the form http://HOST:PORT or https://HOST:PORT/BASE: {}", place.error().why()));
    }
    url result{.tls = place->tls, .host = std::move(place->host), .port = place->port, .base = std::move(place->path)};
    while (result.base.ends_with('/')) {
        result.base.pop_back();
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
