#include "dialogue.hpp"

#include <base/ascii.hpp>
#include <base/bytes.hpp>
#include <base/codes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace semel::email {

namespace {

using delivery::verdict;
using kind = delivery::verdict::kind;

verdict ours(kind what, std::string_view code, std::string text) {
    return {.what = what, .code = std::string{code}, .text = std::move(text), .message_id = {}, .retry_after = {}};
}

std::string upper(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

capabilities read_capabilities(const reply& r) {
    capabilities c;
    for (std::size_t i = 1; i < r.lines.size(); ++i) { // the first line is the server's name
        const auto line = upper(r.lines[i]);
        const auto space = line.find_first_of(" ="); // "AUTH=PLAIN" is an old spelling that lives on
        const std::string_view word = std::string_view{line}.substr(0, space);
        const std::string_view rest = space == std::string::npos ? "" : std::string_view{line}.substr(space + 1);
        if (word == "PIPELINING") {
            c.pipelining = true;
        } else if (word == "8BITMIME") {
            c.eight_bit_mime = true;
        } else if (word == "SMTPUTF8") {
            c.smtputf8 = true;
        } else if (word == "DSN") {
            c.dsn = true;
        } else if (word == "STARTTLS") {
            c.starttls = true;
        } else if (word == "SIZE") {
            c.size = true;
            std::from_chars(rest.data(), rest.data() + rest.size(), c.max_size);
        } else if (word == "AUTH") {
            const auto padded = fmt::format(" {} ", rest);
            c.auth_plain = c.auth_plain || padded.contains(" PLAIN ");
            c.auth_login = c.auth_login || padded.contains(" LOGIN ");
        }
    }
    return c;
}

} // namespace

base::result<void> append_stuffed(std::string& out, std::string_view message) {
    using base::fault;
    if (!message.ends_with("\r\n")) {
        return base::failed(fault::kind::broken,
                            "the message does not end in CRLF; this is a bug in the compiled notice");
    }
    while (!message.empty()) {
        const auto end = message.find('\n');
        const auto line = message.substr(0, end + 1);
        message.remove_prefix(end + 1);
        constexpr std::size_t longest = 1000; // RFC 5321 section 4.5.3.1.6, line end included
        if (line.size() < 2 || line.find('\r') != line.size() - 2 || line.size() > longest) {
            return base::failed(fault::kind::broken, "the message has a bare CR or LF or a line over 998 bytes; "
                                                     "this is a bug in the compiled notice");
        }
        if (line.front() == '.') {
            out += '.';
        }
        out += line;
    }
    return {};
}

std::chrono::milliseconds dialogue::patience(const timeouts& t) const noexcept {
    switch (state_) {
    case state::data:
        return t.data;
    case state::held:
        return t.body;
    case state::dot:
        return t.dot;
    default:
        return t.command;
    }
}

void dialogue::command(std::string_view line, state then) {
    output_ += line;
    output_ += "\r\n";
    state_ = then;
    next_ = action::read;
}

void dialogue::feed(std::string_view bytes) {
    parser_.feed(bytes);
    while (next_ == action::read) {
        const auto r = parser_.next();
        if (!r) {
            break;
        }
        on_reply(*r);
    }
    if (parser_.malformed()) {
        lost("the server's answer is not an SMTP reply");
    } else if ((next_ == action::claim || next_ == action::secure) && parser_.pending() != 0) {
        // An answer to what was not said yet: to the dot that is still held back, or, as in the STARTTLS injection,
        // plain text sent ahead of what will be asked under TLS. Neither may ever be believed.
        lost("the server spoke out of turn");
    }
}

void dialogue::on_reply(const reply& r) {
    switch (state_) {
    case state::greeting:
        return on_greeting(r);
    case state::ehlo:
    case state::helo:
        return on_ehlo(r);
    case state::starttls:
        if (r.code != 220) {
            return fail(r.code == 421 ? classify(stage::starttls, r, {})
                                      : ours(r.refused() ? kind::lane_stop : kind::transient, codes::starttls,
                                             fmt::format("the server refused STARTTLS with {}", r.short_code())));
        }
        state_ = state::tls;
        next_ = action::secure;
        return;
    case state::auth_user:
    case state::auth_password:
    case state::auth_answer:
        return on_auth(r);
    case state::mail:
    case state::rcpt:
    case state::data:
        return on_message_reply(r);
    case state::dot:
        settle(classify(stage::dot, r, recipient_));
        if (verdict_->what == kind::unknown || r.code == 421) {
            failure_ = verdict_;
            state_ = state::closed; // take_verdict() ends it
        }
        return;
    case state::noop:
        if (!r.positive()) {
            return fail(ours(kind::transient, codes::session, "the server ended an idle session"));
        }
        state_ = state::idle;
        next_ = action::ready;
        return;
    case state::quit:
        state_ = state::closed;
        next_ = action::closed;
        return;
    case state::tls:
    case state::idle:
    case state::held:
    case state::closed:
        return; // feed() does not come here: next_ is not read
    }
}

void dialogue::on_greeting(const reply& r) {
    if (r.code != 220) {
        return fail(classify(stage::greeting, r, {}));
    }
    say_hello();
}

void dialogue::say_hello() {
    command(fmt::format("EHLO {}", settings_.helo), state::ehlo);
}

void dialogue::on_ehlo(const reply& r) {
    if (state_ == state::ehlo && (r.code == 500 || r.code == 502 || r.code == 504)) {
        return command(fmt::format("HELO {}", settings_.helo), state::helo); // a server without ESMTP
    }
    if (!r.positive()) {
        return fail(classify(stage::ehlo, r, {}));
    }
    offers_ = state_ == state::ehlo ? read_capabilities(r) : capabilities{};
    after_hello();
}

void dialogue::after_hello() {
    if (settings_.starttls && !encrypted_) {
        if (!offers_.starttls) {
            return fail(ours(kind::lane_stop, codes::starttls,
                             "the server does not offer STARTTLS, which this gateway requires; "
                             "set tls: none only for a relay on a trusted wire"));
        }
        return command("STARTTLS", state::starttls);
    }
    if (settings_.user.empty()) {
        state_ = state::idle;
        next_ = action::ready;
        return;
    }
    if (offers_.auth_plain) {
        using namespace std::string_literals;
        const auto token = base::to_base64("\0"s + settings_.user + "\0"s + settings_.password);
        return command("AUTH PLAIN " + token, state::auth_answer);
    }
    if (offers_.auth_login) {
        return command("AUTH LOGIN", state::auth_user);
    }
    fail(ours(kind::lane_stop, codes::auth,
              "the server offers neither AUTH PLAIN nor AUTH LOGIN; remove user, or check the relay's "
              "settings (some offer AUTH only under TLS)"));
}

void dialogue::on_auth(const reply& r) {
    if (r.code == 334 && state_ == state::auth_user) { // "Username:", then "Password:": the order is fixed in practice
        return command(base::to_base64(settings_.user), state::auth_password);
    }
    if (r.code == 334 && state_ == state::auth_password) {
        return command(base::to_base64(settings_.password), state::auth_answer);
    }
    if (r.code != 235) {
        auto why = classify(stage::auth, r, settings_.user);
        if (why.what == kind::lane_stop) {
            why.text += " (check user and password_file of this gateway)";
        }
        return fail(std::move(why));
    }
    state_ = state::idle;
    next_ = action::ready;
}

void dialogue::secured() {
    // RFC 3207 section 4.2: what was learned before TLS is forgotten.
    offers_ = {};
    encrypted_ = true;
    parser_.clear();
    say_hello();
}

void dialogue::begin(const envelope& to, std::string_view message) {
    recipient_ = to.recipient;
    verdict_.reset();
    refusal_.reset();
    if (parser_.pending() != 0) {
        stale_ = true;
        return lost("the server spoke out of turn");
    }
    if (to.needs_utf8 && !(offers_.smtputf8 && offers_.eight_bit_mime)) {
        return settle(ours(kind::permanent, codes::smtputf8,
                           "the address needs SMTPUTF8 (RFC 6531), which the relay does not offer"));
    }
    if (offers_.max_size != 0 && message.size() > offers_.max_size) {
        return settle(ours(kind::ambiguous, codes::size,
                           fmt::format("the message has {} bytes, the relay takes {}: raise the relay's "
                                       "limit or shorten the notice",
                                       message.size(), offers_.max_size)));
    }
    if (!to.needs_utf8 && !base::is_ascii(message)) {
        return settle(
            ours(kind::ambiguous, codes::content, "the message is not 7-bit; this is a bug in the compiled notice"));
    }
    body_.clear();
    if (auto ok = append_stuffed(body_, message); !ok) {
        return settle(ours(kind::ambiguous, codes::content, ok.error().why()));
    }

    const auto out = std::back_inserter(output_);
    fmt::format_to(out, "MAIL FROM:<{}>", to.return_path);
    if (offers_.size) {
        fmt::format_to(out, " SIZE={}", message.size());
    }
    if (to.needs_utf8) {
        output_ += " SMTPUTF8";
    }
    // A null sender gets no report, and RFC 3461 section 4.4 wants no RET or ENVID for nothing.
    const bool reports = offers_.dsn && !to.return_path.empty();
    if (reports) {
        fmt::format_to(out, " RET=HDRS ENVID={}", xtext(to.envelope_id));
    }
    output_ += "\r\n";
    rcpt_command_ = fmt::format("RCPT TO:<{}>", to.recipient);
    if (reports) {
        // No SUCCESS: for tens of millions of messages it would make as many reports, each a mail of its own. What
        // it would prove, the server's 250 proves already; doubt is settled by ENVID in the failures and delays.
        rcpt_command_ += " NOTIFY=FAILURE,DELAY";
        if (!to.needs_utf8) { // beyond ASCII, ORCPT has a form of its own (RFC 6533) that few servers read
            rcpt_command_ += " ORCPT=rfc822;" + xtext(to.recipient);
        }
    }
    rcpt_command_ += "\r\n";
    if (offers_.pipelining) {
        output_ += std::exchange(rcpt_command_, {});
        output_ += "DATA\r\n";
    }
    state_ = state::mail;
    next_ = action::read;
}

void dialogue::on_message_reply(const reply& r) {
    if (r.code == 421) {
        // The server closes; with pipelined commands behind it there may be no other answer.
        stale_ = messages_ > 0 && state_ == state::mail;
        return abort_message(refusal_ ? *refusal_
                                      : classify(state_ == state::mail   ? stage::mail
                                                 : state_ == state::rcpt ? stage::rcpt
                                                                         : stage::data,
                                                 r, recipient_));
    }
    if (state_ == state::data) {
        return on_data(r);
    }
    const bool mail = state_ == state::mail;
    if (!r.positive() && !refusal_) {
        refusal_ = classify(mail ? stage::mail : stage::rcpt, r, recipient_);
    }
    if (offers_.pipelining) {
        state_ = mail ? state::rcpt : state::data; // every command sent gets its answer
        return;
    }
    if (refusal_) {
        return command("RSET", state::data); // nothing else of this message was said; see on_data
    }
    if (mail) {
        output_ += std::exchange(rcpt_command_, {});
        state_ = state::rcpt;
    } else {
        command("DATA", state::data);
    }
}

void dialogue::on_data(const reply& r) {
    if (refusal_) {
        if (r.code == 354) {
            // DATA was accepted for no recipient at all (RFC 2920 section 3.1 has a lone dot and a 554 for it). Hanging
            // up is as clear and leaves no dot to argue about.
            return abort_message(*refusal_);
        }
        return settle(*refusal_); // 503 or 554 to DATA; 250 to the RSET that stands for it without PIPELINING
    }
    if (r.code != 354) {
        if (r.positive() || r.code < 400) {
            return lost("DATA was answered by what is not an answer to it");
        }
        return settle(classify(stage::data, r, recipient_));
    }
    output_.swap(body_);
    state_ = state::held;
    next_ = action::claim;
}

void dialogue::release() {
    output_ += ".\r\n";
    state_ = state::dot;
    next_ = action::read;
}

void dialogue::keep_alive() {
    command("NOOP", state::noop);
}

void dialogue::quit() {
    command("QUIT", state::quit);
}

verdict dialogue::take_verdict() {
    next_ = state_ == state::closed ? action::closed : action::ready;
    return std::exchange(verdict_, std::nullopt).value_or(verdict{});
}

void dialogue::settle(verdict v) {
    if (state_ != state::idle) { // a message that begin() refuses has told the server nothing
        ++messages_;
    }
    verdict_ = std::move(v);
    state_ = state::idle;
    next_ = action::verdict;
}

void dialogue::fail(verdict why) {
    failure_ = std::move(why);
    output_.clear();
    state_ = state::closed;
    next_ = action::closed;
}

void dialogue::abort_message(verdict v) {
    failure_ = v;
    output_.clear();
    verdict_ = std::move(v);
    state_ = state::closed;
    next_ = action::verdict;
}

void dialogue::lost(std::string_view how) {
    if (next_ == action::verdict) {
        state_ = state::closed; // the open message has its answer already
        return;
    }
    switch (state_) {
    case state::dot:
        return abort_message(ours(kind::unknown, codes::lost, fmt::format("after the final dot: {}", how)));
    case state::mail:
    case state::rcpt:
    case state::data:
    case state::held:
        stale_ = messages_ > 0 && state_ == state::mail;
        return abort_message(
            refusal_ ? *refusal_ : ours(kind::transient, codes::lost, fmt::format("before the final dot: {}", how)));
    case state::closed:
        return;
    default:
        return fail(ours(kind::transient, codes::lost, fmt::format("in the session's start or pause: {}", how)));
    }
}

} // namespace semel::email
