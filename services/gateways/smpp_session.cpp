#include "smpp_session.hpp"

#include "text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace semel::gateways::smpp {

namespace {

using fate = course::fate;
constexpr std::size_t most_output = std::size_t{8} * 1024 * 1024;

std::string minute(std::chrono::system_clock::time_point t) {
    return fmt::format("{:%y%m%d%H%M}", fmt::gmtime(std::chrono::system_clock::to_time_t(t)));
}

std::chrono::microseconds part_of(std::chrono::milliseconds whole, double share) {
    return std::chrono::microseconds{
        static_cast<std::int64_t>(share * std::chrono::duration<double, std::micro>{whole}.count())};
}

} // namespace

void receipt_office::send_after(std::chrono::microseconds wait, receipt r, smpp_session* rather) {
    ++desk_.receipts().pending;
    agenda_.after(wait, [this, r = std::move(r), rather]() mutable {
        r.done = minute(std::chrono::system_clock::now());
        // It may be gone by now, and its place taken by another: the list knows.
        send(std::move(r), std::ranges::find(sessions_, rather) != sessions_.end() ? rather : nullptr);
    });
}

void receipt_office::send(receipt r, smpp_session* rather) {
    if (rather != nullptr && rather->has_room()) {
        return rather->deliver(std::move(r));
    }
    const auto other = std::ranges::find_if(sessions_, [](const auto* s) { return s->has_room(); });
    if (other == sessions_.end()) {
        waiting_.push_back(std::move(r));
    } else {
        (*other)->deliver(std::move(r));
    }
}

void receipt_office::acknowledged() {
    ++desk_.receipts().acknowledged;
    --desk_.receipts().pending;
}

void receipt_office::again(receipt r) {
    agenda_.after(std::chrono::seconds{1}, [this, r = std::move(r)]() mutable { send(std::move(r), nullptr); });
}

void receipt_office::bound(smpp_session& s) {
    sessions_.push_back(&s);
    refill(s);
}

void receipt_office::gone(smpp_session& s) {
    sessions_.remove(&s);
}

void receipt_office::refill(smpp_session& s) {
    while (!waiting_.empty() && s.has_room()) {
        auto r = std::move(waiting_.front());
        waiting_.pop_front();
        s.deliver(std::move(r));
    }
}

smpp_session::smpp_session(desk& d, wire& w, receipt_office& o, account a, std::uint64_t connection)
    : desk_(d)
    , wire_(w)
    , office_(o)
    , account_(std::move(a))
    , connection_(connection) {}

void smpp_session::received(std::string_view bytes) {
    in_ += bytes;
    std::size_t at = 0;
    while (phase_ != phase::closed && in_.size() - at >= header_size) {
        const auto h = read_header(std::string_view{in_}.substr(at));
        if (h.length < header_size || h.length > longest_pdu) {
            breach(h, status::bad_command_length, "command_length");
            phase_ = phase::closed; // where the next PDU begins, nobody knows
            wire_.hang_up();
            break;
        }
        if (in_.size() - at < h.length) {
            break;
        }
        on_pdu(h, std::string_view{in_}.substr(at + header_size, h.length - header_size));
        at += h.length;
    }
    in_.erase(0, at);
    if (out_.size() > most_output) {
        wire_.reset();
    }
}

void smpp_session::take_output(std::string& out) {
    out += out_;
    out_.clear();
}

void smpp_session::farewell() {
    if (phase_ == phase::bound) {
        phase_ = phase::unbinding;
        office_.gone(*this);
        write_empty(out_, id::unbind, status::ok, next_sequence_++);
    }
}

void smpp_session::lost() {
    phase_ = phase::closed;
    office_.gone(*this);
    for (auto& [sequence, r] : unacknowledged_) {
        office_.again(std::move(r));
    }
    unacknowledged_.clear();
}

void smpp_session::on_pdu(const header& h, std::string_view body) {
    switch (h.command) {
    case id::bind_receiver:
    case id::bind_transmitter:
    case id::bind_transceiver:
        return on_bind(h, body);
    case id::submit_sm:
        return on_submit(h, body);
    case id::deliver_sm | id::response:
        return on_delivered(h);
    case id::enquire_link:
        return write_empty(out_, id::enquire_link | id::response, status::ok, h.sequence);
    case id::unbind:
        write_empty(out_, id::unbind | id::response, status::ok, h.sequence);
        phase_ = phase::closed;
        return wire_.hang_up();
    case id::unbind | id::response:
        phase_ = phase::closed;
        return wire_.hang_up();
    case id::enquire_link | id::response:
    case id::generic_nack:
        return;
    default:
        if ((h.command & id::response) == 0) {
            breach(h, status::bad_command, "a command that this centre does not know");
        }
    }
}

void smpp_session::on_bind(const header& h, std::string_view body) {
    const auto asked = read_bind(body);
    if (!asked) {
        return breach(h, status::bad_command_length, "the fields of the bind");
    }
    if (phase_ != phase::open) {
        return breach(h, status::already_bound, "a second bind");
    }
    if (asked->system_id != account_.system_id) {
        return breach(h, status::bad_system_id, "system_id");
    }
    if (asked->password != account_.password) {
        return breach(h, status::bad_password, "password");
    }
    write_bind_response(out_, h.command, h.sequence, "gateway");
    phase_ = phase::bound;
    sends_ = h.command != id::bind_receiver;
    receives_ = h.command != id::bind_transmitter;
    if (receives_) {
        office_.bound(*this);
    }
}

void smpp_session::on_submit(const header& h, std::string_view body) {
    if ((phase_ != phase::bound && phase_ != phase::unbinding) || !sends_) {
        return breach(h, status::wrong_bind_state, "submit_sm without a bind for it");
    }
    const auto read = read_submission(body);
    const auto& m = read.message;
    if (read.wrong) {
        return breach(h, read.wrong->status, read.wrong->rule);
    }
    const auto sequence = h.sequence;
    const auto address = (m.destination.ton == 1 ? "+" : "") + m.destination.digits;
    const auto key = fmt::format("{}/{}/{}/{}", m.user_message_reference.value_or(0), address, m.reference, m.part);
    const auto what = desk_.decide(key, address);
    const auto refuse = [&](std::uint32_t status) {
        answer_later(what.delay,
                     [this, status, sequence] { write_empty(out_, id::submit_sm | id::response, status, sequence); });
    };
    if (what.what == fate::reset_before_last_byte) {
        desk_.was_reset();
        phase_ = phase::closed;
        wire_.reset();
    } else if (what.what == fate::refuse) {
        desk_.refused(what.why.name);
        refuse(what.why.code);
    } else if (!desk_.has_room()) {
        const auto& why = desk_.now().throttle_answer;
        desk_.throttled(why.name);
        refuse(why.code);
    } else {
        accept(m, sequence, what, key);
    }
}

void smpp_session::accept(const submission& m, std::uint32_t sequence, const course& what, std::string_view key) {
    const auto message_id = std::to_string(next_message_number());
    std::string hex;
    if (m.user_message_reference) {
        hex = fmt::format("{:04x}", *m.user_message_reference);
    }
    const auto address = (m.destination.ton == 1 ? "+" : "") + m.destination.digits;
    auto more = fmt::format(R"(,"umr":{},"ref":{},"part":{},"parts":{},"data_coding":{},"source":)",
                            m.user_message_reference.value_or(0), m.reference, m.part, m.parts, m.data_coding);
    append_json(more, m.source.digits);
    desk_.accept({.connection = connection_,
                  .id = hex,
                  .address = address,
                  .gateway_message_id = message_id,
                  .content = m.content,
                  .more = more,
                  .fate = what.what});

    const auto& wanted = desk_.now().receipts;
    auto dice = desk_.dice_for(key);
    const bool reported = (m.registered_delivery & 3U) != 0 && dice.next() < wanted.probability;
    const auto wait = std::chrono::microseconds{wanted.delay} + part_of(wanted.jitter, dice.next());
    const auto* const state = drawn(wanted.states, dice.next());
    const bool early = dice.next() < wanted.before_response;
    const bool twice = dice.next() < wanted.duplicates;
    receipt report;
    if (reported && state != nullptr && ((m.registered_delivery & 3U) == 1 || *state != "DELIVRD")) {
        report.message_id = message_id;
        report.from = m.destination;
        report.to = m.source;
        report.user_message_reference = m.user_message_reference;
        report.state = *state;
        report.submitted = report.done = minute(std::chrono::system_clock::now());
        if (m.data_coding == 0) {
            report.beginning = m.content.substr(m.header_bytes, 20);
        }
        report.as_text = wanted.text;
        report.as_tlv = wanted.tlv;
        if (!early || !receives_ || what.what != fate::accept) {
            office_.send_after(what.delay + wait, report, this);
        }
        if (twice) {
            office_.send_after(what.delay + wait + std::chrono::milliseconds{50}, report, this);
        }
    }
    if (what.what == fate::silence) {
        return;
    }
    if (what.what == fate::accept_then_reset) {
        desk_.was_reset();
        phase_ = phase::closed;
        return wire_.reset();
    }
    const bool first = early && receives_ && !report.message_id.empty();
    answer_later(what.delay, [this, message_id, sequence, first, report = std::move(report)]() mutable {
        if (first) {
            ++desk_.receipts().pending;
            deliver(std::move(report));
        }
        write_submit_response(out_, sequence, message_id);
    });
}

void smpp_session::answer_later(std::chrono::microseconds delay, std::function<void()> give) {
    if (delay.count() <= 0) {
        return give();
    }
    ++owed_;
    wire_.later(delay, [this, give = std::move(give)] {
        --owed_;
        give();
    });
}

void smpp_session::deliver(receipt r) {
    const auto sequence = next_sequence_;
    next_sequence_ = sequence == 0x7FFFFFFF ? 1 : sequence + 1;
    write_receipt(out_, sequence, r);
    ++desk_.receipts().sent;
    unacknowledged_.emplace(sequence, std::move(r));
    wire_.pump();
}

void smpp_session::on_delivered(const header& h) {
    const auto found = unacknowledged_.find(h.sequence);
    if (found == unacknowledged_.end() && phase_ == phase::closed) {
        return; // read after a reset that took its receipt back
    }
    if (found == unacknowledged_.end()) {
        return desk_.violation("deliver_sm_resp for nothing");
    }
    auto r = std::move(found->second);
    unacknowledged_.erase(found);
    if (h.status == status::ok) {
        office_.acknowledged();
    } else {
        office_.again(std::move(r));
    }
    if (receives_ && phase_ == phase::bound) {
        office_.refill(*this);
    }
}

void smpp_session::breach(const header& h, std::uint32_t status, std::string_view rule) {
    desk_.violation(std::string{rule});
    const bool known = h.command == id::submit_sm || h.command == id::bind_transceiver ||
                       h.command == id::bind_receiver || h.command == id::bind_transmitter;
    write_empty(out_, known && h.length >= header_size ? h.command | id::response : id::generic_nack, status,
                h.sequence);
}

} // namespace semel::gateways::smpp
