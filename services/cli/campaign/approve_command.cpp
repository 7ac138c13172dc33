// `semel campaign approve`: shows what waits, and approves that and nothing else.

#include "commands.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/approval_view.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <vector>

namespace semel::cli::campaign {
namespace {

using namespace std::chrono_literals;
using base::fault;

struct approving : common_options {
    std::string id, digest, reason;
    std::vector<std::string> accept;
};

/// A notice may still be compiled, or a wave registered.
base::result<json::value> wait_for_what_waits(session& s, const approving& how) {
    // What changed since, the api can tell from the digest alone.
    const auto target = campaign_target(
        how.id, how.digest.empty() ? "/approval" : "/approval?shown=" + http::percent_encode(how.digest));
    progress shown;
    const auto give_up = std::chrono::steady_clock::now() + 10min;
    for (;;) {
        auto waiting = s.get(target);
        if (waiting || waiting.error().what() != fault::kind::transient || std::chrono::steady_clock::now() > give_up) {
            return waiting;
        }
        shown.say("waiting: " + waiting.error().why());
        pause_for(300ms);
    }
}

/// Nobody at a terminal approves by a slip of the hand what has just scrolled past.
bool confirmed(const json::object& waiting) {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
        return true;
    }
    fmt::print("Approve exactly this, {}? Type yes: ", approval_line(waiting));
    std::fflush(stdout);
    std::string answer;
    return std::getline(std::cin, answer) && answer == "yes";
}

json::object body_of(const json::object& waiting, const approving& how) {
    const auto* seen = waiting.if_contains("seen");
    json::object body{{"seen", seen == nullptr ? json::value{} : *seen}};
    if (!how.accept.empty()) {
        body["accept"] = json::array(how.accept.begin(), how.accept.end());
        body["reason"] = how.reason;
    }
    return body;
}

int approve(session& s, const approving& how) {
    const auto found = wait_for_what_waits(s, how);
    if (!found || !found->is_object()) {
        return found ? fail({fault::kind::unreachable, "what answered is not an api of Semel"}) : fail(found.error());
    }
    const auto& waiting = found->get_object();
    const auto digest = text_of(waiting, "digest");
    if (const auto refusal = text_of(waiting, "refusal"); !refusal.empty()) { // before pages of text scroll past
        return fail({fault::kind::permanent, refusal});
    }
    if (how.digest.empty() && !how.json) {
        fmt::print("{}", approval_text(waiting));
    }
    if (!how.digest.empty() && how.digest != digest) {
        const auto changed = text_of(waiting, "changed");
        return fail(
            {fault::kind::permanent,
             fmt::format("nothing was approved: what you were shown of campaign {} is not what waits now: {}{}\n"
                         "  `semel campaign approve {} --show` shows it with its digest",
                         how.id, approval_line(waiting),
                         changed.empty() ? "" : "; " + one_line(changed) + " in between", how.id)});
    }
    if (how.digest.empty() && !how.json && !confirmed(waiting)) {
        return fail({fault::kind::permanent, "nothing was approved"});
    }
    const auto body = body_of(waiting, how);
    const auto done = s.post(campaign_target(how.id, "/approve"), &body);
    if (!done) {
        return fail(done.error());
    }
    if (how.json) {
        print_json(*done);
    } else {
        fmt::print("{} is {}\n", how.id, done->is_object() ? text_of(done->get_object(), "state") : "");
    }
    return 0;
}

int show(session& s, const approving& how) {
    const auto found = wait_for_what_waits(s, how);
    if (!found) {
        return fail(found.error());
    }
    if (how.json || !found->is_object()) {
        print_json(*found);
    } else {
        fmt::print("{}", approval_text(found->get_object()));
    }
    return 0;
}

} // namespace

void add_approve(CLI::App& campaign, int& exit_code) {
    auto how = std::make_shared<approving>();
    auto look = std::make_shared<bool>(false);
    auto* command = campaign.add_subcommand("approve", "Look at notice, audience and counts, and sign just that; "
                                                       "another user than the creator. Any change voids it");
    command->footer("Example:\n"
                    "  semel campaign approve c-abcdefghijklmnop --as approver\n"
                    "  semel campaign approve c-abcdefghijklmnop --as approver --show\n"
                    "  semel campaign approve c-abcdefghijklmnop --as approver --digest "
                    "9f2c...\n"
                    "  semel campaign approve c-abcdefghijklmnop --as approver --accept KR-W3 --reason \"counsel read "
                    "it on 3 March\"\n\n"
                    "It shows every text and count, then signs exactly what it has shown: at a terminal after a yes. "
                    "With\n--digest it signs only what was shown under that digest, and refuses when a wave or a text "
                    "came in\nbetween. A finding of `semel notice check` is a guess about wording. While one is open, "
                    "nothing can be\napproved.");
    add_common(*command, how);
    add_id(*command, how->id);
    auto* digest = command->add_option("--digest", how->digest, "What was shown before, by the digest shown with it");
    command->add_flag("--show", *look, "Only look: every text, the counts and their digest")->excludes(digest);
    auto* reason = command->add_option("--reason", how->reason, "Why nothing is wrong there; it is recorded");
    command->add_option("--accept", how->accept, "A finding's rule, such as KR-W3, to take on by name; may be repeated")
        ->needs(reason);
    command->callback([how, look, &exit_code] {
        exit_code = with_session(*how, [&](session& s) { return *look ? show(s, *how) : approve(s, *how); });
    });
}

} // namespace semel::cli::campaign
