// `semel audit decisions`: what somebody decided.

#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <cli/campaign/account_views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

int list(session& s, const whose_options& how) {
    const auto page = s.get(target_of("/v1/decisions", how));
    if (!page) {
        return fail(page.error());
    }
    if (how.json || !page->is_object()) {
        print_json(*page);
    } else {
        fmt::print("{}", decisions_text(page->get_object()));
    }
    return 0;
}

} // namespace

void add_decisions(CLI::App& audit, int& exit_code) {
    auto how = std::make_shared<whose_options>();
    auto* command =
        subcommand(audit, "decisions", "What you decided about campaigns, or for an auditor what others did",
                   "  semel audit decisions --as approver\n"
                   "  semel audit decisions --user kim --as auditor\n\n"
                   "The latest first: seals, approvals, launches, releases, pauses, cancellations, dropped "
                   "waves, doubts.");
    add_whose(*command, how, "an auditor");
    command->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list(s, *how); }); });
}

} // namespace semel::cli::campaign
