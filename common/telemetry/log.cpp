#include "log.hpp"

#include <base/time.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

namespace semel::telemetry {

namespace {

/// The length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629: no surrogates, no overlong forms,
/// nothing above U+10FFFF); 0 when there is none.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return at(i) >= 0x80 && at(i) <= 0xBF; };
    const unsigned lead = at(0);
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return tail(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned least = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned most = lead == 0xED ? 0x9F : 0xBF;
        return at(1) >= least && at(1) <= most && tail(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned least = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned most = lead == 0xF4 ? 0x8F : 0xBF;
        return at(1) >= least && at(1) <= most && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

void append_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto length = sequence_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD"; // U+FFFD: a log line is always valid UTF-8
            text.remove_prefix(1);
            continue;
        }
        if (const char c = text.front(); c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    out += '"';
}

struct append_value {
    std::string& out;
    void operator()(std::string_view v) const { append_string(out, v); }
    void operator()(std::int64_t v) const { fmt::format_to(std::back_inserter(out), "{}", v); }
    void operator()(bool v) const { out += v ? "true" : "false"; }
    void operator()(double v) const {
        if (std::isfinite(v)) {
            fmt::format_to(std::back_inserter(out), "{}", v);
        } else {
            out += "null"; // JSON has no infinities
        }
    }
};

std::string_view name_of(level l) noexcept {
    switch (l) {
    case level::debug:
        return "debug";
    case level::info:
        return "info";
    case level::warn:
        return "warn";
    case level::error:
        return "error";
    }
    return "error";
}

std::unique_ptr<logger>& current() {
    static auto instance = std::make_unique<logger>("semel");
    return instance;
}

} // namespace

std::optional<level> level_from(std::string_view name) noexcept {
    for (const auto l : {level::debug, level::info, level::warn, level::error}) {
        if (name == name_of(l)) {
            return l;
        }
    }
    return std::nullopt;
}

logger::logger(std::string service, level least)
    : service_(std::move(service))
    , least_(least) {}

void logger::write(level l, std::string_view event, std::initializer_list<field> fields) {
    if (l < least_) {
        return;
    }
    const auto line = format_line(base::now(), l, service_, event, fields);
    std::string_view rest = line;
    while (!rest.empty()) {
        // One write for the whole line, so that lines of several threads and processes do not mix.
        const auto n = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return; // nobody can be told that the log is gone
        }
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::string format_line(base::timestamp time, level l, std::string_view service, std::string_view event,
                        std::initializer_list<field> fields) {
    std::string line = fmt::format(R"({{"time":"{}","level":"{}","service":)", base::to_rfc3339(time), name_of(l));
    append_string(line, service);
    line += R"(,"event":)";
    append_string(line, event);
    for (const auto& f : fields) {
        line += ',';
        append_string(line, f.key);
        line += ':';
        std::visit(append_value{line}, f.value);
    }
    line += "}\n";
    return line;
}

logger& log() {
    return *current();
}

void set_log(std::unique_ptr<logger> next) {
    current() = std::move(next);
}

} // namespace semel::telemetry
