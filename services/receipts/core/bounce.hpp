#pragma once
// What comes back to a return path: delivery status notifications (RFC 3464, 6533), the letters of those who never read
// it, complaints (ARF, RFC 5965) and automatic replies. There is no C++ library for the second kind; the words are a
// table (bounce_words.hpp). Which message it was about is not for this: the return path says so, by its signed token.
// Pure; outside bytes.

#include <string>
#include <string_view>
#include <vector>

namespace semel::receipts {

struct bounce {
    enum class kind : unsigned char {
        unknown,   ///< nobody can tell: keep it for people
        failed,    ///< the message will not arrive
        delayed,   ///< it is still being tried
        delivered, ///< it arrived, or was handed on to where nothing more is told
        complaint, ///< its reader called it abuse
        automatic  ///< a machine answered for its owner: it arrived, and nothing follows from it
    };
    struct recipient {
        std::string address; // personal data; may be empty
        kind what = kind::unknown;
        std::string status;     // "5.1.1"; empty when nothing said it
        std::string diagnostic; // the peer's words, which may hold addresses
    };

    kind what = kind::unknown;
    std::vector<recipient> recipients; // one at least, unless unknown
    std::string envelope_id;           // RFC 3461: as we gave it
    std::string message_id;            // of the message that came back, without brackets
    std::string feedback_type;         // ARF: "abuse"
};
std::string_view to_string(bounce::kind) noexcept;

bounce read_bounce(std::string_view message);

/// The enhanced status in words that hold one ("550 5.1.1 No such user"), else one made of an SMTP code or of words in
/// the table; empty when nothing says why.
std::string status_in(std::string_view words);

} // namespace semel::receipts
