#include "people.hpp"

#include <fmt/format.h>

#include <initializer_list>

namespace semel::people {
namespace {

void append_cell(std::string& out, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        out += c;
        if (c == '"') {
            out += c;
        }
    }
    out += '"';
}

std::string tokens_of(const person& one) {
    std::string out;
    for (const auto& t : one.push) {
        out += out.empty() ? "" : ";";
        out += t.text;
    }
    return out;
}

void append_string(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    out += '"';
}

} // namespace

std::string_view csv_header() noexcept {
    return "recipient_id,email,phone,push,locale,name,country,segments\n";
}

void append_csv(std::string& out, const person& one) {
    bool first = true;
    const auto push = tokens_of(one);
    for (const std::string_view cell : std::initializer_list<std::string_view>{
             one.recipient_id, one.email, one.phone, push, one.locale, one.name, one.country, one.segments}) {
        if (!first) {
            out += ',';
        }
        first = false;
        append_cell(out, cell);
    }
    out += '\n';
}

void append_ndjson(std::string& out, const person& one) {
    bool first = true;
    const auto member = [&](std::string_view key, std::string_view value) {
        if (value.empty()) {
            return;
        }
        out += first ? '{' : ',';
        first = false;
        append_string(out, key);
        out += ':';
        append_string(out, value);
    };
    member("recipient_id", one.recipient_id);
    member("email", one.email);
    member("phone", one.phone);
    member("push", tokens_of(one));
    member("locale", one.locale);
    member("name", one.name);
    member("country", one.country);
    member("segments", one.segments);
    out += first ? "{}\n" : "}\n";
}

} // namespace semel::people
