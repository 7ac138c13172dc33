#pragma once
// One SMTP session as a state machine without I/O (RFC 5321, 3207, 4954, 2920). It says what to do next; the driver has
// the socket, the TLS and the clock:
//
//   loop: write output() whole, then act on next():
//     read          read something and feed() it
//     secure        do the TLS handshake, then secured()
//     ready         no message is open: begin(), keep_alive() or quit()
//     claim         all of the message but the final dot is written: release(), or drop the connection
//     verdict       take_verdict(); the machine goes on to ready or closed
//     closed        close the connection; failure() says why, when there is a reason
//
// The body goes out without the closing ".\r\n": until release() the server cannot accept the message, whatever happens
// to this process. After release() only a complete reply line is an answer; everything else is `unknown`.
// Nothing is ever pipelined past the dot: one message's doubt never touches the next.

#include <delivery/message.hpp>

#include <email/core/classify.hpp>
#include <email/core/envelope.hpp>
#include <email/core/reply.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace semel::email {

/// What EHLO offered.
struct capabilities {
    bool pipelining = false;
    bool eight_bit_mime = false;
    bool smtputf8 = false;
    bool dsn = false;
    bool starttls = false;
    bool size = false;
    bool auth_plain = false;
    bool auth_login = false;
    std::uint64_t max_size = 0; // 0: no limit stated
};

struct session_settings {
    std::string helo = "localhost";
    bool starttls = false; // required when set: no TLS, no message
    std::string user;      // empty: no AUTH
    std::string password;
};

/// RFC 5321 section 4.5.3.2. Tests shorten them.
struct timeouts {
    std::chrono::milliseconds connect{30'000};
    std::chrono::milliseconds handshake{30'000};
    std::chrono::milliseconds command{300'000}; // greeting, EHLO, MAIL, RCPT
    std::chrono::milliseconds data{120'000};
    std::chrono::milliseconds body{180'000};
    std::chrono::milliseconds dot{600'000};
};

class dialogue {
  public:
    enum class action : unsigned char { read, secure, ready, claim, verdict, closed };

    explicit dialogue(session_settings settings)
        : settings_(std::move(settings)) {}

    action next() const noexcept { return next_; }
    /// Bytes to write; cleared by written().
    const std::string& output() const noexcept { return output_; }
    void written() noexcept { output_.clear(); }

    void feed(std::string_view bytes);
    void secured();
    /// The connection is gone (end of stream, error, timeout). Also settles an open message.
    void lost(std::string_view how);

    /// Opens a message; only when ready. `message` must end in CRLF and is copied, dot-stuffed, into the output.
    void begin(const envelope& to, std::string_view message);
    void release();
    void keep_alive();
    void quit();

    delivery::verdict take_verdict();
    /// Why the session ended or could not begin: what a caller without an open message is told.
    const std::optional<delivery::verdict>& failure() const noexcept { return failure_; }
    /// True once the final dot may be out and has no answer.
    bool in_doubt() const noexcept { return state_ == state::dot; }
    /// The server closed an old session (421, or no answer at all) before it read the message: worth another
    /// connection at once, without a word to the lane.
    bool stale() const noexcept { return stale_; }

    const capabilities& offers() const noexcept { return offers_; }
    std::size_t messages() const noexcept { return messages_; }
    /// How long the driver should wait for what comes next.
    std::chrono::milliseconds patience(const timeouts&) const noexcept;

  private:
    enum class state : unsigned char {
        greeting,
        ehlo,
        helo,
        starttls,
        tls,
        auth_user,
        auth_password,
        auth_answer,
        idle,
        mail,
        rcpt,
        data,
        held,
        dot,
        noop,
        quit,
        closed,
    };

    session_settings settings_;
    state state_ = state::greeting;
    action next_ = action::read;
    reply_parser parser_;
    std::string output_;
    capabilities offers_;
    bool encrypted_ = false;
    bool stale_ = false;
    std::size_t messages_ = 0;
    std::optional<delivery::verdict> failure_;

    // The open message.
    std::string recipient_;
    std::string rcpt_command_; // without PIPELINING, the commands that wait for their turn
    std::string body_;         // dot-stuffed, ends in CRLF
    std::optional<delivery::verdict> verdict_;
    std::optional<delivery::verdict> refusal_; // of MAIL or RCPT, while DATA's answer is still to come

    void on_reply(const reply&);
    void on_greeting(const reply&);
    void on_ehlo(const reply&);
    void on_auth(const reply&);
    void on_message_reply(const reply&);
    void on_data(const reply&);
    void say_hello();
    void after_hello();
    void command(std::string_view line, state then);
    void settle(delivery::verdict);
    void fail(delivery::verdict);
    void abort_message(delivery::verdict);
};

/// The lines of the message with a dot doubled at the start of each that begins with one.
/// A fault when a line is over 998 bytes, a CR or LF stands alone, or the end is not CRLF: such a message is not the
/// same on both sides of a relay (and a bare LF before a dot ends it early).
base::result<void> append_stuffed(std::string& out, std::string_view message);

} // namespace semel::email
