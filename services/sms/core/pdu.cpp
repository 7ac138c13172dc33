#include "pdu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace semel::sms {

namespace {

using base::fault;

template <class... F>
struct overloaded : F... {
    using F::operator()...;
};

class writer {
  public:
    explicit writer(std::string& out)
        : out_(out)
        , start_(out.size()) {
        out_.append(16, '\0');
    }

    void u8(std::uint8_t v) { out_ += static_cast<char>(v); }
    void u16(std::uint16_t v) {
        u8(static_cast<std::uint8_t>(v >> 8U));
        u8(static_cast<std::uint8_t>(v));
    }
    /// `room` counts the NUL, as the specification's tables do.
    void text(std::string_view v, std::size_t room, const char* field) {
        if (v.size() >= room || v.contains('\0')) {
            throw std::length_error(fmt::format("SMPP field {} holds up to {} bytes and no NUL", field, room - 1));
        }
        out_ += v;
        out_ += '\0';
    }
    void numbers(numbering n) {
        u8(n.ton);
        u8(n.npi);
    }
    void bytes(std::string_view v) { out_ += v; }
    void options(const std::vector<tlv>& all) {
        for (const auto& one : all) {
            if (one.value.size() > 0xFFFF) {
                throw std::length_error("an SMPP optional parameter holds up to 65,535 bytes");
            }
            u16(one.tag);
            u16(static_cast<std::uint16_t>(one.value.size()));
            bytes(one.value);
        }
    }
    void finish(std::uint32_t id, std::uint32_t status, std::uint32_t sequence) {
        put32(0, static_cast<std::uint32_t>(out_.size() - start_));
        put32(4, id);
        put32(8, status);
        put32(12, sequence);
    }

  private:
    std::string& out_;
    std::size_t start_;

    void put32(std::size_t at, std::uint32_t v) {
        for (std::size_t i = 0; i < 4; ++i) {
            out_[start_ + at + i] = static_cast<char>(v >> (24 - 8 * i));
        }
    }
};

/// Reads fields; after the first that does not fit, everything is empty and ok() false.
class reader {
  public:
    explicit reader(std::string_view in)
        : in_(in) {}

    bool ok() const noexcept { return ok_; }
    bool at_end() const noexcept { return in_.empty(); }
    std::uint8_t u8() { return static_cast<std::uint8_t>(take(1).empty() ? 0 : last_.front()); }
    std::uint16_t u16() {
        const auto high = u8();
        return static_cast<std::uint16_t>(high << 8U | u8());
    }
    numbering numbers() {
        numbering n;
        n.ton = u8();
        n.npi = u8();
        return n;
    }
    std::string text(std::size_t room) {
        const auto end = in_.substr(0, room).find('\0');
        if (end == std::string_view::npos) {
            ok_ = false;
            in_ = {};
            return {};
        }
        std::string out{take(end)};
        in_.remove_prefix(1);
        return out;
    }
    std::string bytes(std::size_t n) { return std::string{take(n)}; }
    std::vector<tlv> options() {
        std::vector<tlv> out;
        while (ok_ && !in_.empty()) {
            tlv one;
            one.tag = u16();
            const auto size = u16();
            one.value = bytes(size);
            if (ok_) {
                out.push_back(std::move(one));
            }
        }
        return out;
    }

  private:
    std::string_view in_;
    std::string_view last_;
    bool ok_ = true;

    std::string_view take(std::size_t n) {
        if (in_.size() < n) {
            ok_ = false;
            in_ = {};
            return last_ = {};
        }
        last_ = in_.substr(0, n);
        in_.remove_prefix(n);
        return last_;
    }
};

std::uint32_t write_body(writer& w, const bind& b) {
    w.text(b.system_id, 16, "system_id");
    w.text(b.password, 9, "password");
    w.text(b.system_type, 13, "system_type");
    w.u8(b.interface_version);
    w.numbers(b.address);
    w.text(b.address_range, 41, "address_range");
    return static_cast<std::uint32_t>(b.mode);
}

std::uint32_t write_body(writer& w, const bind_resp& b) {
    w.text(b.system_id, 16, "system_id");
    return response_to(b.mode);
}

void write_data_sm(writer& w, const message& m) {
    w.text(m.service_type, 6, "service_type");
    w.numbers(m.source_numbering);
    w.text(m.source, 65, "source_addr");
    w.numbers(m.destination_numbering);
    w.text(m.destination, 65, "destination_addr");
    w.u8(m.esm_class);
    w.u8(m.registered_delivery);
    w.u8(m.data_coding);
    w.options(m.optional);
}

std::uint32_t write_body(writer& w, const message& m) {
    if (m.kind == command::data_sm) {
        write_data_sm(w, m);
        return static_cast<std::uint32_t>(m.kind);
    }
    w.text(m.service_type, 6, "service_type");
    w.numbers(m.source_numbering);
    w.text(m.source, 21, "source_addr");
    w.numbers(m.destination_numbering);
    w.text(m.destination, 21, "destination_addr");
    w.u8(m.esm_class);
    w.u8(m.protocol_id);
    w.u8(m.priority);
    w.text(m.schedule, 17, "schedule_delivery_time");
    w.text(m.validity, 17, "validity_period");
    w.u8(m.registered_delivery);
    w.u8(m.replace_if_present);
    w.u8(m.data_coding);
    w.u8(m.default_message);
    if (m.short_message.size() > 254) {
        throw std::length_error("SMPP short_message holds up to 254 bytes");
    }
    w.u8(static_cast<std::uint8_t>(m.short_message.size()));
    w.bytes(m.short_message);
    w.options(m.optional);
    return static_cast<std::uint32_t>(m.kind);
}

std::uint32_t write_body(writer& w, const message_resp& m) {
    w.text(m.message_id, 65, "message_id");
    return response_to(m.kind);
}

message read_data_sm(reader& r) {
    message m;
    m.kind = command::data_sm;
    m.service_type = r.text(6);
    m.source_numbering = r.numbers();
    m.source = r.text(65);
    m.destination_numbering = r.numbers();
    m.destination = r.text(65);
    m.esm_class = r.u8();
    m.registered_delivery = r.u8();
    m.data_coding = r.u8();
    m.optional = r.options();
    return m;
}

message read_message(reader& r, command kind) {
    message m;
    m.kind = kind;
    m.service_type = r.text(6);
    m.source_numbering = r.numbers();
    m.source = r.text(21);
    m.destination_numbering = r.numbers();
    m.destination = r.text(21);
    m.esm_class = r.u8();
    m.protocol_id = r.u8();
    m.priority = r.u8();
    m.schedule = r.text(17);
    m.validity = r.text(17);
    m.registered_delivery = r.u8();
    m.replace_if_present = r.u8();
    m.data_coding = r.u8();
    m.default_message = r.u8();
    const auto size = r.u8();
    m.short_message = r.bytes(size);
    m.optional = r.options();
    return m;
}

body read_body(reader& r, const header& h) {
    switch (static_cast<command>(h.command_id)) {
    case command::bind_receiver:
    case command::bind_transmitter:
    case command::bind_transceiver: {
        bind b;
        b.mode = static_cast<command>(h.command_id);
        b.system_id = r.text(16);
        b.password = r.text(9);
        b.system_type = r.text(13);
        b.interface_version = r.u8();
        b.address = r.numbers();
        b.address_range = r.text(41);
        return b;
    }
    case command::submit_sm:
    case command::deliver_sm:
        return read_message(r, static_cast<command>(h.command_id));
    case command::data_sm:
        return read_data_sm(r);
    case command::unbind:
        return unbind{};
    case command::enquire_link:
        return enquire_link{};
    case command::generic_nack:
        return generic_nack{};
    case command::outbind:
    case command::alert_notification:
        return unknown_command{h.command_id};
    }
    const auto request = static_cast<command>(h.command_id & ~response_bit);
    if ((h.command_id & response_bit) != 0) {
        switch (request) {
        case command::bind_receiver:
        case command::bind_transmitter:
        case command::bind_transceiver: {
            // A refusal may leave the body out; what follows the system_id are TLVs that say nothing to us.
            return bind_resp{request, r.at_end() ? std::string{} : r.text(16)};
        }
        case command::submit_sm:
        case command::deliver_sm:
        case command::data_sm:
            return message_resp{request, r.at_end() ? std::string{} : r.text(65)};
        case command::unbind:
            return unbind_resp{};
        case command::enquire_link:
            return enquire_link_resp{};
        default:
            break;
        }
    }
    return unknown_command{h.command_id};
}

} // namespace

const std::string* message::find(std::uint16_t wanted) const noexcept {
    const auto found = std::ranges::find(optional, wanted, &tlv::tag);
    return found == optional.end() ? nullptr : &found->value;
}

std::string_view message::text() const noexcept {
    if (const auto* payload = find(tag::message_payload); payload != nullptr && short_message.empty()) {
        return *payload;
    }
    return short_message;
}

void encode(std::string& out, const pdu& p) {
    const auto start = out.size();
    writer w{out};
    try {
        const auto id =
            std::visit(overloaded{
                           [&](const enquire_link&) { return static_cast<std::uint32_t>(command::enquire_link); },
                           [&](const enquire_link_resp&) { return response_to(command::enquire_link); },
                           [&](const unbind&) { return static_cast<std::uint32_t>(command::unbind); },
                           [&](const unbind_resp&) { return response_to(command::unbind); },
                           [&](const generic_nack&) { return static_cast<std::uint32_t>(command::generic_nack); },
                           [&](const unknown_command& u) { return u.id; },
                           [&](const auto& b) { return write_body(w, b); },
                       },
                       p.content);
        w.finish(id, p.status, p.sequence);
    } catch (...) {
        out.resize(start); // what was encoded before stays whole
        throw;
    }
}

header read_header(std::string_view bytes) noexcept {
    const auto u32 = [&](std::size_t at) {
        std::uint32_t v = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            v = v << 8U | static_cast<std::uint8_t>(bytes[at + i]);
        }
        return v;
    };
    return {.length = u32(0), .command_id = u32(4), .command_status = u32(8), .sequence = u32(12)};
}

base::result<pdu> decode(std::string_view bytes) {
    if (bytes.size() < 16) {
        return base::failed(fault::kind::malformed, "an SMPP PDU has at least 16 bytes");
    }
    const auto h = read_header(bytes);
    if (h.length != bytes.size()) {
        return base::failed(fault::kind::malformed,
                            fmt::format("SMPP command_length {} for {} bytes", h.length, bytes.size()));
    }
    reader r{bytes.substr(16)};
    pdu out{.status = h.command_status, .sequence = h.sequence, .content = read_body(r, h)};
    if (!r.ok()) {
        return base::failed(fault::kind::malformed,
                            fmt::format("SMPP command 0x{:08X}: a field runs over the PDU's end", h.command_id));
    }
    return out;
}

void framer::feed(std::string_view bytes) {
    buffer_.erase(0, at_);
    at_ = 0;
    buffer_ += bytes;
}

std::optional<std::string_view> framer::next() noexcept {
    const auto rest = std::string_view{buffer_}.substr(at_);
    if (broken_ || rest.size() < 16) {
        return std::nullopt;
    }
    const auto length = read_header(rest).length;
    if (length < 16 || length > longest) {
        broken_ = true;
        return std::nullopt;
    }
    if (rest.size() < length) {
        return std::nullopt;
    }
    at_ += length;
    return rest.substr(0, length);
}

} // namespace semel::sms
