#include "message_text.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::cli::campaign {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view empty_line = "\r\n\r\n";

// RFC 2047, section 6.2: the space between two encoded-words is not part of the text.
std::optional<std::string> decoded_words(std::string_view value) {
    constexpr std::string_view open = "=?UTF-8?B?";
    constexpr std::string_view close = "?=";
    std::string out;
    while (!value.empty()) {
        const auto at = value.find(open);
        out += value.substr(0, at);
        if (at == std::string_view::npos) {
            break;
        }
        value.remove_prefix(at + open.size());
        const auto end = value.find(close);
        const auto word = base::from_base64(value.substr(0, end));
        if (end == std::string_view::npos || !word) {
            return std::nullopt;
        }
        out += *word;
        value.remove_prefix(end + close.size());
        if (const auto next = value.find_first_not_of(' ');
            next != 0 && value.substr(std::min(next, value.size())).starts_with(open)) {
            value.remove_prefix(next);
        }
    }
    return out;
}

std::string unfolded(std::string_view headers) {
    std::string out{headers};
    for (auto at = out.find("\r\n "); at != std::string::npos; at = out.find("\r\n ", at)) {
        out.erase(at, line_end.size());
    }
    return out;
}

std::optional<std::string> decoded_body(std::string_view lines) {
    std::string joined{lines};
    std::erase_if(joined, [](char c) { return c == '\r' || c == '\n'; });
    return base::from_base64(joined);
}

} // namespace

std::optional<std::string> readable_mail(std::string_view mail) {
    const auto end_of_headers = mail.find(empty_line);
    if (end_of_headers == std::string_view::npos) {
        return std::nullopt;
    }
    std::string out;
    const auto headers = unfolded(mail.substr(0, end_of_headers));
    for (std::string_view rest = headers; !rest.empty();) {
        const auto line = rest.substr(0, rest.find(line_end));
        rest.remove_prefix(std::min(line.size() + line_end.size(), rest.size()));
        // What a mail program shows; the rest is in --raw.
        constexpr std::array<std::string_view, 5> shown{"From: ", "To: ", "Subject: ", "Date: ", "Message-ID: "};
        if (std::ranges::any_of(shown, [&](auto name) { return line.starts_with(name); })) {
            const auto value = decoded_words(line);
            if (!value) {
                return std::nullopt;
            }
            out += *value + "\n";
        }
    }
    const auto part = mail.substr(end_of_headers + empty_line.size());
    if (!part.starts_with("--") || !part.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n")) {
        return std::nullopt;
    }
    const auto boundary = part.substr(0, part.find(line_end));
    const auto begin = part.find(empty_line);
    if (begin == std::string_view::npos) {
        return std::nullopt;
    }
    const auto end = part.find(boundary, begin);
    const auto text = decoded_body(part.substr(begin + empty_line.size(), end - begin - empty_line.size()));
    if (end == std::string_view::npos || !text) {
        return std::nullopt;
    }
    return out + "\n" + *text;
}

} // namespace semel::cli::campaign
