#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

struct asking : common_options, purpose_options {
    std::string id, recipient;
    bool raw = false;
    bool resent = false;
};

int show_story(session& s, const asking& how) {
    json::object body{{"recipient_id", how.recipient}};
    for (const auto& [name, value] : {std::pair{"reason", &how.reason}, std::pair{"case", &how.case_number}}) {
        if (!value->empty()) {
            body[name] = *value;
        }
    }
    const auto story = s.post(campaign_target(how.id, "/audit"), &body);
    if (!story) {
        return fail(story.error());
    }
    if (how.json || !story->is_object()) {
        print_json(*story);
    } else {
        fmt::print("{}", story_text(story->get_object(), how.raw));
    }
    return 0;
}

int list_doubts(session& s, const asking& how) {
    const auto list = s.get(campaign_target(how.id, how.resent ? "/resent" : "/in-doubt"), headers_of(how));
    if (!list) {
        return fail(list.error());
    }
    how.json ? print_json(*list) : fmt::print("{}", how.resent ? resent_text(*list) : in_doubt_text(*list));
    return 0;
}

int resolve_doubts(session& s, const asking& how, bool resend) {
    const json::object body{{"decision", resend ? "resend" : "presume-sent"}};
    const auto done = s.post(campaign_target(how.id, "/in-doubt"), &body);
    if (!done) {
        return fail(done.error());
    }
    if (how.json || !done->is_object()) {
        print_json(*done);
    } else {
        fmt::print("{} messages in doubt: {}\n", with_separators(number_of(done->get_object(), "resolved")),
                   resend ? "they are sent again" : "presumed sent");
    }
    return 0;
}

void add_audit(CLI::App& program, int& exit_code) {
    auto* audit = program.add_subcommand("audit", "What one person was told, when and how");
    audit->require_subcommand(1);
    auto how = std::make_shared<asking>();
    auto* show = audit->add_subcommand("show", "One person's events, and the messages as they were sent");
    show->footer(
        "Example:\n  semel audit show c-abcdefghijklmnop --recipient 4711 --as auditor\n"
        "  semel audit show c-abcdefghijklmnop --recipient 4711 --reason \"she asks whether she was told\" --case "
        "C-17\n\nWho looked, at whom, when and why is recorded first: `semel audit lookups`. Auditors may leave "
        "the reason out,\nothers not. What is printed is personal data.");
    add_common(*show, how);
    add_purpose(*show, *how);
    add_id(*show, how->id);
    show->add_option("--recipient", how->recipient, "The recipient_id, exactly as in the audience")->required();
    show->add_flag("--raw", how->raw, "Show a mail's bytes as they were sent, not as they read");
    show->callback(
        [how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return show_story(s, *how); }); });

    auto of = std::make_shared<asking>();
    auto* history = audit->add_subcommand("history", "What people did with a campaign, and what became of its tests");
    history->footer("Example:\n  semel audit history c-abcdefghijklmnop --as auditor\n\n"
                    "Who created, approved, launched, paused it and so on; each test message with its outcome.");
    add_common(*history, of);
    add_id(*history, of->id);
    history->callback([of, &exit_code] {
        exit_code = with_session(*of, [&](session& s) {
            const auto list = s.get(campaign_target(of->id, "/history"));
            if (!list) {
                return fail(list.error());
            }
            of->json ? print_json(*list) : fmt::print("{}", history_text(*list));
            return 0;
        });
    });

    add_lookups(*audit, exit_code);
    add_decisions(*audit, exit_code);

    struct exporting : common_options {
        std::string subject, out;
    };
    auto bundle = std::make_shared<exporting>();
    auto* export_command = audit->add_subcommand("export", "Not in this version: evidence as files");
    add_common(*export_command, bundle);
    add_id(*export_command, bundle->subject);
    export_command->add_option("--out", bundle->out, "The folder to write")->required();
    export_command->callback([bundle, &exit_code] { // the options' values live as long as the commands
        exit_code = unsupported("audit export; use `semel audit show --json`");
    });

    auto verified = std::make_shared<exporting>();
    auto* verify = audit->add_subcommand("verify", "Not in this version: check exported evidence offline");
    add_common(*verify, verified);
    verify->add_option("DIR", verified->subject, "What `audit export` wrote")->required();
    verify->callback([verified, &exit_code] { exit_code = unsupported("audit verify"); });
}

void add_in_doubt(CLI::App& program, int& exit_code) {
    auto* in_doubt = program.add_subcommand("in-doubt", "Messages of which nobody knows whether they were accepted");
    in_doubt->require_subcommand(1);
    auto how = std::make_shared<asking>();
    auto* list = in_doubt->add_subcommand(
        "list", "Each with the person, the gateway, since when, and what was looked for in vain");
    list->footer("Example:\n  semel in-doubt list c-abcdefghijklmnop\n"
                 "  semel in-doubt list c-abcdefghijklmnop --resent\n\n"
                 "waiting: evidence (a late answer, a receipt that fits one message alone) may still settle it, until\n"
                 "the campaign's policy decides; unresolved: an approver decides; presumed_sent: decided without\n"
                 "evidence. What evidence has settled is not listed any more.");
    add_common(*list, how);
    add_id(*list, how->id);
    add_purpose(*list, *how);
    list->add_flag("--resent", how->resent, "Instead, what was sent again while in doubt: told at least once");
    list->callback(
        [how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list_doubts(s, *how); }); });

    struct resolving : asking {
        bool resend = false, presume_sent = false;
    };
    auto wanted = std::make_shared<resolving>();
    auto* resolve =
        in_doubt->add_subcommand("resolve", "Decide about all of them, before or after the policy; for an approver");
    resolve->footer("Example:\n  semel in-doubt list c-abcdefghijklmnop\n"
                    "  semel in-doubt resolve c-abcdefghijklmnop --resend --as approver\n\n"
                    "Needs a user with the role approver who has not created the campaign. Sent again, a message may\n"
                    "arrive twice; presumed sent, it may never have arrived. Auditors see who decided.");
    add_common(*resolve, wanted);
    add_id(*resolve, wanted->id);
    auto* resend = resolve->add_flag("--resend", wanted->resend, "Send them again");
    resolve
        ->add_flag("--presume-sent", wanted->presume_sent,
                   "Take them as sent, without evidence; they stay in the line in doubt")
        ->excludes(resend);
    resolve->callback([wanted, &exit_code] {
        if (!wanted->resend && !wanted->presume_sent) {
            throw CLI::RequiredError{"--resend or --presume-sent"};
        }
        exit_code = with_session(*wanted, [&](session& s) { return resolve_doubts(s, *wanted, wanted->resend); });
    });
}

int list_unmatched(session& s, const common_options& how) {
    const auto list = s.get("/v1/receipts/unmatched");
    if (!list) {
        return fail(list.error());
    }
    how.json ? print_json(*list) : fmt::print("{}", unmatched_text(*list));
    return 0;
}

void add_receipts(CLI::App& program, int& exit_code) {
    auto* receipts = program.add_subcommand("receipts", "What gateways report of messages that they accepted");
    receipts->require_subcommand(1);
    auto how = std::make_shared<common_options>();
    auto* list = receipts->add_subcommand("unmatched", "Reports that match no message, the latest first");
    list->footer("Example:\n  semel receipts unmatched\n\n"
                 "Other senders' on a shared account, or an id in a form that Semel does not know. They mark nobody.\n"
                 "Kept for seven days, the latest 200,000; the 1,000 latest are listed. A number is not among them.");
    add_common(*list, how);
    list->callback(
        [how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list_unmatched(s, *how); }); });
}

} // namespace

void add_record_commands(CLI::App& program, int& exit_code) {
    add_receipts(program, exit_code);
    add_audit(program, exit_code);
    add_in_doubt(program, exit_code);
}

} // namespace semel::cli::campaign
