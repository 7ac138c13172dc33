#pragma once
// Semel's own codes: what stands in an event where a gateway's answer cannot. They are part of what auditors read: an
// old one keeps its meaning for ever, and a new one gets its line here and in docs/codes.md, word for word
// (tests/rules/check compares).

namespace semel::codes {

inline constexpr const char* prefix = "semel:";

// Why a message failed.
inline constexpr const char* cancelled = "semel:cancelled";     // its campaign was cancelled before it went
inline constexpr const char* expired = "semel:expired";         // its deadline had passed, or left no time for a try
inline constexpr const char* no_artifact = "semel:no-artifact"; // its record names no compiled text
inline constexpr const char* content = "semel:content";         // its text could not be filled in, or not be sent
inline constexpr const char* no_gateway = "semel:no-gateway";   // no gateway of semel.yaml carries such an address
inline constexpr const char* address = "semel:address";         // its address cannot be written in the protocol
inline constexpr const char* request = "semel:request";         // no request could be made of it
inline constexpr const char* smtputf8 = "semel:smtputf8";       // its address needs SMTPUTF8, which no relay here has
inline constexpr const char* superseded = "semel:superseded";   // a resend, not sent: the copy before was accepted
inline constexpr const char* every_copy_refused = "semel:every-copy-refused"; // the gateway refused each of its copies

// Why there is no answer. Before the last bytes it is tried again, after them it is in doubt.
inline constexpr const char* lost = "semel:lost";               // the connection broke or fell silent
inline constexpr const char* timeout = "semel:timeout";         // SMPP: no answer in time
inline constexpr const char* no_answer = "semel:no-answer";     // awaited for 15 minutes: its dispatcher has died
inline constexpr const char* owner_lost = "semel:owner-lost";   // claimed by a process that ended without an answer
inline constexpr const char* claims_lost = "semel:claims-lost"; // reserved by a process that ended, and Redis forgot
inline constexpr const char* claimed = "semel:claimed";         // an earlier claim stands for this attempt
inline constexpr const char* stopped = "semel:stopped";         // the dispatcher was stopped; unanswered: in doubt

// What was decided about a doubt, by whom or on what.
inline constexpr const char* policy = "semel:policy";                 // the campaign's policy decided
inline constexpr const char* approver = "semel:approver";             // an approver decided
inline constexpr const char* receipt = "semel:receipt";               // a gateway's report proved that it was accepted
inline constexpr const char* hold = "semel:hold";                     // the policy is hold, and its time is up
inline constexpr const char* resends = "semel:resends";               // sent again as often as the campaign allows
inline constexpr const char* resend_refused = "semel:resend-refused"; // of the copy before nobody knows
inline constexpr const char* refused_late = "semel:refused-late";     // a late answer refused it: sent again
inline constexpr const char* no_record = "semel:no-record";           // there is no record to send again
inline constexpr const char* key_destroyed = "semel:key-destroyed";   // its campaign's key was destroyed

// Why it waits. A wait is not an event.
inline constexpr const char* rate = "semel:rate";               // the gateway, domain or campaign is at its limit
inline constexpr const char* busy = "semel:busy";               // every session or stream is taken
inline constexpr const char* paused = "semel:paused";           // its campaign is paused
inline constexpr const char* lane_closed = "semel:lane-closed"; // the gateway's lane is stopped, held or failing
inline constexpr const char* campaign_unknown = "semel:campaign-unknown"; // its campaign is not known here
inline constexpr const char* artifact_unknown = "semel:artifact-unknown"; // its compiled text has not come yet

// What a dispatcher found by itself on the way to a gateway.
inline constexpr const char* connect = "semel:connect";             // no connection
inline constexpr const char* tls = "semel:tls";                     // no encrypted connection, or a wrong certificate
inline constexpr const char* starttls = "semel:starttls";           // the relay has no STARTTLS, or refused it
inline constexpr const char* auth = "semel:auth";                   // the relay offers no way to sign in that we speak
inline constexpr const char* session = "semel:session";             // the relay ended an idle session
inline constexpr const char* closing = "semel:closing";             // the gateway is being closed here
inline constexpr const char* unbound = "semel:unbound";             // the message centre's session ended in order
inline constexpr const char* protocol = "semel:protocol";           // the peer broke the protocol
inline constexpr const char* not_processed = "semel:not-processed"; // the provider says that it did not look at it
inline constexpr const char* size = "semel:size";                   // the message is larger than the relay takes
inline constexpr const char* window = "semel:window";               // more parts than a session's window holds
inline constexpr const char* sender = "semel:sender";               // the sender's number or name cannot be written
inline constexpr const char* return_path = "semel:return-path";     // the return path cannot be written
inline constexpr const char* dkim = "semel:dkim";                   // the message cannot be signed
inline constexpr const char* access_token = "semel:access-token";   // Google gave no access token
inline constexpr const char* provider_token = "semel:provider-token"; // no token for Apple

// What is not about a message.
inline constexpr const char* dead_letter = "semel:dead-letter"; // a record that could not be used

} // namespace semel::codes
