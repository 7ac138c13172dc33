#pragma once
// One RFC 5322 message: CRLF everywhere, bodies in base64 (no gateway can change a byte of them), headers that no
// value can break out of. The same inputs give the same bytes.

#include <base/fault.hpp>

#include <span>
#include <string>
#include <string_view>

namespace semel::notice {

struct email_message {
    std::string_view from_name;    // may be empty
    std::string_view from_address; // ASCII
    std::string_view to;           // addr-spec; raw UTF-8 only where the address needs SMTPUTF8
    std::string_view subject;      // one line of UTF-8
    std::string_view date;         // RFC 5322
    std::string_view message_id;   // with its angle brackets
    std::string_view language;     // BCP 47
    std::string_view boundary;     // at most 60 of [0-9a-zA-Z_]
    std::string_view text;         // lines end in CRLF
    std::string_view html;
    std::span<const std::string> thread = {}; // message_ids of the mails before it, oldest first
};

/// `permanent` when a header's value has a line break, without naming the value: nobody may write headers, or a body,
/// of his own.
base::result<std::string> assemble(const email_message&);

/// "NAME: value\r\n", in encoded-words (RFC 2047, base64, folded) where the value is not short plain ASCII.
void append_unstructured(std::string& out, std::string_view name, std::string_view value);
/// "From: name <address>\r\n".
void append_mailbox(std::string& out, std::string_view name, std::string_view display_name, std::string_view address);
/// Lines of 76 characters.
void append_base64_lines(std::string& out, std::string_view bytes);

/// Whether an address can stand between angle brackets without ending them or the line. `permanent` if not, without
/// naming the address.
base::result<void> fit_for_header(std::string_view address);

} // namespace semel::notice
