#pragma once
// One SMPP 3.4 transceiver session as a state machine without I/O: bind, window, sequence numbers, response timeout,
// enquire_link, unbind. The driver writes take_output(), feeds what it reads, calls tick() now and then, and acts on
// take_events().
//
// What is certain: a submit_sm whose last byte never left this process was not accepted. What left and has no answer is
// in doubt, whether the connection breaks, the peer unbinds or the time runs out.

#include <delivery/message.hpp>

#include <sms/core/pdu.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace semel::sms {

class session {
  public:
    using time_point = std::chrono::steady_clock::time_point;

    struct settings {
        std::string system_id;
        std::string password;
        std::string system_type;
        unsigned window = 10;
        std::chrono::milliseconds enquire_link{30'000}; // of silence
        std::chrono::milliseconds response_timeout{10'000};
    };

    enum class phase : unsigned char { binding, bound, unbinding, closed };

    /// A submit_sm has its answer, or will get none.
    struct answered {
        std::uint32_t sequence = 0;
        delivery::verdict outcome;
    };
    /// A deliver_sm or data_sm: a receipt or a message from a handset. The peer waits for acknowledge().
    struct arrived {
        std::uint32_t sequence = 0;
        sms::message message;
    };
    using event = std::variant<answered, arrived>;

    session(settings, time_point now);

    phase where() const noexcept { return phase_; }
    /// Why the session closed or was refused.
    const std::optional<delivery::verdict>& failure() const noexcept { return failure_; }

    /// Slots neither reserved nor in use; none unless bound.
    unsigned free_slots() const noexcept;
    bool reserve(unsigned slots) noexcept;
    void unreserve(unsigned slots) noexcept;
    /// Uses one reserved slot; bound only. The sequence number names the answer.
    std::uint32_t submit(const message&, time_point now);
    void acknowledge(std::uint32_t sequence, std::uint32_t status, command arrived_as = command::deliver_sm);
    void unbind(time_point now);

    void feed(std::string_view bytes, time_point now);
    /// Timeouts and enquire_link. Call at least once a second.
    void tick(time_point now);
    /// The connection is gone. `unwritten`: how many of the bytes last taken certainly did not leave.
    void lost(std::string_view how, std::size_t unwritten);

    bool has_output() const noexcept { return !output_.empty(); }
    std::string take_output();
    std::vector<event> take_events() { return std::exchange(events_, {}); }

  private:
    struct open_submit {
        time_point since;
        std::uint64_t end = 0; // the stream position after its last byte
    };

    settings settings_;
    phase phase_ = phase::binding;
    framer framer_;
    std::string output_;
    std::uint64_t queued_ = 0; // bytes ever put in output_
    std::uint64_t taken_ = 0;  // bytes ever taken from it
    std::uint32_t next_sequence_ = 1;
    std::uint32_t bind_sequence_ = 0;
    unsigned reserved_ = 0;
    std::map<std::uint32_t, open_submit> open_;
    std::vector<event> events_;
    std::optional<delivery::verdict> failure_;
    time_point phase_since_;
    time_point heard_;                         // last bytes from the peer
    std::optional<time_point> enquired_since_; // an enquire_link without an answer

    std::uint32_t send(body, std::uint32_t status = 0);
    void reply(body, std::uint32_t sequence, std::uint32_t status = 0);
    void on_frame(std::string_view frame, time_point now);
    void on_answer(const header&, const pdu* whole);
    void fail(delivery::verdict why);
};

} // namespace semel::sms
