#include "lmtp.hpp"

#include <base/bytes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace semel::receipts {

namespace {

/// "RCPT TO:<a@b>" begins with "RCPT TO:", in any case: gives "<a@b>".
std::optional<std::string_view> after(std::string_view line, std::string_view word) {
    const auto same = [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; };
    if (line.size() < word.size() || !std::ranges::equal(line.substr(0, word.size()), word, same)) {
        return std::nullopt;
    }
    auto rest = line.substr(word.size());
    const bool whole = word.ends_with(':') || rest.empty() || rest.front() == ' ';
    while (rest.starts_with(' ')) {
        rest.remove_prefix(1);
    }
    return whole ? std::optional{rest} : std::nullopt;
}

/// Of "<a@b> NOTIFY=NEVER". A source route (RFC 5321 appendix C) is left out.
std::optional<std::string_view> path_in(std::string_view argument) {
    const auto end = argument.find('>');
    if (!argument.starts_with('<') || end == argument.npos) {
        return std::nullopt;
    }
    auto path = argument.substr(1, end - 1);
    if (path.starts_with('@')) {
        const auto colon = path.find(':');
        path = colon == path.npos ? std::string_view{} : path.substr(colon + 1);
    }
    return path;
}

} // namespace

lmtp_session::lmtp_session(std::string name, reader_of_paths read_path, limits most)
    : name_(std::move(name))
    , read_path_(std::move(read_path))
    , limits_(most) {}

std::string lmtp_session::greeting() const {
    return fmt::format("220 {} LMTP: takes mails that come back, and relays nothing\r\n", name_);
}

std::string lmtp_session::take(std::string_view bytes) {
    if (!over_) {
        unread_ += bytes;
    }
    return mail_ ? std::string{} : go_on();
}

std::string lmtp_session::go_on() {
    std::string out;
    while (!over_ && !mail_) {
        if (where_ == at::text) {
            if (!take_text()) {
                break;
            }
            if (over_) {
                out += "552 5.3.4 the mail is too large\r\n";
                break;
            }
            where_ = at::line;
            mail_ = std::exchange(next_, {});
            break;
        }
        const auto end = unread_.find('\n');
        if (std::min(end, unread_.size()) > limits_.line) {
            over_ = true;
            out += "500 5.5.2 the line is too long\r\n";
            break;
        }
        if (end == unread_.npos) {
            break;
        }
        auto line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        out += command(line);
    }
    return out;
}

std::string lmtp_session::command(std::string_view line) {
    if (after(line, "LHLO")) {
        return hello(true, true);
    }
    if (after(line, "EHLO")) {
        return hello(false, true);
    }
    if (after(line, "HELO")) {
        return hello(false, false);
    }
    if (after(line, "MAIL FROM:")) {
        return mail();
    }
    if (const auto argument = after(line, "RCPT TO:")) {
        return recipient(*argument);
    }
    if (after(line, "DATA")) {
        return data();
    }
    if (after(line, "RSET")) {
        forget();
        return "250 2.0.0 forgotten\r\n";
    }
    if (after(line, "NOOP")) {
        return "250 2.0.0 nothing done\r\n";
    }
    if (after(line, "QUIT")) {
        over_ = true;
        return "221 2.0.0 goodbye\r\n";
    }
    return refuse("500 5.5.1 this is not a command here");
}

std::string lmtp_session::hello(bool lmtp, bool extended) {
    forget();
    greeted_ = true;
    lmtp_ = lmtp;
    if (!extended) {
        return fmt::format("250 {}\r\n", name_);
    }
    return fmt::format("250-{}\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                       "250 SIZE {}\r\n",
                       name_, limits_.size);
}

std::string lmtp_session::mail() {
    if (!greeted_) {
        return refuse("503 5.5.1 LHLO comes first");
    }
    forget();
    sender_ = true;
    return "250 2.1.0 go on\r\n";
}

std::string lmtp_session::recipient(std::string_view argument) {
    if (!sender_) {
        return refuse("503 5.5.1 MAIL comes first");
    }
    if (next_.to.size() >= limits_.recipients) {
        return "452 4.5.3 too many recipients in one mail\r\n";
    }
    const auto path = path_in(argument);
    auto named = path ? read_path_(*path) : std::nullopt;
    if (!named) {
        return refuse("550 5.1.1 this is not the return path of a mail of ours");
    }
    next_.to.push_back(std::move(*named));
    return "250 2.1.5 ours\r\n";
}

std::string lmtp_session::data() {
    if (next_.to.empty()) {
        return refuse("503 5.5.1 RCPT comes first");
    }
    where_ = at::text;
    mark_ = mark::start;
    size_ = 0;
    return "354 end with a dot\r\n";
}

std::string lmtp_session::refuse(std::string_view words) {
    if (++errors_ <= limits_.errors) {
        return fmt::format("{}\r\n", words);
    }
    over_ = true;
    return "421 4.7.0 too many errors\r\n";
}

/// True once the mail is whole, or too large.
bool lmtp_session::take_text() {
    std::size_t read = 0;
    bool whole = false;
    while (read < unread_.size() && !whole && !over_) {
        whole = ends_with(unread_[read++]);
        over_ = size_ > limits_.size;
    }
    unread_.erase(0, read);
    return whole || over_;
}

/// Only CR LF . CR LF ends a mail: with less, one mail could be smuggled in another (CVE-2023-51764).
bool lmtp_session::ends_with(char c) {
    if (mark_ == mark::dot_cr) {
        if (c == '\n') {
            return true;
        }
        keep('\r');
        mark_ = mark::cr;
    }
    if (mark_ == mark::start && c == '.') {
        mark_ = mark::dot; // doubled, or the end
        return false;
    }
    if (mark_ == mark::dot && c == '\r') {
        mark_ = mark::dot_cr;
        return false;
    }
    mark_ = c == '\r' ? mark::cr : mark_ == mark::cr && c == '\n' ? mark::start : mark::inside;
    keep(c);
    return false;
}

void lmtp_session::keep(char c) {
    ++size_;
    if (next_.text.size() < limits_.kept) {
        next_.text += c;
    }
}

void lmtp_session::forget() {
    sender_ = false;
    next_ = {};
}

std::string lmtp_session::answer(bool kept) {
    const std::string_view words =
        kept ? "250 2.0.0 kept\r\n" : "451 4.3.0 it cannot be kept at the moment; send it again\r\n";
    std::string out;
    for (std::size_t i = 0; i < (lmtp_ ? mail_->to.size() : 1); ++i) {
        out += words;
    }
    mail_.reset();
    forget();
    return out + go_on();
}

} // namespace semel::receipts
