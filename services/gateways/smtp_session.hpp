#pragma once
// A relay's side of one SMTP connection (RFC 5321; PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, ENHANCEDSTATUSCODES).
// Strict where a client could be wrong: what would only pass because a relay is kind counts as a violation.

#include "desk.hpp"
#include "session.hpp"

#include <optional>
#include <vector>

namespace semel::gateways::smtp {

constexpr std::size_t most_message_bytes = std::size_t{10} * 1024 * 1024;

class smtp_session final : public session {
  public:
    smtp_session(desk&, wire&, std::uint64_t connection);
    void received(std::string_view bytes) override;
    void take_output(std::string& out) override;
    bool holds() const noexcept override { return holding_; }
    bool owes() const noexcept override { return holding_ || (phase_ == phase::data && !content_.empty()); }
    void farewell() override;

  private:
    enum class phase : unsigned char { command, data, mute, closed };

    void run();
    bool step_command();
    bool step_data();
    void on_command(std::string_view line);
    void on_mail(std::string_view argument);
    void on_rcpt(std::string_view argument);
    void on_data();
    void on_line(std::string_view line);
    void on_end();
    void accept(std::string_view message_id);

    void say(std::string_view line);
    void refuse(const refusal&);
    void breach(std::string_view answer, std::string_view rule);
    void answer(std::string line, bool then_close);
    void close_after_output();
    void forget_transaction();
    bool rest_waits() const noexcept { return at_ < in_.size(); }

    desk& desk_;
    wire& wire_;
    std::uint64_t connection_;
    phase phase_ = phase::command;
    bool holding_ = false; // until the answer's time has come
    bool draining_ = false;
    std::string in_;
    std::size_t at_ = 0; // how much of in_ is done
    std::string out_;
    bool greeted_ = false;
    std::uint64_t messages_ = 0;

    // The transaction.
    bool mail_ = false;
    std::string from_, envid_;
    bool eight_bit_ = false, utf8_ = false;
    std::vector<std::string> recipients_;
    std::optional<course> course_;
    std::string content_;
    std::string problem_;         // why the message is refused at its end
    bool after_line_end_ = false; // the last line ended in CRLF
};

} // namespace semel::gateways::smtp
