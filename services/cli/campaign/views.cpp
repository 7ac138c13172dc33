#include "views.hpp"

#include <cli/campaign/follow_up_view.hpp>
#include <cli/campaign/message_text.hpp>
#include <cli/campaign/text_table.hpp>
#include <fmt/format.h>

#include <array>
#include <set>

namespace semel::cli::campaign {
namespace {

constexpr auto right = text_table::align::right;
constexpr auto left = text_table::align::left;

constexpr std::array<std::pair<const char*, const char*>, 7> coverage_lines{{{"reached", "reached"},
                                                                             {"failed", "failed"},
                                                                             {"unreachable", "unreachable"},
                                                                             {"in_doubt", "in doubt"},
                                                                             {"outstanding", "outstanding"},
                                                                             {"repeated", "repeated"},
                                                                             {"rejected", "rejected"}}};

std::string number(const json::object& from, std::string_view key) {
    return with_separators(number_of(from, key));
}

double rate_of(const json::object& from) {
    const auto* found = from.if_contains("rate_per_s");
    return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

std::string short_hash(const std::string& hex) {
    return hex.substr(0, 12);
}

std::string count_of(std::int64_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", with_separators(n), n == 1 ? one : many);
}

std::string heading(const json::object& campaign) {
    return fmt::format("{}  {}  {}\n", one_line(text_of(campaign, "id")), one_line(text_of(campaign, "name")),
                       one_line(text_of(campaign, "state")));
}

/// What an operator's word is waited for.
std::string brakes(const json::object& status) {
    std::string out;
    if (const auto& halted = object_of(status, "halted"); !halted.empty()) {
        out += fmt::format("halted    {}: {}\n", one_line(text_of(halted, "since")), one_line(text_of(halted, "why")));
    }
    if (const auto& canary = object_of(status, "canary"); !canary.empty()) {
        out += fmt::format("canary    {}: {} of {} rows\n", one_line(text_of(canary, "state")),
                           with_separators(number_of(canary, "released")), with_separators(number_of(canary, "rows")));
    }
    return out;
}

std::string times(const json::object& status) {
    std::string out;
    if (const auto start = text_of(status, "start"); !start.empty()) {
        out += fmt::format("start     {}\n", one_line(start));
    }
    out += deadline_text(status);
    if (const auto finish = text_of(status, "forecast_finish"); !finish.empty()) {
        out += fmt::format("forecast  done at {}\n", one_line(finish));
    }
    return out;
}

std::string warnings(const json::object& status) {
    std::string out;
    for (const auto& w : list_of(status, "warnings")) {
        if (w.is_string()) {
            out += fmt::format("warning: {}\n", one_line(w.get_string()));
        }
    }
    return out;
}

std::string channels_text(const json::object& status) {
    text_table table{{{"channel", left},
                      {"planned", right},
                      {"accepted", right},
                      {"failed", right},
                      {"retrying", right},
                      {"in doubt", right},
                      {"outstanding", right},
                      {"rate/s", right}}};
    for (const auto& [name, value] : object_of(status, "channels")) {
        const auto& c = as_object(value);
        table.add({name, number(c, "planned"), number(c, "accepted"), number(c, "failed"), number(c, "retrying"),
                   number(c, "in_doubt"), number(c, "outstanding"), rate_text(rate_of(c))});
    }
    return table.empty() ? std::string{} : table.to_string();
}

} // namespace

const json::object& object_of(const json::object& from, std::string_view key) {
    static const json::object nothing;
    const auto* found = from.if_contains(key);
    return found != nullptr && found->is_object() ? found->get_object() : nothing;
}

const json::array& list_of(const json::object& from, std::string_view key) {
    static const json::array nothing;
    const auto* found = from.if_contains(key);
    return found != nullptr && found->is_array() ? found->get_array() : nothing;
}

const json::object& as_object(const json::value& v) {
    static const json::object nothing;
    return v.is_object() ? v.get_object() : nothing;
}

std::string text_of(const json::object& from, std::string_view key) {
    const auto* found = json::find_text(from, key);
    return found == nullptr ? std::string{} : std::string{*found};
}

std::int64_t number_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    if (found == nullptr || !found->is_number()) {
        return 0;
    }
    json::error_code inexact;
    return found->to_number<std::int64_t>(inexact);
}

void each(const json::object& from, std::string_view key, const std::function<void(const json::object&)>& see) {
    for (const auto& item : list_of(from, key)) {
        if (item.is_object()) {
            see(item.get_object());
        }
    }
}

std::string campaigns_text(const json::value& list) {
    text_table table{{{"id"}, {"state"}, {"waves", right}, {"name"}, {"incident"}}};
    for (const auto& item : list.is_array() ? list.get_array() : json::array{}) {
        const auto& c = as_object(item);
        table.add(
            {text_of(c, "id"), text_of(c, "state"), number(c, "waves"), text_of(c, "name"), text_of(c, "incident")});
    }
    return table.empty() ? "no campaign yet; `semel campaign create --help` says how to make one\n" : table.to_string();
}

std::string waves_text(const json::object& campaign) {
    std::set<std::string> channels;
    for (const auto& wave : list_of(campaign, "waves")) {
        for (const auto& [channel, count] : object_of(object_of(as_object(wave), "plan"), "addresses")) {
            channels.emplace(channel);
        }
    }
    std::vector<text_table::column> columns{{"wave", right},     {"state", left},   {"rows", right},
                                            {"rejected", right}, {"people", right}, {"unreachable", right}};
    for (const auto& channel : channels) {
        columns.push_back({channel, right});
    }
    text_table table{std::move(columns)};
    for (const auto& item : list_of(campaign, "waves")) {
        const auto& wave = as_object(item);
        const auto& plan = object_of(wave, "plan");
        const bool known = wave.contains("plan");
        std::vector<std::string> cells{number(wave, "wave"),
                                       text_of(wave, "state"),
                                       number(wave, "rows"),
                                       number(wave, "rejected"),
                                       known ? number(plan, "recipients") : "-",
                                       known ? number(plan, "unreachable") : "-"};
        for (const auto& channel : channels) {
            cells.push_back(known ? number(object_of(plan, "addresses"), channel) : "-");
        }
        table.add(std::move(cells));
    }
    if (table.empty()) {
        return fmt::format("no audience yet; add one with `semel audience add {} FILE`\n",
                           one_line(text_of(campaign, "id")));
    }
    return table.to_string() +
           (channels.empty() ? "" : "addresses by channel are counted before shared ones are joined\n");
}

std::string deadline_text(const json::object& campaign) {
    const auto deadline = text_of(campaign, "deadline");
    if (deadline.empty()) {
        return {};
    }
    const auto basis = text_of(campaign, "deadline_basis");
    return fmt::format("deadline  {}{}\n", one_line(deadline), basis.empty() ? "" : ": " + one_line(basis));
}

std::string memory_text(const json::object& sealed) {
    const auto* found = sealed.if_contains("redis");
    if (found == nullptr || !found->is_object()) {
        return {};
    }
    const auto& redis = found->get_object();
    const auto megabytes = [&](std::string_view key) { return static_cast<double>(number_of(redis, key)) / 1e6; };
    const auto* room = redis.if_contains("room_bytes");
    const auto unknown = text_of(redis, "unknown");
    return fmt::format(
        "memory    {:.1f} MB of Redis for at most {} ids and addresses, until the campaign is over; {}\n",
        megabytes("bytes"), with_separators(number_of(redis, "entries")),
        !unknown.empty()                      ? "whether it has them is not known: " + one_line(unknown)
        : room != nullptr && !room->is_null() ? fmt::format("{:.1f} MB are left", megabytes("room_bytes"))
                                              : "it has no maxmemory");
}

std::string campaign_text(const json::object& campaign) {
    auto out = heading(campaign);
    if (const auto incident = text_of(campaign, "incident"); !incident.empty()) {
        out += fmt::format("incident  {}\n", one_line(incident));
    }
    out += follow_up_text(campaign);
    out += fmt::format("creator   {}\n", one_line(text_of(campaign, "creator")));
    const auto* compiled = campaign.if_contains("compiled");
    const bool waits = compiled != nullptr && compiled->is_bool() && !compiled->get_bool();
    out += fmt::format("notice    sha256 {}{}\n", one_line(text_of(campaign, "notice_sha256")),
                       waits ? ", being compiled" : "");
    out += brakes(campaign);
    out += times(campaign);
    out += '\n' + waves_text(campaign);
    if (const auto channels = channels_text(campaign); !channels.empty()) {
        out += '\n' + channels;
    }
    return out + warnings(campaign);
}

std::string status_text(const json::object& status) {
    auto out = heading(status) + brakes(status) + times(status);
    if (const auto channels = channels_text(status); !channels.empty()) {
        out += '\n' + channels;
    }
    return out + warnings(status);
}

std::string status_line(const json::object& status) {
    auto out = text_of(status, "state");
    if (const auto& canary = object_of(status, "canary"); text_of(canary, "state") == "waiting for release") {
        out += "; canary: waiting for release";
    }
    if (!object_of(status, "halted").empty()) {
        out += "; halted: " + text_of(object_of(status, "halted"), "why");
    }
    for (const auto& [name, value] : object_of(status, "channels")) {
        const auto& c = as_object(value);
        out += fmt::format("; {} {}/{} accepted", std::string_view{name}, number(c, "accepted"), number(c, "planned"));
        for (const auto& [key, word] :
             {std::pair{"failed", "failed"}, std::pair{"retrying", "retrying"}, std::pair{"in_doubt", "in doubt"}}) {
            if (number_of(c, key) != 0) {
                out += fmt::format(", {} {}", number(c, key), word);
            }
        }
        if (const auto rate = rate_of(c); rate > 0) {
            out += fmt::format(", {}/s", rate_text(rate));
        }
    }
    if (const auto finish = text_of(status, "forecast_finish"); !finish.empty()) {
        out += "; done at " + finish;
    }
    return one_line(out) + '\n';
}

std::string report_text(const json::object& report) {
    const auto rows = number_of(report, "rows");
    const auto& coverage = object_of(report, "coverage");
    text_table lines{{{"people", left}, {"count", right}, {"share", right}}};
    for (const auto& [key, title] : coverage_lines) {
        const auto n = number_of(coverage, key);
        lines.add({title, with_separators(n), share_text(n, rows)});
    }
    lines.add({"rows", with_separators(rows), share_text(rows, rows)});
    text_table channels{{{"channel", left},
                         {"planned", right},
                         {"covered", right},
                         {"accepted", right},
                         {"delivered", right},
                         {"failed", right},
                         {"in doubt", right},
                         {"unresolved", right},
                         {"resent", right}}};
    for (const auto& [name, value] : object_of(report, "channels")) {
        const auto& c = as_object(value);
        channels.add({name, number(c, "planned"), number(c, "covered"), number(c, "accepted"), number(c, "delivered"),
                      number(c, "failed"), number(c, "in_doubt"), number(c, "unresolved"), number(c, "resent")});
    }
    return heading(report) + '\n' + lines.to_string() + (channels.empty() ? "" : '\n' + channels.to_string()) +
           incident_text(object_of(report, "incident"));
}

std::string report_csv(const json::object& report) {
    std::string out = "line,people\r\n";
    for (const auto& [key, title] : coverage_lines) {
        out += fmt::format("{},{}\r\n", key, number_of(object_of(report, "coverage"), key));
    }
    return out + fmt::format("rows,{}\r\n", number_of(report, "rows"));
}

std::string story_text(const json::object& story, bool raw) {
    text_table events{
        {{"time"}, {"channel"}, {"event"}, {"try", right}, {"gateway"}, {"code"}, {"by"}, {"text"}, {"sha256"}}};
    for (const auto& item : list_of(story, "events")) {
        const auto& e = as_object(item);
        const auto attempt = number_of(e, "attempt");
        events.add({text_of(e, "time"), text_of(e, "channel"), text_of(e, "kind"),
                    attempt == 0 ? std::string{} : std::to_string(attempt), text_of(e, "gateway"), text_of(e, "code"),
                    text_of(e, "actor"), text_of(e, "text"), short_hash(text_of(e, "content_sha256"))});
    }
    auto out = fmt::format("recipient {} of {}\n\n{}", one_line(text_of(story, "recipient_id")),
                           one_line(text_of(story, "campaign")), events.to_string());
    for (const auto& item : list_of(story, "messages")) {
        const auto& m = as_object(item);
        out += fmt::format("\n{} message {} ({})\n", one_line(text_of(m, "channel")),
                           short_hash(one_line(text_of(m, "notification"))), one_line(text_of(m, "role")));
        const auto sent = text_of(m, "sent_sha256");
        const auto again = text_of(m, "rendered_sha256");
        if (!sent.empty()) {
            out += fmt::format("  sent as       sha256 {}\n", one_line(sent));
        }
        if (!again.empty()) {
            out += fmt::format("  rendered anew sha256 {}{}\n", one_line(again),
                               sent.empty()    ? ""
                               : sent == again ? ", the same bytes"
                                               : ", OTHER BYTES THAN THOSE SENT");
        }
        if (const auto why = text_of(m, "not_rendered"); !why.empty()) {
            out += fmt::format("  not rendered: {}\n", one_line(why));
        }
        for (const auto& part : list_of(m, "content")) {
            if (part.is_string()) {
                const std::string_view bytes{part.get_string()};
                const auto mail = raw ? std::nullopt : readable_mail(bytes);
                out += mail ? "  --- as it reads (--raw: as it was sent)\n" : "  ---\n";
                out += printable(mail ? *mail : bytes);
                out += out.ends_with('\n') ? "" : "\n";
            }
        }
    }
    return out;
}

std::string in_doubt_text(const json::value& list) {
    text_table table{{{"since"},
                      {"state"},
                      {"channel"},
                      {"gateway"},
                      {"try", right},
                      {"recipient"},
                      {"notification"},
                      {"decision"},
                      {"evidence"}}};
    std::int64_t unresolved = 0;
    const auto& doubts = list.is_array() ? list.get_array() : json::array{};
    for (const auto& item : doubts) {
        const auto& d = as_object(item);
        const auto state = text_of(d, "state");
        unresolved += state == "unresolved" ? 1 : 0;
        std::string evidence;
        for (const auto& line : list_of(d, "evidence")) {
            evidence += line.is_string() ? (evidence.empty() ? "" : "; ") + std::string{line.get_string()} : "";
        }
        table.add({text_of(d, "since"), state, text_of(d, "channel"), text_of(d, "gateway"), number(d, "attempt"),
                   text_of(d, "recipient_id"), short_hash(text_of(d, "notification")), text_of(d, "decision"),
                   evidence});
    }
    if (table.empty()) {
        return "nothing is in doubt\n";
    }
    return table.to_string() + count_of(static_cast<std::int64_t>(doubts.size()), "message is", "messages are") +
           " in doubt" +
           (unresolved == 0 ? std::string{}
                            : ", " + with_separators(unresolved) +
                                  " unresolved: an approver decides, `semel in-doubt resolve --help`") +
           '\n';
}

std::string resent_text(const json::value& list) {
    text_table table{{{"first"},
                      {"channel"},
                      {"gateway"},
                      {"times", right},
                      {"withdrawn", right},
                      {"by"},
                      {"recipient"},
                      {"notification"},
                      {"now"}}};
    const auto& messages = list.is_array() ? list.get_array() : json::array{};
    for (const auto& item : messages) {
        const auto& m = as_object(item);
        const auto by = text_of(m, "decided_by");
        table.add({text_of(m, "first_resent"), text_of(m, "channel"), text_of(m, "gateway"), number(m, "times"),
                   number(m, "withdrawn"), by.empty() ? "policy" : by, text_of(m, "recipient_id"),
                   short_hash(text_of(m, "notification")), text_of(m, "state")});
    }
    return table.empty() ? "nothing was sent again while in doubt\n"
                         : table.to_string() +
                               count_of(static_cast<std::int64_t>(messages.size()), "message was", "messages were") +
                               " sent again while in doubt: told at least once, not exactly once\n";
}

std::string unmatched_text(const json::value& list) {
    text_table table{{{"last"}, {"gateway"}, {"state"}, {"code"}, {"count", right}, {"id"}, {"why"}}};
    const auto& reports = list.is_array() ? list.get_array() : json::array{};
    for (const auto& item : reports) {
        const auto& r = as_object(item);
        table.add({text_of(r, "time"), text_of(r, "gateway"), text_of(r, "state"), text_of(r, "code"),
                   number(r, "count"), text_of(r, "id"), text_of(r, "why")});
    }
    return table.empty() ? "every report has found its message\n" : table.to_string();
}

std::string history_text(const json::value& list) {
    text_table table{{{"time"}, {"who"}, {"what"}, {"channel"}, {"gateway"}, {"code"}, {"test message"}}};
    const auto& acts = list.is_array() ? list.get_array() : json::array{};
    for (const auto& item : acts) {
        const auto& a = as_object(item);
        const auto kind = text_of(a, "kind");
        const auto wave = number_of(a, "wave");
        const auto what = kind == "operator" ? text_of(a, "text") : wave != 0 ? fmt::format("{} {}", kind, wave) : kind;
        table.add({text_of(a, "time"), text_of(a, "actor"), what, text_of(a, "channel"), text_of(a, "gateway"),
                   text_of(a, "code"), text_of(a, "notification").substr(0, 12)});
    }
    return table.empty() ? "nothing was done yet\n" : table.to_string();
}

std::string test_addresses_text(const json::value& list) {
    text_table table{{{"address"}, {"channel"}, {"in force"}, {"added"}, {"by"}, {"removed"}, {"by"}}};
    const auto& addresses = list.is_array() ? list.get_array() : json::array{};
    for (const auto& item : addresses) {
        const auto& a = as_object(item);
        const auto* in_force = a.if_contains("in_force");
        const bool holds = in_force != nullptr && in_force->is_bool() && in_force->get_bool();
        table.add({text_of(a, "address"), text_of(a, "channel"), holds ? "yes" : "no", text_of(a, "added"),
                   text_of(a, "added_by"), text_of(a, "removed"), text_of(a, "removed_by")});
    }
    return table.empty() ? "nobody may get a test: an approver adds them with `semel test-address add`\n"
                         : table.to_string();
}

std::string keys_text(const json::object& keys) {
    text_table table{{{"key"}, {"state"}, {"campaigns", right}}};
    if (const auto* list = keys.if_contains("keys"); list != nullptr && list->is_array()) {
        for (const auto& item : list->get_array()) {
            const auto& k = as_object(item);
            table.add({text_of(k, "id"), text_of(k, "state"), number(k, "campaigns")});
        }
    }
    std::string out = table.to_string();
    if (const auto n = number_of(keys, "campaigns_under_unnamed_keys"); n > 0) {
        out += fmt::format("{} campaigns were wrapped by an older version, which named no key\n", n);
    }
    if (const auto n = number_of(keys, "campaigns_under_other_keys"); n > 0) {
        out += fmt::format("{} campaigns lie under keys that are not in the list: nobody can open them\n", n);
    }
    if (keys.contains("wrapped_anew")) {
        out += fmt::format("{} wrapped anew\n", number_of(keys, "wrapped_anew"));
    }
    if (const auto* failed = keys.if_contains("failed"); failed != nullptr && failed->is_array()) {
        for (const auto& item : failed->get_array()) {
            out += one_line(text_of(as_object(item), "why")) + "\n";
        }
    }
    return out;
}

} // namespace semel::cli::campaign
