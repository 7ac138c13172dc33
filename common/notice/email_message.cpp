#include "email_message.hpp"

#include "utf8.hpp"

#include <algorithm>
#include <array>

namespace semel::notice {
namespace {

constexpr std::size_t line_limit = 76; // RFC 2047, section 2: a line with an encoded-word
constexpr std::string_view word_open = "=?UTF-8?B?";
constexpr std::string_view word_close = "?=";

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two output characters for each 12 bits: half the look-ups of the textbook loop, and bodies are most of fill()'s work.
constexpr auto twelve_bits = [] {
    std::array<std::array<char, 2>, 4096> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = {alphabet[i >> 6], alphabet[i & 63]};
    }
    return table;
}();

char* encode(char* out, std::string_view bytes) noexcept {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[i])); };
    const auto put = [&](unsigned bits) {
        *out++ = twelve_bits[bits][0];
        *out++ = twelve_bits[bits][1];
    };
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const unsigned group = octet(i) << 16 | octet(i + 1) << 8 | octet(i + 2);
        put(group >> 12);
        put(group & 0xfff);
    }
    if (const auto left = bytes.size() - i; left != 0) {
        const unsigned group = octet(i) << 16 | (left == 2 ? octet(i + 1) << 8 : 0);
        put(group >> 12);
        *out++ = left == 2 ? alphabet[group >> 6 & 63] : '=';
        *out++ = '=';
    }
    return out;
}

void append_base64(std::string& out, std::string_view bytes) {
    const auto at = out.size();
    out.resize(at + (bytes.size() + 2) / 3 * 4);
    encode(out.data() + at, bytes);
}

// "=?" would be read as the start of an encoded-word; spaces at the ends would be lost.
bool is_plain(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }) && !text.contains("=?") &&
           !text.starts_with(' ') && !text.ends_with(' ');
}

// Each word holds whole characters and is folded onto a line of its own; `used` is what the first line already holds.
void append_encoded_words(std::string& out, std::string_view text, std::size_t used) {
    bool first = true;
    do {
        const auto room = line_limit - (first ? used : 1) - word_open.size() - word_close.size();
        const auto most = room / 4 * 3;
        auto rest = text;
        while (!rest.empty()) {
            auto after = rest;
            take_code_point(after);
            if (text.size() - after.size() > most) {
                break;
            }
            rest = after;
        }
        if (!first) {
            out += "\r\n ";
        }
        out += word_open;
        append_base64(out, text.substr(0, text.size() - rest.size()));
        out += word_close;
        text = rest;
        first = false;
    } while (!text.empty());
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

/// RFC 5322 section 3.6.4: a reader shows the message below the ones that it follows. One id a line.
void append_thread(std::string& out, std::span<const std::string> thread) {
    if (thread.empty()) {
        return;
    }
    append_header(out, "In-Reply-To", thread.back());
    out += "References:";
    for (const auto& id : thread) {
        out += &id == &thread.front() ? " " : "\r\n ";
        out += id;
    }
    out += "\r\n";
}

void append_part(std::string& out, const email_message& m, std::string_view type, std::string_view body) {
    out += "--";
    out += m.boundary;
    out += "\r\nContent-Type: ";
    out += type;
    out += "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    append_base64_lines(out, body);
}

} // namespace

void append_base64_lines(std::string& out, std::string_view bytes) {
    constexpr std::size_t octets = line_limit / 4 * 3;
    const auto lines = (bytes.size() + octets - 1) / octets;
    const auto at = out.size();
    out.resize(at + (bytes.size() + 2) / 3 * 4 + 2 * lines);
    auto* to = out.data() + at;
    for (std::size_t i = 0; i < bytes.size(); i += octets) {
        to = encode(to, bytes.substr(i, octets));
        *to++ = '\r';
        *to++ = '\n';
    }
}

void append_unstructured(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    const auto used = name.size() + 2;
    if (is_plain(value) && used + value.size() <= line_limit) {
        out += value;
    } else {
        append_encoded_words(out, value, used);
    }
    out += "\r\n";
}

void append_mailbox(std::string& out, std::string_view name, std::string_view display_name, std::string_view address) {
    out += name;
    out += ": ";
    const auto used = name.size() + 2;
    if (display_name.empty()) {
        // Angle brackets alone: the simplest form that every parser reads.
    } else if (is_plain(display_name) && used + 2 * display_name.size() + 2 <= line_limit) {
        out += '"';
        for (const char c : display_name) {
            if (c == '"' || c == '\\') {
                out += '\\';
            }
            out += c;
        }
        out += '"';
    } else {
        append_encoded_words(out, display_name, used);
    }
    if (!display_name.empty()) {
        out += out.size() - out.rfind('\n') + address.size() + 3 > line_limit ? "\r\n " : " ";
    }
    out += '<';
    out += address;
    out += ">\r\n";
}

base::result<void> fit_for_header(std::string_view address) {
    const auto refuse = [](const char* why) {
        return base::failed(base::fault::kind::permanent,
                            std::string{"the recipient's email address "} + why + "; correct it in the audience");
    };
    const auto at = address.rfind('@');
    if (at == std::string_view::npos || at == 0 || at + 1 == address.size()) {
        return refuse("has no local part or no domain");
    }
    if (address.size() > 320) {
        return refuse("is longer than 320 bytes");
    }
    if (!is_valid_utf8(address) || clean_value(address) != address) {
        return refuse("has control characters or is not UTF-8");
    }
    const auto local = address.substr(0, at);
    const bool quoted = local.size() >= 2 && local.front() == '"' && local.back() == '"';
    if (quoted) {
        for (std::size_t i = 1; i + 1 < local.size(); ++i) {
            if (local[i] == '\\' && i + 2 < local.size()) {
                ++i;
            } else if (local[i] == '"' || local[i] == '\\') {
                return refuse("has a quote that ends too early");
            }
        }
    } else if (local.find_first_of(" <>()[],;:\\\"@") != std::string_view::npos) {
        return refuse("has characters that only a quoted local part may have");
    }
    if (address.substr(at + 1).find_first_of(" <>(),;\\\"") != std::string_view::npos) {
        return refuse("has a domain with characters that no domain has");
    }
    return {};
}

base::result<std::string> assemble(const email_message& m) {
    // Subject and display name are encoded when they are not plain; these stand as they are.
    for (const auto& [name, value] : {std::pair{"From", m.from_address},
                                      {"To", m.to},
                                      {"Date", m.date},
                                      {"Message-ID", m.message_id},
                                      {"Content-Language", m.language},
                                      {"Content-Type", m.boundary}}) {
        if (value.find_first_of(std::string_view{"\r\n\0", 3}) != value.npos) {
            return base::failed(base::fault::kind::permanent,
                                std::string{"the header "} + name +
                                    " would have a line break in its value; correct the notice");
        }
    }
    std::string out;
    out.reserve((m.text.size() + m.html.size()) * 7 / 5 + 2'048);
    append_mailbox(out, "From", m.from_name, m.from_address);
    append_mailbox(out, "To", {}, m.to);
    append_unstructured(out, "Subject", m.subject);
    append_header(out, "Date", m.date);
    append_header(out, "Message-ID", m.message_id);
    append_thread(out, m.thread);
    append_header(out, "MIME-Version", "1.0");
    append_header(out, "Content-Language", m.language);
    // RFC 3834, section 5: written by a machine and not a reply, so that no vacation notice answers it.
    append_header(out, "Auto-Submitted", "auto-generated");
    out += "Content-Type: multipart/alternative;\r\n boundary=\"";
    out += m.boundary;
    out += "\"\r\n\r\n";
    append_part(out, m, "text/plain", m.text);
    append_part(out, m, "text/html", m.html);
    out += "--";
    out += m.boundary;
    out += "--\r\n";
    return out;
}

} // namespace semel::notice
