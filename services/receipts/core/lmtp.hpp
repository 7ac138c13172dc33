#pragma once
// The side of a server in LMTP (RFC 2033) or SMTP (RFC 5321), for mails that come back: one session as a state machine.
// It is given what was read and says what to write; who drives it has the socket and keeps what came. Nothing is
// relayed: a recipient is a return path of ours or is refused. Pure; outside bytes.

#include <correlation/verp.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::receipts {

/// What a return path names, once its token has proved to be ours.
struct return_address {
    std::string gateway;
    correlation::notification_prefix notification{};
    friend bool operator==(const return_address&, const return_address&) = default;
};

struct returned_mail {
    std::vector<return_address> to;
    std::string text; // its first `kept` bytes
};

class lmtp_session {
  public:
    struct limits {
        std::size_t line = 1'000;
        std::size_t recipients = 100;
        std::size_t errors = 10;                          // then it hangs up
        std::size_t kept = std::size_t{512} * 1024;       // why it came back stands before the copy of the mail
        std::size_t size = std::size_t{64} * 1024 * 1024; // more is refused, and ends the session
    };
    /// Nothing for an address that is not a return path of ours.
    using reader_of_paths = std::function<std::optional<return_address>(std::string_view)>;

    lmtp_session(std::string name, reader_of_paths, limits);
    /// The first words, before anything is read.
    std::string greeting() const;

    /// What was read; gives what to write. A whole mail stops it: the rest waits until answer().
    std::string take(std::string_view bytes);
    /// A mail that is to be kept before its sender is told so.
    const std::optional<returned_mail>& waiting() const noexcept { return mail_; }
    /// Whether it is kept now. If not, its sender comes again.
    std::string answer(bool kept);
    /// Nothing more will be said: close once all is written.
    bool over() const noexcept { return over_; }

  private:
    enum class at : unsigned char { line, text };
    /// Of a mail's text: what was read since the last line's end.
    enum class mark : unsigned char { start, dot, dot_cr, inside, cr };

    std::string go_on();
    std::string command(std::string_view line);
    std::string hello(bool lmtp, bool extended);
    std::string mail();
    std::string recipient(std::string_view argument);
    std::string data();
    std::string refuse(std::string_view words);
    bool take_text();
    bool ends_with(char c);
    void keep(char c);
    void forget();

    std::string name_;
    reader_of_paths read_path_;
    limits limits_;
    std::string unread_;
    at where_ = at::line;
    mark mark_ = mark::start;
    bool greeted_ = false, lmtp_ = false, sender_ = false, over_ = false;
    std::size_t errors_ = 0, size_ = 0;
    returned_mail next_;
    std::optional<returned_mail> mail_;
};

} // namespace semel::receipts
