#include "smtp_session.hpp"

#include "smtp_syntax.hpp"
#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace semel::gateways::smtp {

namespace {

using fate = course::fate;
using place = refusal::place;

// RFC 5321 section 4.5.3.1.4, and what SIZE, SMTPUTF8, BODY and DSN add to it (RFC 3461 section 4).
constexpr std::size_t longest_command = 512 + 512;
constexpr std::size_t longest_line = 1000;

bool is_xtext_of(std::string_view text, std::size_t most) {
    return !text.empty() && text.size() <= most && from_xtext(text).has_value();
}

bool is_notify(std::string_view text) {
    if (same_word(text, "NEVER")) {
        return true;
    }
    while (true) {
        const auto word = text.substr(0, text.find(','));
        if (!same_word(word, "SUCCESS") && !same_word(word, "FAILURE") && !same_word(word, "DELAY")) {
            return false;
        }
        if (word.size() == text.size()) {
            return true;
        }
        text.remove_prefix(word.size() + 1);
    }
}

} // namespace

smtp_session::smtp_session(desk& d, wire& w, std::uint64_t connection)
    : desk_(d)
    , wire_(w)
    , connection_(connection) {
    say("220 gateway.example ESMTP test gateway");
}

void smtp_session::received(std::string_view bytes) {
    if (phase_ == phase::mute || phase_ == phase::closed) {
        return;
    }
    in_ += bytes;
    run();
}

void smtp_session::run() {
    while (!holding_ && (phase_ == phase::data ? step_data() : phase_ == phase::command && step_command())) {
    }
    in_.erase(0, at_);
    at_ = 0;
    if (draining_ && !holding_ && phase_ == phase::command) {
        farewell();
    }
}

void smtp_session::take_output(std::string& out) {
    out += out_;
    out_.clear();
}

void smtp_session::farewell() {
    draining_ = true;
    if (!holding_ && phase_ != phase::data && phase_ != phase::closed) {
        say("421 4.3.2 the gateway is stopping");
        close_after_output();
    }
}

bool smtp_session::step_command() {
    const auto end = in_.find('\n', at_);
    const auto size = (end == std::string::npos ? in_.size() : end + 1) - at_;
    if (size > longest_command) {
        breach("500 5.5.2 the line is too long", "a command line is over its length");
        close_after_output();
        return false;
    }
    if (end == std::string::npos) {
        return false;
    }
    const auto line = std::string_view{in_}.substr(at_, size);
    at_ += size;
    if (line.size() < 2 || line.find_first_of(std::string_view{"\r\0", 2}) != line.size() - 2 ||
        line[line.size() - 2] != '\r') {
        breach("500 5.5.2 a command ends in CRLF and has no other CR, LF or NUL", "a bare CR, LF or NUL in a command");
        close_after_output();
        return false;
    }
    on_command(line.substr(0, line.size() - 2));
    return phase_ != phase::closed;
}

void smtp_session::on_command(std::string_view line) {
    const auto space = line.find(' ');
    const auto verb = line.substr(0, space);
    const auto argument = space == std::string_view::npos ? std::string_view{} : line.substr(space + 1);
    // RFC 2920 section 3.1: after these the client waits for the answer.
    if (rest_waits() && (same_word(verb, "EHLO") || same_word(verb, "DATA") || same_word(verb, "QUIT") ||
                         same_word(verb, "NOOP") || same_word(verb, "HELO"))) {
        breach("503 5.5.0 speak after the answer", "bytes behind a command that ends a group (RFC 2920)");
        return close_after_output();
    }
    if (same_word(verb, "MAIL") && argument.size() >= 5 && same_word(argument.substr(0, 5), "FROM:")) {
        on_mail(argument.substr(5));
    } else if (same_word(verb, "RCPT") && argument.size() >= 3 && same_word(argument.substr(0, 3), "TO:")) {
        on_rcpt(argument.substr(3));
    } else if (same_word(line, "DATA")) {
        on_data();
    } else if (same_word(verb, "EHLO") || same_word(verb, "HELO")) {
        if (argument.empty() || argument.contains(' ')) {
            return breach("501 5.5.4 EHLO needs one name", "EHLO without a name");
        }
        forget_transaction();
        greeted_ = true;
        if (same_word(verb, "HELO")) {
            return say("250 gateway.example");
        }
        say("250-gateway.example");
        out_ += fmt::format("250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n",
                            most_message_bytes);
        say("250 ENHANCEDSTATUSCODES");
    } else if (same_word(line, "RSET")) {
        forget_transaction();
        say("250 2.0.0 Ok");
    } else if (same_word(verb, "NOOP")) {
        say("250 2.0.0 Ok");
    } else if (same_word(line, "QUIT")) {
        say("221 2.0.0 Bye");
        close_after_output();
    } else if (same_word(verb, "VRFY")) {
        say("252 2.5.0 try it");
    } else {
        breach("500 5.5.2 no such command", "an unknown or malformed command");
    }
}

void smtp_session::on_mail(std::string_view argument) {
    if (!greeted_ || mail_) {
        return breach("503 5.5.1 EHLO first, and one MAIL at a time", "MAIL out of order");
    }
    const auto read = read_path(argument);
    if (!read) {
        return breach("501 5.5.4 MAIL FROM:<path> parameters", "the argument of MAIL");
    }
    forget_transaction();
    std::uint64_t size = 0;
    for (const auto& [key, value] : read->parameters) {
        bool good = true;
        if (same_word(key, "SIZE")) {
            good =
                is_digits(value) && std::from_chars(value.data(), value.data() + value.size(), size).ec == std::errc{};
        } else if (same_word(key, "BODY")) {
            eight_bit_ = same_word(value, "8BITMIME");
            good = eight_bit_ || same_word(value, "7BIT");
        } else if (same_word(key, "SMTPUTF8")) {
            utf8_ = true;
            good = value.empty();
        } else if (same_word(key, "RET")) {
            good = same_word(value, "FULL") || same_word(value, "HDRS");
        } else if (same_word(key, "ENVID")) {
            good = is_xtext_of(value, 100);
            envid_ = from_xtext(value).value_or("");
        } else {
            forget_transaction();
            return breach("555 5.5.4 no such parameter", "an unknown parameter of MAIL");
        }
        if (!good) {
            forget_transaction();
            return breach("501 5.5.4 a parameter of MAIL", "a wrong value of a parameter of MAIL");
        }
    }
    if (!read->path.empty() && !is_mailbox(read->path, utf8_)) {
        forget_transaction();
        return breach("501 5.1.7 the sender is not a mailbox", "the reverse-path of MAIL");
    }
    if (size > most_message_bytes) {
        forget_transaction();
        return say("552 5.3.4 the message is too big");
    }
    from_ = read->path;
    if (!envid_.empty()) {
        course_ = desk_.decide(envid_, {});
        if (course_->what == fate::refuse && course_->why.at == place::mail) {
            return refuse(course_->why);
        }
    }
    mail_ = true;
    say("250 2.1.0 Ok");
}

void smtp_session::on_rcpt(std::string_view argument) {
    if (!mail_) {
        if (course_ && course_->what == fate::refuse) { // pipelined behind the MAIL that was refused
            return say("503 5.5.1 MAIL first");
        }
        return breach("503 5.5.1 MAIL first", "RCPT without MAIL");
    }
    const auto read = read_path(argument);
    if (!read || !is_mailbox(read->path, utf8_)) {
        return breach("501 5.1.3 the recipient is not a mailbox", "the forward-path of RCPT");
    }
    for (const auto& [key, value] : read->parameters) {
        const auto semicolon = value.find(';');
        if (same_word(key, "NOTIFY") ? !is_notify(value)
                                     : !same_word(key, "ORCPT") || semicolon == std::string_view::npos ||
                                           semicolon == 0 || !is_xtext_of(value.substr(semicolon + 1), 500)) {
            return breach("501 5.5.4 a parameter of RCPT", "a parameter of RCPT");
        }
    }
    if (recipients_.size() >= 1000) {
        return say("452 4.5.3 too many recipients");
    }
    if (fails_for_ever(desk_.now(), read->path) && desk_.now().fail_answer.at == place::rcpt) {
        return refuse(desk_.now().fail_answer);
    }
    if (!course_ || (course_->what != fate::refuse && fails_for_ever(desk_.now(), read->path))) {
        course_ = desk_.decide(envid_.empty() ? read->path : std::string_view{envid_}, read->path);
    }
    if (course_->what == fate::refuse && course_->why.at <= place::rcpt) {
        return refuse(course_->why);
    }
    recipients_.emplace_back(read->path);
    say("250 2.1.5 Ok");
}

void smtp_session::on_data() {
    if (recipients_.empty()) {
        // Pipelined behind a RCPT that was refused, it is in order.
        forget_transaction();
        return say("554 5.5.1 no valid recipients");
    }
    if (course_->what == fate::refuse && course_->why.at == place::data) {
        const auto why = course_->why;
        forget_transaction();
        return refuse(why);
    }
    phase_ = phase::data;
    after_line_end_ = true;
    say("354 end with <CRLF>.<CRLF>");
}

bool smtp_session::step_data() {
    if (at_ < in_.size() && course_->what == fate::reset_before_last_byte) {
        phase_ = phase::closed;
        desk_.was_reset();
        wire_.reset();
        return false;
    }
    const auto end = in_.find('\n', at_);
    if (end == std::string::npos) {
        if (in_.size() - at_ > 4 * longest_line) {
            breach("554 5.6.0 a line is too long", "a line of the message is over 1000 bytes");
            close_after_output();
        }
        return false;
    }
    const auto line = std::string_view{in_}.substr(at_, end + 1 - at_);
    at_ += line.size();
    on_line(line);
    return phase_ != phase::closed && phase_ != phase::mute;
}

void smtp_session::on_line(std::string_view line) {
    const auto note = [&](std::string_view problem) {
        if (problem_.empty()) {
            problem_ = problem;
        }
    };
    const bool whole = line.size() >= 2 && line[line.size() - 2] == '\r';
    if (after_line_end_ && line == ".\r\n") {
        return on_end();
    }
    const bool at_line_start = after_line_end_;
    after_line_end_ = whole;
    if (!whole) {
        note("a bare LF in the message");
    }
    if (const auto cr = line.find('\r'); cr != std::string_view::npos && cr + 2 < line.size()) {
        note("a bare CR in the message");
    }
    if (line.contains('\0')) {
        note("a NUL in the message");
    }
    if (at_line_start && line.front() == '.') {
        line.remove_prefix(1);
        if (line.front() != '.') {
            note("a line begins with one dot: it was not stuffed");
        }
    }
    if (line.size() > longest_line) {
        note("a line of the message is over 1000 bytes");
    }
    if (!eight_bit_ && !utf8_ && std::ranges::any_of(line, [](char c) { return static_cast<signed char>(c) < 0; })) {
        note("8-bit bytes without BODY=8BITMIME");
    }
    if (content_.size() <= most_message_bytes) {
        content_ += line;
    }
}

void smtp_session::on_end() {
    phase_ = phase::command;
    const auto headers = read_headers(content_);
    if (problem_.empty()) {
        problem_ = headers.problem;
    }
    if (!problem_.empty()) {
        breach("554 5.6.0 " + problem_, problem_);
    } else if (content_.size() > most_message_bytes) {
        say("552 5.3.4 the message is too big");
    } else if (course_->what == fate::refuse) {
        desk_.refused(course_->why.name);
        answer(fmt::format("{} {} refused by the test gateway\r\n", course_->why.code, course_->why.detail),
               course_->why.code == 421);
    } else if (!desk_.has_room()) {
        const auto& why = desk_.now().throttle_answer;
        desk_.throttled(why.name);
        answer(fmt::format("{} {} too many messages in a second\r\n", why.code, why.detail), why.code == 421);
    } else {
        accept(headers.message_id);
    }
    forget_transaction();
}

void smtp_session::accept(std::string_view message_id) {
    ++messages_;
    const auto queue_id = fmt::format("S{:X}", next_message_number());
    for (const auto& recipient : recipients_) {
        std::string more = ",\"envid\":";
        append_json(more, envid_);
        more += ",\"from\":";
        append_json(more, from_);
        more += ",\"connection_messages\":";
        append_number(more, messages_);
        desk_.accept({.connection = connection_,
                      .id = message_id.empty() ? std::string_view{envid_} : message_id,
                      .address = recipient,
                      .gateway_message_id = queue_id,
                      .content = content_,
                      .more = more,
                      .fate = course_->what});
    }
    if (course_->what == fate::silence) {
        phase_ = phase::mute;
    } else if (course_->what == fate::accept_then_reset) {
        phase_ = phase::closed;
        desk_.was_reset();
        wire_.reset();
    } else {
        answer(fmt::format("250 2.0.0 Ok: queued as {}\r\n", queue_id), false);
    }
}

void smtp_session::say(std::string_view line) {
    out_ += line;
    out_ += "\r\n";
}

void smtp_session::refuse(const refusal& why) {
    desk_.refused(why.name);
    say(fmt::format("{} {} refused by the test gateway", why.code, why.detail));
    if (why.code == 421) {
        close_after_output();
    }
}

void smtp_session::breach(std::string_view text, std::string_view rule) {
    desk_.violation(std::string{rule});
    say(text);
}

void smtp_session::answer(std::string line, bool then_close) {
    const auto give = [this, line = std::move(line), then_close] {
        out_ += line;
        if (then_close) {
            close_after_output();
        }
    };
    if (course_->delay.count() <= 0) {
        return give();
    }
    holding_ = true;
    wire_.later(course_->delay, [this, give] {
        holding_ = false;
        give();
        run();
    });
}

void smtp_session::close_after_output() {
    phase_ = phase::closed;
    wire_.hang_up();
}

void smtp_session::forget_transaction() {
    mail_ = eight_bit_ = utf8_ = false;
    from_.clear();
    envid_.clear();
    recipients_.clear();
    course_.reset();
    content_.clear();
    problem_.clear();
}

} // namespace semel::gateways::smtp
