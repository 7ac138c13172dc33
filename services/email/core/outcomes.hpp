#pragma once
// What an SMTP refusal means, as tables. A row for each enhanced status of IANA's registry (RFC 3463, 4954, 5248, 6531,
// 6710, 7293, 7372, 7505, 8617, 8689) and for those of Exchange and Gmail; for a status without a row that of its
// subject; for a reply without a status that of its code. Pure.
//
// To a 4yz only `temporary` matters: nothing was accepted, it is tried again. To a 5yz the stage does: MAIL names only
// us, RCPT a recipient, and what comes after (content: DATA and the dot) may be about either.

#include <delivery/message.hpp>

#include <array>

namespace semel::email {

/// A 4yz: try again, after a pause where it is about our pace.
enum class soft : unsigned char {
    again,
    busy,         ///< its system is full
    rate,         ///< we are too fast for it
    rate_but_rcpt ///< the same, but greylisting of this one pair to RCPT
};

struct status_row {
    int subject, detail; // x.SUBJECT.DETAIL; any_detail: the rest of the subject, any_subject: everything else
    soft temporary;
    delivery::verdict::kind mail, rcpt, content; // 5yz, by stage
};

inline constexpr int any_detail = -1, any_subject = -1;

namespace outcome {
using enum delivery::verdict::kind;
inline constexpr auto dead = permanent;   // this recipient
inline constexpr auto ours = lane_stop;   // our configuration: the lane stops, nobody fails
inline constexpr auto either = ambiguous; // one of the two; what others are told shows which
inline constexpr auto again = transient;
} // namespace outcome

inline constexpr auto status_rows = [] {
    using namespace outcome;
    return std::to_array<status_row>({
        // x.1: addressing. 7 and 8 speak of the sender's.
        {1, 0, soft::again, ours, dead, dead},     // other address status
        {1, 1, soft::again, ours, dead, dead},     // bad mailbox
        {1, 2, soft::again, ours, dead, dead},     // bad system
        {1, 3, soft::again, ours, dead, dead},     // bad syntax
        {1, 4, soft::again, ours, dead, dead},     // ambiguous
        {1, 5, soft::again, ours, dead, dead},     // valid, said with a 2yz
        {1, 6, soft::again, ours, dead, dead},     // moved, no forwarding
        {1, 7, soft::again, ours, either, either}, // sender's syntax
        {1, 8, soft::again, ours, either, either}, // sender's system
        {1, 9, soft::again, ours, dead, dead},     // relayed to a mailer that does not comply
        {1, 10, soft::again, ours, dead, dead},    // null MX
        {1, any_detail, soft::again, ours, dead, dead},
        // x.2: the mailbox. A full one may be emptied.
        {2, 0, soft::again, either, dead, dead},   // other mailbox status
        {2, 1, soft::again, either, dead, dead},   // disabled; with a 4yz also Gmail's "receives too much"
        {2, 2, soft::again, either, again, again}, // full
        {2, 3, soft::again, either, dead, dead},   // longer than the mailbox takes
        {2, 4, soft::again, either, dead, dead},   // mailing list expansion
        {2, any_detail, soft::again, either, dead, dead},
        // x.3: the mail system: its own trouble, or one mailbox's transport.
        {3, 0, soft::again, ours, either, either},   // other
        {3, 1, soft::again, ours, either, either},   // full
        {3, 2, soft::busy, ours, either, either},    // not accepting now
        {3, 3, soft::again, ours, either, either},   // lacks a feature
        {3, 4, soft::again, either, either, either}, // too big
        {3, 5, soft::again, ours, either, either},   // configured wrong
        {3, 6, soft::again, ours, either, either},   // priority was changed
        {3, any_detail, soft::again, ours, either, either},
        // x.4: the network and routing.
        {4, 0, soft::again, ours, dead, either}, // other
        {4, 1, soft::again, ours, dead, either}, // no answer from the host
        {4, 2, soft::again, ours, dead, either}, // bad connection
        {4, 3, soft::again, ours, dead, either}, // directory server
        {4, 4, soft::again, ours, dead, either}, // cannot route
        {4, 5, soft::busy, ours, dead, either},  // congestion
        {4, 6, soft::again, ours, dead, either}, // loop
        {4, 7, soft::again, ours, dead, either}, // expired
        {4, any_detail, soft::again, ours, dead, either},
        // x.5: the protocol. 5.5.0 is what Outlook says of an unknown mailbox.
        {5, 0, soft::again, either, dead, either},   // other
        {5, 1, soft::again, either, either, either}, // invalid command
        {5, 2, soft::again, either, either, either}, // syntax
        {5, 3, soft::again, either, either, either}, // too many recipients
        {5, 4, soft::again, either, either, either}, // invalid arguments
        {5, 5, soft::again, either, either, either}, // wrong version
        {5, 6, soft::again, either, either, either}, // line of AUTH too long
        {5, any_detail, soft::again, either, either, either},
        // x.6: the content, the same for all but for what only an internationalised address needs.
        {6, 0, soft::again, either, dead, either}, // other
        {6, 1, soft::again, either, dead, either}, // media not supported
        {6, 2, soft::again, either, dead, either}, // conversion prohibited
        {6, 3, soft::again, either, dead, either}, // conversion required
        {6, 4, soft::again, either, dead, either}, // conversion with loss
        {6, 5, soft::again, either, dead, either}, // conversion failed
        {6, 6, soft::again, either, dead, either}, // content not available
        {6, 7, soft::again, dead, dead, dead},     // needs SMTPUTF8
        {6, 8, soft::again, either, dead, either}, // reply needs UTF-8
        {6, 9, soft::again, either, dead, dead},   // UTF-8 header cannot be transferred
        {6, 10, soft::again, either, dead, dead},  // the same, to be shown
        {6, any_detail, soft::again, either, dead, either},
        // x.7: policy. Servers answer 5.7.1 for one mailbox that they dislike and for a client that may not send at
        // all.
        {7, 0, soft::rate_but_rcpt, ours, either, either},  // other
        {7, 1, soft::rate_but_rcpt, ours, either, either},  // not authorised; with a 4yz to RCPT greylisting
        {7, 2, soft::rate_but_rcpt, ours, dead, dead},      // mailing list
        {7, 3, soft::rate_but_rcpt, ours, either, either},  // security conversion
        {7, 4, soft::rate_but_rcpt, ours, either, either},  // security feature
        {7, 5, soft::rate_but_rcpt, ours, either, either},  // cryptographic failure
        {7, 6, soft::rate_but_rcpt, ours, either, either},  // algorithm
        {7, 7, soft::rate_but_rcpt, ours, either, either},  // integrity
        {7, 8, soft::rate_but_rcpt, ours, either, either},  // credentials
        {7, 9, soft::rate_but_rcpt, ours, either, either},  // mechanism too weak
        {7, 10, soft::rate_but_rcpt, ours, either, either}, // encryption needed
        {7, 11, soft::rate_but_rcpt, ours, either, either}, // encryption needed for this mechanism
        {7, 12, soft::rate_but_rcpt, ours, either, either}, // password must be changed
        {7, 13, soft::rate_but_rcpt, ours, dead, dead},     // account disabled
        {7, 14, soft::rate_but_rcpt, ours, either, either}, // trust relationship
        {7, 15, soft::rate_but_rcpt, ours, either, either}, // priority too low
        {7, 16, soft::rate_but_rcpt, ours, either, either}, // too big for its priority
        {7, 17, soft::rate_but_rcpt, ours, dead, dead},     // the mailbox has another owner
        {7, 18, soft::rate_but_rcpt, ours, dead, dead},     // the domain has another owner
        {7, 19, soft::rate_but_rcpt, ours, either, either}, // ownership cannot be tested
        {7, 20, soft::rate_but_rcpt, ours, either, either}, // no DKIM signature passes
        {7, 21, soft::rate_but_rcpt, ours, either, either}, // none that is acceptable
        {7, 22, soft::rate_but_rcpt, ours, either, either}, // none of the author's
        {7, 23, soft::rate_but_rcpt, ours, either, either}, // SPF failed
        {7, 24, soft::rate_but_rcpt, ours, either, either}, // SPF in error
        {7, 25, soft::rate_but_rcpt, ours, either, either}, // reverse DNS
        {7, 26, soft::rate_but_rcpt, ours, either, either}, // several checks failed
        {7, 27, soft::rate_but_rcpt, ours, either, either}, // the sender has a null MX
        {7, 28, soft::rate, ours, either, either},          // flood
        {7, 29, soft::rate_but_rcpt, ours, either, either}, // ARC
        {7, 30, soft::rate_but_rcpt, ours, either, either}, // REQUIRETLS
        {7, 129, soft::rate_but_rcpt, ours, dead, dead},    // Exchange: this mailbox takes mail from some only
        {7, any_detail, soft::rate_but_rcpt, ours, either, either},
        // What nobody has registered, x.0.0 included: to RCPT it is this recipient's.
        {any_subject, any_detail, soft::again, ours, dead, either},
    });
}();

/// A 5yz without an enhanced status.
struct code_row {
    int code; // any_code: the rest
    delivery::verdict::kind mail, rcpt, content;
};
inline constexpr int any_code = 0;

inline constexpr auto code_rows = [] {
    using namespace outcome;
    return std::to_array<code_row>({
        {501, either, either, either},    // syntax: some say it of one mailbox
        {521, ours, dead, either},        // the host accepts no mail (RFC 7504)
        {550, ours, dead, either},        // mailbox unavailable
        {551, ours, dead, either},        // not local
        {552, either, again, again},      // too many recipients (RFC 5321 section 4.5.3.1.10); at the dot, storage
        {553, ours, dead, either},        // mailbox name
        {555, either, either, either},    // parameters
        {556, ours, dead, either},        // the domain accepts no mail
        {any_code, ours, either, either}, // 500-504, 530-538 authentication, 554: said of one mailbox, too
    });
}();

const status_row& row_of(int subject, int detail) noexcept;
const code_row& row_of(int code) noexcept;

} // namespace semel::email
