#include "smpp_pdu.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace semel::gateways::smpp {

namespace {

constexpr std::uint16_t tag_receipted_message_id = 0x001E, tag_user_message_reference = 0x0204,
                        tag_interface_version = 0x0210, tag_message_payload = 0x0424, tag_message_state = 0x0427;

// Section 5.2.28's numbers, by the words of appendix B.
constexpr std::array<std::string_view, 9> states{"",        "ENROUTE", "DELIVRD", "EXPIRED", "DELETED",
                                                 "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"};

std::uint32_t number_at(std::string_view bytes, std::size_t at, std::size_t size) noexcept {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < size; ++i) {
        n = n << 8U | static_cast<unsigned char>(bytes[at + i]);
    }
    return n;
}

/// Reads fields until one does not fit.
class fields {
  public:
    explicit fields(std::string_view body)
        : left_(body) {}

    std::uint32_t number(std::size_t size) noexcept {
        if (left_.size() < size) {
            broken_ = true;
            return 0;
        }
        const auto n = number_at(left_, 0, size);
        left_.remove_prefix(size);
        return n;
    }
    /// A C-octet string of at most so many bytes, its NUL included.
    std::string_view text(std::size_t most) noexcept {
        const auto end = left_.substr(0, most).find('\0');
        if (end == std::string_view::npos) {
            broken_ = true;
            return {};
        }
        const auto out = left_.substr(0, end);
        left_.remove_prefix(end + 1);
        return out;
    }
    std::string_view bytes(std::size_t size) noexcept {
        if (left_.size() < size) {
            broken_ = true;
            return {};
        }
        const auto out = left_.substr(0, size);
        left_.remove_prefix(size);
        return out;
    }
    bool broken() const noexcept { return broken_; }
    bool at_end() const noexcept { return left_.empty(); }

  private:
    std::string_view left_;
    bool broken_ = false;
};

void put(std::string& out, std::uint32_t number, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) {
        out += static_cast<char>(number >> (8 * i) & 0xFFU);
    }
}
void put_text(std::string& out, std::string_view text) {
    out += text;
    out += '\0';
}
void put_tlv(std::string& out, std::uint16_t tag, std::string_view value) {
    put(out, tag, 2);
    put(out, static_cast<std::uint32_t>(value.size()), 2);
    out += value;
}
std::size_t begin(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence) {
    const auto at = out.size();
    put(out, 0, 4); // end() knows
    put(out, command, 4);
    put(out, status, 4);
    put(out, sequence, 4);
    return at;
}
void end(std::string& out, std::size_t at) {
    std::string length;
    put(length, static_cast<std::uint32_t>(out.size() - at), 4);
    out.replace(at, 4, length);
}

/// Empty, or "YYMMDDhhmmsstnnp" (section 7.1.1).
bool is_time(std::string_view text) {
    return text.empty() ||
           (text.size() == 16 && is_digits(text.substr(0, 15)) && std::string_view{"+-R"}.contains(text[15]));
}

bool is_number_address(const address& a) {
    constexpr std::uint8_t alphanumeric = 5;
    return a.ton == alphanumeric ? !a.digits.empty() && a.digits.size() <= 11 : is_digits(a.digits);
}

/// Section 3GPP 23.040, 9.2.3.24: the header's elements must fill its length exactly.
bool read_user_data_header(submission& m) {
    const std::string_view all = m.content;
    if (all.empty()) {
        return false;
    }
    const std::size_t size = static_cast<unsigned char>(all[0]);
    if (size == 0 || all.size() < size + 1) {
        return false;
    }
    m.header_bytes = size + 1;
    bool concatenated = false;
    for (std::size_t at = 1; at < m.header_bytes;) {
        if (m.header_bytes - at < 2) {
            return false;
        }
        const auto element = number_at(all, at, 1);
        const auto length = number_at(all, at + 1, 1);
        at += 2;
        if (m.header_bytes - at < length) {
            return false;
        }
        if ((element == 0x00 && length == 3) || (element == 0x08 && length == 4)) {
            const std::size_t wide = length - 2;
            m.reference = static_cast<std::uint16_t>(number_at(all, at, wide));
            m.parts = static_cast<std::uint8_t>(number_at(all, at + wide, 1));
            m.part = static_cast<std::uint8_t>(number_at(all, at + wide + 1, 1));
            concatenated = true;
        }
        at += length;
    }
    return !concatenated || (m.part >= 1 && m.part <= m.parts);
}

/// Whether a handset could get it in one message of 140 octets.
bool fits(const submission& m) {
    const auto text = m.content.size() - m.header_bytes;
    if (m.data_coding == 0) { // septets, one in an octet here; the header fills whole ones
        const auto header = (m.header_bytes * 8 + 6) / 7;
        return header + text <= 160;
    }
    return m.content.size() <= 140;
}

std::optional<objection> objection_to(const submission& m, std::string_view schedule, std::string_view validity) {
    if (!is_number_address(m.source)) {
        return objection{status::bad_source, "source_addr"};
    }
    if (m.destination.ton == 5 || !is_number_address(m.destination)) {
        return objection{status::bad_destination, "destination_addr"};
    }
    if (!is_time(schedule)) {
        return objection{status::bad_schedule, "schedule_delivery_time"};
    }
    if (!is_time(validity)) {
        return objection{status::bad_validity, "validity_period"};
    }
    if ((m.esm_class & 0x3CU) != 0) {
        return objection{status::bad_esm_class, "esm_class says that this is not a plain message"};
    }
    return std::nullopt;
}

std::optional<objection> objection_to_content(submission& m) {
    if ((m.esm_class & 0x40U) != 0 && !read_user_data_header(m)) {
        return objection{status::bad_esm_class, "the user data header"};
    }
    if (m.content.size() == m.header_bytes) {
        return objection{status::bad_message_length, "an empty message"};
    }
    const auto text = std::string_view{m.content}.substr(m.header_bytes);
    if (m.data_coding == 8 && text.size() % 2 != 0) {
        return objection{status::bad_message_length, "UCS-2 of an odd number of octets"};
    }
    if (m.data_coding == 0 && std::ranges::any_of(text, [](char c) { return static_cast<signed char>(c) < 0; })) {
        return objection{status::bad_message_length, "the default alphabet has septets alone"};
    }
    if (!fits(m)) {
        return objection{status::bad_message_length, "more than one short message can hold"};
    }
    return std::nullopt;
}

} // namespace

header read_header(std::string_view bytes) noexcept {
    return {.length = number_at(bytes, 0, 4),
            .command = number_at(bytes, 4, 4),
            .status = number_at(bytes, 8, 4),
            .sequence = number_at(bytes, 12, 4)};
}

std::optional<bind_request> read_bind(std::string_view body) {
    fields f{body};
    bind_request out;
    out.system_id = f.text(16);
    out.password = f.text(9);
    f.text(13);  // system_type
    f.number(3); // interface_version, addr_ton, addr_npi
    f.text(41);  // address_range
    return f.broken() || !f.at_end() ? std::nullopt : std::optional{std::move(out)};
}

read_submission_result read_submission(std::string_view body) {
    read_submission_result out;
    auto& m = out.message;
    const auto refuse = [&](std::uint32_t status, std::string_view rule) -> read_submission_result&& {
        out.wrong = objection{status, rule};
        return std::move(out);
    };
    fields f{body};
    const auto read_address = [&f](address& a) {
        a.ton = static_cast<std::uint8_t>(f.number(1));
        a.npi = static_cast<std::uint8_t>(f.number(1));
        a.digits = f.text(21);
    };
    f.text(6); // service_type
    read_address(m.source);
    read_address(m.destination);
    m.esm_class = static_cast<std::uint8_t>(f.number(1));
    f.number(2); // protocol_id, priority_flag
    const auto schedule = f.text(17);
    const auto validity = f.text(17);
    m.registered_delivery = static_cast<std::uint8_t>(f.number(1));
    f.number(1); // replace_if_present_flag
    m.data_coding = static_cast<std::uint8_t>(f.number(1));
    f.number(1); // sm_default_msg_id
    const auto length = f.number(1);
    m.content = f.bytes(length);
    if (f.broken()) {
        return refuse(status::bad_command_length, "submit_sm ends before its last field");
    }
    if (length > 254) {
        return refuse(status::bad_message_length, "sm_length is over 254");
    }
    while (!f.at_end()) {
        const auto tag = f.number(2);
        const auto size = f.number(2);
        const auto value = f.bytes(size);
        if (f.broken()) {
            return refuse(status::bad_optional_part, "an optional parameter runs over the PDU's end");
        }
        if (tag == tag_user_message_reference) {
            if (size != 2) {
                return refuse(status::bad_optional_part, "user_message_reference has two octets");
            }
            m.user_message_reference = static_cast<std::uint16_t>(number_at(value, 0, 2));
        } else if (tag == tag_message_payload) {
            if (length != 0) {
                return refuse(status::bad_optional_part, "short_message and message_payload exclude each other");
            }
            m.content = value;
        }
    }
    out.wrong = objection_to(m, schedule, validity);
    if (!out.wrong) {
        out.wrong = objection_to_content(m);
    }
    return out;
}

void write_empty(std::string& out, std::uint32_t command, std::uint32_t status, std::uint32_t sequence) {
    end(out, begin(out, command, status, sequence));
}

void write_bind_response(std::string& out, std::uint32_t command, std::uint32_t sequence, std::string_view system_id) {
    const auto at = begin(out, command | id::response, status::ok, sequence);
    put_text(out, system_id);
    put_tlv(out, tag_interface_version, "\x34");
    end(out, at);
}

void write_submit_response(std::string& out, std::uint32_t sequence, std::string_view message_id) {
    const auto at = begin(out, id::submit_sm | id::response, status::ok, sequence);
    put_text(out, message_id);
    end(out, at);
}

void write_receipt(std::string& out, std::uint32_t sequence, const receipt& r) {
    const auto at = begin(out, id::deliver_sm, status::ok, sequence);
    const auto put_address = [&out](const address& a) {
        put(out, a.ton, 1);
        put(out, a.npi, 1);
        put_text(out, a.digits);
    };
    put_text(out, ""); // service_type
    put_address(r.from);
    put_address(r.to);
    put(out, 0x04, 1); // esm_class: a delivery receipt
    put(out, 0, 2);    // protocol_id, priority_flag
    put_text(out, ""); // schedule_delivery_time
    put_text(out, ""); // validity_period
    put(out, 0, 4);    // registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
    const bool delivered = r.state == "DELIVRD";
    const auto text = r.as_text
                          ? fmt::format("id:{} sub:001 dlvrd:{} submit date:{} done date:{} stat:{} err:{} text:{}",
                                        r.message_id, delivered ? "001" : "000", r.submitted, r.done, r.state,
                                        delivered ? "000" : "001", r.beginning)
                          : std::string{};
    put(out, static_cast<std::uint32_t>(text.size()), 1);
    out += text;
    if (r.as_tlv) {
        put_tlv(out, tag_receipted_message_id, r.message_id + '\0');
        const auto* const state = std::ranges::find(states, r.state);
        put_tlv(out, tag_message_state, std::string(1, static_cast<char>(state - states.begin())));
        if (r.user_message_reference) {
            std::string value;
            put(value, *r.user_message_reference, 2);
            put_tlv(out, tag_user_message_reference, value);
        }
    }
    end(out, at);
}

} // namespace semel::gateways::smpp
