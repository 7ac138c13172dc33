#pragma once
// A message centre's side of SMPP 3.4: one session for each connection, and the receipts that all of them share,
// because a receipt may come on any.

#include "agenda.hpp"
#include "desk.hpp"
#include "session.hpp"
#include "smpp_pdu.hpp"

#include <deque>
#include <list>
#include <unordered_map>

namespace semel::gateways::smpp {

class smpp_session;

/// Receipts on their way: each until it is acknowledged, whatever becomes of the sessions.
class receipt_office {
  public:
    receipt_office(desk& d, agenda& a)
        : desk_(d)
        , agenda_(a) {}
    void send_after(std::chrono::microseconds, receipt, smpp_session* rather);
    void send(receipt, smpp_session* rather);
    void acknowledged();
    void again(receipt);
    void bound(smpp_session&);
    void gone(smpp_session&);
    /// This session has room for more.
    void refill(smpp_session&);

  private:
    desk& desk_;
    agenda& agenda_;
    std::list<smpp_session*> sessions_; // bound as receivers
    std::deque<receipt> waiting_;
};

struct account {
    std::string system_id, password;
};

class smpp_session final : public session {
  public:
    smpp_session(desk&, wire&, receipt_office&, account, std::uint64_t connection);
    void received(std::string_view bytes) override;
    void take_output(std::string& out) override;
    bool owes() const noexcept override { return owed_ > 0; }
    void farewell() override;
    void lost() override;

    bool has_room() const noexcept { return unacknowledged_.size() < most_unacknowledged; }
    void deliver(receipt);

  private:
    static constexpr std::size_t most_unacknowledged = 500;
    enum class phase : unsigned char { open, bound, unbinding, closed };

    void on_pdu(const header&, std::string_view body);
    void on_bind(const header&, std::string_view body);
    void on_submit(const header&, std::string_view body);
    void on_delivered(const header&);
    void accept(const submission&, std::uint32_t sequence, const course&, std::string_view key);
    void answer_later(std::chrono::microseconds, std::function<void()>);
    void breach(const header&, std::uint32_t status, std::string_view rule);

    desk& desk_;
    wire& wire_;
    receipt_office& office_;
    account account_;
    std::uint64_t connection_;
    phase phase_ = phase::open;
    bool sends_ = false, receives_ = false;
    std::string in_, out_;
    std::uint32_t next_sequence_ = 1;
    std::size_t owed_ = 0;
    std::unordered_map<std::uint32_t, receipt> unacknowledged_;
};

} // namespace semel::gateways::smpp
