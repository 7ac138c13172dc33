#pragma once
// As much of MIME (RFC 2045, 2046) as a bounce needs: the leaves of a message with their type and their text. What is
// broken is read as far as it goes: those who bounce write as badly as those who send. Pure; outside bytes.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace semel::receipts {

/// Names in lower case, values unfolded.
using header_fields = std::vector<std::pair<std::string, std::string>>;
/// The first of that name; empty when there is none.
std::string_view field_of(const header_fields&, std::string_view name) noexcept;

/// Reads fields up to an empty line or what is not a field, and takes them off.
header_fields take_fields(std::string_view& text);

struct mime_part {
    std::string type;     // "text/plain", in lower case
    header_fields fields; // its own
    std::string text;     // decoded from base64 or quoted-printable; in the charset in which it came
};

struct mime_message {
    header_fields fields;
    std::string type;             // of the whole, with its parameters
    std::vector<mime_part> parts; // leaves, in order; of a message that is not a multipart, its one body
};

/// Of the first megabyte, at most 64 parts and 4 levels deep. Lines may end in LF, CRLF or CR; in what comes out they
/// end in LF.
mime_message read_mime(std::string_view bytes);

std::string lower(std::string_view text);

} // namespace semel::receipts
