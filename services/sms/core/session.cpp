#include "session.hpp"

#include <base/codes.hpp>

#include <fmt/format.h>
#include <sms/core/classify.hpp>

#include <utility>

namespace semel::sms {

namespace {

using delivery::verdict;
using kind = verdict::kind;

verdict ours(kind what, std::string_view code, std::string text) {
    return {.what = what, .code = std::string{code}, .text = std::move(text), .message_id = {}, .retry_after = {}};
}

constexpr std::size_t most_output_bytes = 4U << 20U; // a peer that asks and never reads

} // namespace

session::session(settings s, time_point now)
    : settings_(std::move(s))
    , phase_since_(now)
    , heard_(now) {
    bind b;
    b.system_id = settings_.system_id;
    b.password = settings_.password;
    b.system_type = settings_.system_type;
    bind_sequence_ = send(std::move(b));
}

unsigned session::free_slots() const noexcept {
    const auto used = reserved_ + static_cast<unsigned>(open_.size());
    return phase_ != phase::bound || used >= settings_.window ? 0 : settings_.window - used;
}

bool session::reserve(unsigned slots) noexcept {
    if (free_slots() < slots) {
        return false;
    }
    reserved_ += slots;
    return true;
}

void session::unreserve(unsigned slots) noexcept {
    reserved_ -= slots;
}

std::uint32_t session::send(body content, std::uint32_t status) {
    const auto sequence = next_sequence_;
    next_sequence_ = sequence == 0x7FFFFFFF ? 1 : sequence + 1; // the specification's range
    reply(std::move(content), sequence, status);
    return sequence;
}

void session::reply(body content, std::uint32_t sequence, std::uint32_t status) {
    const auto before = output_.size();
    encode(output_, pdu{.status = status, .sequence = sequence, .content = std::move(content)});
    queued_ += output_.size() - before;
}

std::uint32_t session::submit(const message& m, time_point now) {
    const auto sequence = send(m);
    --reserved_;
    open_.emplace(sequence, open_submit{.since = now, .end = queued_});
    return sequence;
}

void session::acknowledge(std::uint32_t sequence, std::uint32_t status, command arrived_as) {
    if (phase_ != phase::closed) {
        reply(message_resp{arrived_as, {}}, sequence, status);
    }
}

void session::unbind(time_point now) {
    if (phase_ == phase::bound) {
        send(sms::unbind{});
        phase_ = phase::unbinding;
        phase_since_ = now;
    }
}

std::string session::take_output() {
    taken_ = queued_;
    return std::exchange(output_, {});
}

void session::feed(std::string_view bytes, time_point now) {
    heard_ = now;
    framer_.feed(bytes);
    while (phase_ != phase::closed) {
        const auto frame = framer_.next();
        if (!frame) {
            break;
        }
        on_frame(*frame, now);
    }
    if (framer_.broken() && phase_ != phase::closed) {
        fail(ours(kind::transient, codes::protocol, "the peer sent a PDU of an impossible length"));
    } else if (output_.size() > most_output_bytes) {
        fail(ours(kind::transient, codes::protocol, "the peer asks without reading the answers"));
    }
}

void session::on_frame(std::string_view frame, time_point now) {
    const auto h = read_header(frame);
    const auto whole = decode(frame);
    if ((h.command_id & response_bit) != 0) {
        return on_answer(h, whole ? &*whole : nullptr);
    }
    if (!whole) {
        constexpr std::uint32_t invalid_command_length = 0x02;
        return reply(generic_nack{}, h.sequence, invalid_command_length);
    }
    if (const auto* m = std::get_if<message>(&whole->content); m != nullptr && m->kind != command::submit_sm) {
        constexpr std::uint32_t wrong_bind_status = 0x04;
        if (phase_ == phase::binding) {
            return reply(message_resp{m->kind, {}}, h.sequence, wrong_bind_status);
        }
        events_.emplace_back(arrived{h.sequence, *m});
    } else if (std::holds_alternative<enquire_link>(whole->content)) {
        reply(enquire_link_resp{}, h.sequence);
    } else if (std::holds_alternative<sms::unbind>(whole->content)) {
        // It may still answer what it has; then it closes.
        reply(unbind_resp{}, h.sequence);
        phase_ = phase::unbinding;
        phase_since_ = now;
    } else if (h.command_id != static_cast<std::uint32_t>(command::alert_notification)) { // which has no answer
        reply(generic_nack{}, h.sequence, status::invalid_command);
    }
}

void session::on_answer(const header& h, const pdu* whole) {
    const bool nack = h.command_id == static_cast<std::uint32_t>(command::generic_nack);
    if (phase_ == phase::binding && h.sequence == bind_sequence_ &&
        (nack || h.command_id == response_to(command::bind_transceiver))) {
        if (h.command_status != status::ok || nack) {
            return fail(classify_bind(h.command_status));
        }
        phase_ = phase::bound;
        return;
    }
    if (h.command_id == response_to(command::enquire_link)) {
        enquired_since_.reset();
        return;
    }
    if (phase_ == phase::unbinding && h.command_id == response_to(command::unbind)) {
        return fail(ours(kind::transient, codes::unbound, "the session was closed in order"));
    }
    const auto found = open_.find(h.sequence);
    if (found == open_.end() || (!nack && h.command_id != response_to(command::submit_sm))) {
        if (nack) {
            enquired_since_.reset(); // an old centre that does not know enquire_link is alive all the same
        }
        return; // late, or an answer to nothing: its message was settled as in doubt when its time ran out
    }
    open_.erase(found);
    if (nack && h.command_status == status::ok) {
        events_.emplace_back(
            answered{h.sequence, ours(kind::unknown, codes::protocol, "generic_nack without a reason")});
        return;
    }
    // The status stands in the header: an acceptance whose id cannot be read is an acceptance still.
    const auto* resp = whole != nullptr ? std::get_if<message_resp>(&whole->content) : nullptr;
    events_.emplace_back(
        answered{h.sequence, classify_submit(h.command_status, resp != nullptr ? resp->message_id : std::string{})});
}

void session::tick(time_point now) {
    if (phase_ == phase::closed) {
        return;
    }
    for (auto it = open_.begin(); it != open_.end();) {
        if (now - it->second.since >= settings_.response_timeout) {
            events_.emplace_back(answered{it->first, ours(kind::unknown, codes::timeout, "no submit_sm_resp in time")});
            it = open_.erase(it);
        } else {
            ++it;
        }
    }
    if (phase_ != phase::bound) {
        if (now - phase_since_ >= settings_.response_timeout) {
            fail(ours(kind::transient, codes::timeout,
                      phase_ == phase::binding ? "no answer to the bind in time" : "no answer to the unbind in time"));
        }
        return;
    }
    if (enquired_since_) {
        // Anything heard since is a sign of life.
        if (heard_ > *enquired_since_) {
            enquired_since_.reset();
        } else if (now - *enquired_since_ >= settings_.response_timeout) {
            fail(ours(kind::transient, codes::timeout, "no answer to enquire_link in time"));
        }
    } else if (now - heard_ >= settings_.enquire_link) {
        send(enquire_link{});
        enquired_since_ = now;
    }
}

void session::lost(std::string_view how, std::size_t unwritten) {
    const auto left = taken_ - unwritten; // everything up to here may have left
    for (const auto& [sequence, submit] : open_) {
        const bool certain = submit.end > left;
        events_.emplace_back(answered{
            sequence, certain ? ours(kind::transient, codes::lost, fmt::format("before the PDU was written: {}", how))
                              : ours(kind::unknown, codes::lost, fmt::format("after the PDU was written: {}", how))});
    }
    open_.clear();
    if (!failure_) {
        failure_ = ours(kind::transient, codes::lost, std::string{how});
    }
    phase_ = phase::closed;
}

void session::fail(verdict why) {
    failure_ = std::move(why);
    phase_ = phase::closed; // the driver hangs up and calls lost(), which settles what is open
}

} // namespace semel::sms
