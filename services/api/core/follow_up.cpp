#include "follow_up.hpp"

#include <audience/import.hpp>
#include <notice/content.hpp>
#include <notice/slots.hpp>
#include <wire/identity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace semel::api {
namespace {

using base::failed;
using base::fault;

constexpr std::array<std::pair<outcome, std::string_view>, 5> outcomes{{{outcome::all, "all"},
                                                                        {outcome::reached, "reached"},
                                                                        {outcome::failed, "failed"},
                                                                        {outcome::in_doubt, "in-doubt"},
                                                                        {outcome::unreachable, "unreachable"}}};

// Lines of messages and of people, as ledger.line_name and ledger.person_line have them.
constexpr int line_unresolved = 3, line_failed = 4, line_accepted = 5, line_presumed_sent = 6;
constexpr std::string_view reached = "reached", in_doubt = "in_doubt", outstanding = "outstanding",
                           failed_line = "failed", unreachable = "unreachable";

// A thread that grows for ever makes headers that relays refuse (RFC 5322 section 3.6.4 lets the middle go).
constexpr std::size_t longest_thread = 10;

std::unexpected<fault> refused(std::string why) {
    return failed(fault::kind::permanent, std::move(why));
}

std::int64_t count_of(const coverage& c, outcome what) {
    switch (what) {
    case outcome::all:
        return c.reached + c.failed + c.unreachable + c.in_doubt + c.outstanding;
    case outcome::reached:
        return c.reached;
    case outcome::failed:
        return c.failed;
    case outcome::in_doubt:
        return c.in_doubt;
    case outcome::unreachable:
        return c.unreachable;
    }
    return 0;
}

bool holds(outcome wanted, std::string_view line) {
    return wanted == outcome::all || line == (wanted == outcome::in_doubt ? in_doubt : to_string(wanted));
}

/// ,"KEY":"VALUE"
void put(std::string& out, std::string_view key, std::string_view value) {
    out += out.ends_with('{') ? "\"" : ",\"";
    notice::append_json_escaped(out, key);
    out += "\":\"";
    notice::append_json_escaped(out, value);
    out += '"';
}

/// As a file spells an address: so that it comes to the same canonical form, whatever the follow-up's default region.
std::string spelled(const v1::Address& a) {
    switch (a.channel()) {
    case v1::CHANNEL_PUSH:
        return a.transport() + ":" + a.given();
    case v1::CHANNEL_SMS:
        return a.canonical();
    default:
        return a.given();
    }
}

} // namespace

std::optional<outcome> outcome_from(std::string_view name) noexcept {
    const auto found = std::ranges::find(outcomes, name, &std::pair<outcome, std::string_view>::second);
    return found == outcomes.end() ? std::nullopt : std::optional{found->first};
}

std::string_view to_string(outcome o) noexcept {
    return outcomes[std::to_underlying(o)].second;
}

follow_up_terms terms_of(const v1::FollowUp& f) {
    return {.outcome = outcome_from(f.outcome()).value_or(outcome::all),
            .segment = f.segment(),
            .channel = wire::from_proto(f.channel())};
}

std::string in_words(const follow_up_terms& t) {
    auto words = t.outcome != outcome::all ? fmt::format("those that are {}", to_string(t.outcome))
                 : t.channel               ? std::string{"everybody with a message"}
                                           : std::string{"everybody"};
    if (t.channel) {
        words += fmt::format(" by {}", base::to_string(*t.channel));
    }
    return words + (t.segment.empty() ? "" : ", with " + t.segment);
}

base::result<void> may_follow(const v1::Campaign& parent, const coverage& lines, const follow_up_terms& t) {
    if (parent.planned_at_us() == 0) {
        return refused(fmt::format("campaign {} was never launched: it has told nobody, so nobody can be told again",
                                   parent.id()));
    }
    const auto& names = parent.segment_names();
    if (!t.segment.empty() && std::ranges::find(names, t.segment) == names.end()) {
        return refused(fmt::format("the notice of {} has no segment {}", parent.id(), t.segment));
    }
    if (t.channel && std::ranges::find(parent.channels(), int{wire::to_proto(*t.channel)}) == parent.channels().end()) {
        return refused(fmt::format("campaign {} did not go out by {}", parent.id(), base::to_string(*t.channel)));
    }
    if (t.outcome != outcome::all && lines.outstanding > 0) {
        return refused(fmt::format("what becomes of {} people of {} is not known yet, so who is {} is not: wait until "
                                   "`semel campaign status {}` says finished, or tell everybody (outcome all)",
                                   lines.outstanding, parent.id(), to_string(t.outcome), parent.id()));
    }
    if (!t.channel && count_of(lines, t.outcome) == 0) {
        return refused(
            fmt::format("campaign {} has nobody who is meant ({}): there is nobody to tell", parent.id(), in_words(t)));
    }
    return {};
}

follow_up_rows::follow_up_rows(source from)
    : from_(std::move(from)) {}

base::result<std::vector<follow_up_rows::message>> follow_up_rows::messages_of(std::string_view links) {
    constexpr std::size_t id_at = 4; // "1 5 HEX"
    std::vector<message> out;
    while (!links.empty()) {
        const auto end = std::min(links.find(';'), links.size());
        const auto one = links.substr(0, end);
        links.remove_prefix(std::min(end + 1, links.size()));
        const auto channel =
            one.size() > id_at ? wire::from_proto(static_cast<v1::Channel>(one[0] - '0')) : std::nullopt;
        const auto id = channel ? base::from_hex(one.substr(id_at)) : std::nullopt;
        if (!id || id->size() != sizeof(base::notification_id) || one[1] != ' ' || one[3] != ' ') {
            return failed(fault::kind::broken, "a row of the ledger names no message: written by another version?");
        }
        out.push_back({.channel = *channel, .line = one[2] - '0', .notification = *id});
    }
    return out;
}

base::result<void> follow_up_rows::take(row one) {
    auto messages = messages_of(one.links);
    if (!messages) {
        return failed(messages.error());
    }
    if (!person_.empty() && person_.front().is.ref != one.ref) {
        finish();
    }
    person_.push_back({.is = std::move(one), .messages = std::move(*messages)});
    return {};
}

/// The person's first row of the latest wave says who it is; of the others only addresses that it has not named.
void follow_up_rows::finish() {
    if (!person_.empty() && is_meant()) {
        const auto latest = std::ranges::max_element(person_, {}, [](const known_row& r) { return r.is.wave; });
        std::rotate(person_.begin(), latest, latest + 1);
        std::set<std::string> told;
        for (const auto& r : person_) {
            std::vector<const v1::Address*> fresh;
            for (const auto& a : r.is.recipient.addresses()) {
                if (told.insert(fmt::format("{} {}", static_cast<int>(a.channel()), a.canonical())).second) {
                    fresh.push_back(&a);
                }
            }
            if (&r == &person_.front() || !fresh.empty()) {
                append(r, fresh);
            }
        }
        ++people_;
    }
    person_.clear();
}

std::string follow_up_rows::lines() {
    return std::exchange(lines_, {});
}

bool follow_up_rows::is_meant() const {
    const auto& names = from_.parent.segment_names();
    if (const auto& wanted = from_.terms.segment; !wanted.empty()) {
        const auto bit = std::ranges::find(names, wanted) - names.begin();
        const auto has = [bit](const known_row& r) { return (r.is.recipient.segments() >> bit & 1U) != 0; };
        if (bit == names.size() || std::ranges::none_of(person_, has)) {
            return false;
        }
    }
    if (!from_.terms.channel) {
        return holds(from_.terms.outcome, person_.front().is.line);
    }
    const auto line = line_on(*from_.terms.channel);
    return holds(from_.terms.outcome, line) && (from_.terms.outcome != outcome::all || line != unreachable);
}

/// A person's line, by the messages of one channel alone: the first that holds.
std::string_view follow_up_rows::line_on(base::channel channel) const {
    std::set<std::string_view> lines;
    for (const auto& r : person_) {
        for (const auto& m : r.messages) {
            if (m.channel == channel) {
                const bool doubt = m.line == line_unresolved || m.line == line_presumed_sent;
                lines.insert(m.line == line_accepted ? reached
                             : doubt                 ? in_doubt
                             : m.line == line_failed ? failed_line
                                                     : outstanding);
            }
        }
    }
    for (const auto line : {reached, in_doubt, outstanding, failed_line}) {
        if (lines.contains(line)) {
            return line;
        }
    }
    return unreachable;
}

/// All that any row of the person said and the follow-up's notice knows: nobody misses advice.
std::string follow_up_rows::segments() const {
    std::uint32_t bits = 0;
    for (const auto& r : person_) {
        bits |= r.is.recipient.segments();
    }
    std::string out;
    for (int i = 0; i < from_.parent.segment_names_size(); ++i) {
        const auto& name = from_.parent.segment_names(i);
        if ((bits >> i & 1U) != 0 && std::ranges::find(from_.segments, name) != from_.segments.end()) {
            out += (out.empty() ? "" : ";") + name;
        }
    }
    return out;
}

/// The Message-IDs of the mails that this row's mailbox got, oldest first.
std::string follow_up_rows::thread_of(const known_row& r) const {
    const auto& before = r.is.recipient.thread();
    std::vector<std::string> ids{before.begin(), before.end()};
    for (const auto& m : r.messages) {
        const auto id = base::from_bytes<base::notification_id>(m.notification);
        if (id && m.channel == base::channel::email && m.line == line_accepted) {
            ids.push_back(notice::message_id_of(*id, from_.sender));
        }
    }
    if (ids.size() > longest_thread) {
        ids.erase(ids.begin() + 1, ids.end() - static_cast<std::ptrdiff_t>(longest_thread - 1));
    }
    std::string out;
    for (const auto& id : ids) {
        out += (out.empty() ? "" : " ") + id;
    }
    return out;
}

void follow_up_rows::append(const known_row& r, const std::vector<const v1::Address*>& addresses) {
    const auto& who = r.is.recipient;
    std::string email, phone, push;
    for (const auto* a : addresses) {
        auto& into = a->channel() == v1::CHANNEL_EMAIL ? email : a->channel() == v1::CHANNEL_SMS ? phone : push;
        into += (into.empty() ? "" : ";") + spelled(*a);
    }
    // Every column in every line: of a file that nobody could be told by, the import would know no column.
    lines_ += '{';
    put(lines_, "recipient_id", who.recipient_id());
    put(lines_, "email", email);
    put(lines_, "phone", phone);
    put(lines_, "push", push);
    put(lines_, "locale", who.locale());
    put(lines_, "name", who.name());
    put(lines_, "country", who.country());
    put(lines_, "segments", segments());
    for (const auto& slot : from_.slots) {
        const bool column = std::ranges::find(audience::column_names, slot) != std::end(audience::column_names);
        if (const auto found = who.slots().find(slot); !column && found != who.slots().end()) {
            put(lines_, slot, found->second);
        }
    }
    put(lines_, audience::person_column, base::to_hex(who.follows().empty() ? r.is.ref : who.follows()));
    if (const auto thread = email.empty() ? std::string{} : thread_of(r); !thread.empty()) {
        put(lines_, audience::thread_column, thread);
    }
    lines_ += "}\n";
    ++rows_;
}

} // namespace semel::api
