#include "mime.hpp"

#include <base/bytes.hpp>

#include <algorithm>

namespace semel::receipts {

namespace {

constexpr std::size_t most_bytes = 1 << 20;
constexpr std::size_t most_parts = 64;
constexpr int deepest = 4;
constexpr std::size_t most_fields = 500;

std::string with_lf(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != '\r') {
            out += bytes[i];
        } else if (i + 1 == bytes.size() || bytes[i + 1] != '\n') {
            out += '\n';
        }
    }
    return out;
}

std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return line;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

/// "multipart/mixed; boundary=x" -> x. The value as it is written: case counts.
std::string parameter(std::string_view type, std::string_view name) {
    const auto low = lower(type);
    for (auto at = low.find(name); at != low.npos; at = low.find(name, at + 1)) {
        auto rest = trimmed(std::string_view{type}.substr(at + name.size()));
        const bool begins = at == 0 || low[at - 1] == ';' || low[at - 1] == ' ' || low[at - 1] == '\t';
        if (!begins || !rest.starts_with('=')) {
            continue;
        }
        rest = trimmed(rest.substr(1));
        if (rest.starts_with('"')) {
            return std::string{rest.substr(1, rest.find('"', 1) - 1)};
        }
        return std::string{rest.substr(0, rest.find_first_of("; \t"))};
    }
    return {};
}

std::string from_quoted_printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == '\n') {
            ++i;
        } else if (const auto byte = base::from_hex(text.substr(i + 1, 2)); byte && byte->size() == 1) {
            out += *byte;
            i += 2;
        } else {
            out += '=';
        }
    }
    return out;
}

/// What is not of the alphabet is passed over, and a broken end is left out.
std::string from_loose_base64(std::string_view text) {
    std::string clean;
    std::ranges::copy_if(text, std::back_inserter(clean), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    });
    clean.resize(clean.size() / 4 * 4 + (clean.size() % 4 == 1 ? 0 : clean.size() % 4));
    while (clean.size() % 4 != 0) {
        clean += '=';
    }
    return base::from_base64(clean).value_or(std::string{});
}

std::string decoded(std::string_view text, std::string_view encoding) {
    const auto how = lower(trimmed(encoding));
    return how == "base64"             ? with_lf(from_loose_base64(text))
           : how == "quoted-printable" ? from_quoted_printable(text)
                                       : std::string{text};
}

class reader {
  public:
    std::vector<mime_part> parts;

    void read(header_fields fields, std::string_view body, int depth) {
        const auto type = field_of(fields, "content-type");
        const auto boundary = parameter(type, "boundary");
        if (lower(type).starts_with("multipart/") && !boundary.empty() && depth < deepest) {
            split(body, "--" + boundary, depth);
            return;
        }
        if (parts.size() < most_parts) {
            auto bare = lower(trimmed(type.substr(0, type.find(';'))));
            auto text = decoded(body, field_of(fields, "content-transfer-encoding"));
            parts.push_back({.type = bare.empty() ? "text/plain" : std::move(bare),
                             .fields = std::move(fields),
                             .text = std::move(text)});
        }
    }

  private:
    void split(std::string_view body, std::string_view mark, int depth) {
        std::size_t begin = body.npos;
        for (std::size_t at = 0; at < body.size() && parts.size() < most_parts;) {
            const auto end = std::min(body.find('\n', at), body.size());
            const auto line = body.substr(at, end - at);
            if (line.starts_with(mark)) {
                if (begin != body.npos) {
                    one(body.substr(begin, at - begin), depth);
                }
                begin = std::min(end + 1, body.size());
                if (line.substr(mark.size()).starts_with("--")) {
                    return;
                }
            }
            at = end + 1;
        }
        if (begin != body.npos) { // the end is missing
            one(body.substr(begin), depth);
        } else if (parts.size() < most_parts) { // the boundary that it names is not the one that it has
            parts.push_back({.type = "text/plain", .fields = {}, .text = std::string{body}});
        }
    }

    void one(std::string_view part, int depth) {
        auto fields = take_fields(part);
        read(std::move(fields), part, depth + 1);
    }
};

} // namespace

std::string lower(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view field_of(const header_fields& fields, std::string_view name) noexcept {
    const auto found = std::ranges::find(fields, name, &header_fields::value_type::first);
    return found == fields.end() ? std::string_view{} : std::string_view{found->second};
}

header_fields take_fields(std::string_view& text) {
    header_fields out;
    while (!text.empty()) {
        auto rest = text;
        const auto line = take_line(rest);
        if (line.empty()) {
            text = rest;
            break;
        }
        const auto colon = line.find(':');
        const auto name = trimmed(line.substr(0, colon));
        if ((line.front() == ' ' || line.front() == '\t') && !out.empty()) {
            out.back().second += ' ';
            out.back().second += trimmed(line);
        } else if (colon != line.npos && is_name(name) && out.size() < most_fields) {
            out.emplace_back(lower(name), trimmed(line.substr(colon + 1)));
        } else if (!line.starts_with("From ") && !line.starts_with(">From ")) {
            break; // no field any more
        }
        text = rest;
    }
    return out;
}

mime_message read_mime(std::string_view bytes) {
    const auto text = with_lf(bytes.substr(0, most_bytes));
    std::string_view rest = text;
    mime_message out;
    out.fields = take_fields(rest);
    out.type = field_of(out.fields, "content-type");
    reader r;
    r.read(out.fields, rest, 0);
    out.parts = std::move(r.parts);
    return out;
}

} // namespace semel::receipts
