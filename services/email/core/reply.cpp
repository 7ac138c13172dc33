#include <email/core/reply.hpp>
#include <fmt/format.h>

#include <utility>

namespace semel::email {

namespace {

bool digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Up to three digits; advances `text`.
std::optional<std::uint16_t> number(std::string_view& text) noexcept {
    std::uint16_t value = 0;
    std::size_t n = 0;
    while (n < text.size() && digit(text[n])) {
        if (n == 3) {
            return std::nullopt;
        }
        value = static_cast<std::uint16_t>(value * 10 + (text[n] - '0'));
        ++n;
    }
    text.remove_prefix(n);
    return n == 0 ? std::nullopt : std::optional{value};
}

} // namespace

std::optional<enhanced_status> leading_status(std::string_view text) noexcept {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5') || text[1] != '.') {
        return std::nullopt;
    }
    enhanced_status out{.major = static_cast<std::uint8_t>(text[0] - '0')};
    text.remove_prefix(2);
    const auto subject = number(text);
    if (!subject || text.empty() || text[0] != '.') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const auto detail = number(text);
    if (!detail || (!text.empty() && text[0] != ' ')) {
        return std::nullopt;
    }
    out.subject = *subject;
    out.detail = *detail;
    return out;
}

std::string reply::short_code() const {
    if (status) {
        return fmt::format("{} {}.{}.{}", code, status->major, status->subject, status->detail);
    }
    return fmt::format("{}", code);
}

std::string reply::text() const {
    std::string out;
    for (std::string_view line : lines) {
        if (leading_status(line)) {
            const auto space = line.find(' ');
            line = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
        }
        if (!out.empty() && !line.empty()) {
            out += ' ';
        }
        out += line;
    }
    return out;
}

void reply_parser::feed(std::string_view bytes) {
    if (at_ == buffer_.size()) {
        buffer_.clear();
        at_ = scanned_ = 0;
    } else if (at_ > limit) {
        buffer_.erase(0, at_);
        scanned_ -= at_;
        at_ = 0;
    }
    buffer_ += bytes;
}

std::optional<reply> reply_parser::next() {
    while (!malformed_) {
        const auto end = buffer_.find('\n', scanned_);
        // building_ counts too: a reply of endless short lines is as hostile as one long line.
        if ((end == std::string::npos ? buffer_.size() : end) - at_ > limit) {
            malformed_ = true;
            break;
        }
        if (end == std::string::npos) {
            return std::nullopt;
        }
        std::string_view line{buffer_.data() + scanned_, end - scanned_};
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        scanned_ = end + 1;
        if (take_line(line)) {
            at_ = scanned_;
            return std::exchange(building_, {});
        }
    }
    return std::nullopt;
}

bool reply_parser::take_line(std::string_view line) {
    const bool coded = line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && digit(line[1]) && digit(line[2]);
    const char separator = line.size() > 3 ? line[3] : ' ';
    if (!coded || (separator != ' ' && separator != '-')) {
        malformed_ = true;
        return false;
    }
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (building_.code != 0 && building_.code != code) {
        malformed_ = true;
        return false;
    }
    building_.code = code;
    const auto text = line.size() > 3 ? line.substr(4) : std::string_view{};
    if (auto status = leading_status(text); status && status->major == code / 100) {
        building_.status = status; // the last line's counts, as each line repeats it
    }
    building_.lines.emplace_back(text);
    return separator == ' ';
}

void reply_parser::clear() {
    *this = reply_parser{};
}

} // namespace semel::email
