// `semel sessions`: who is signed in with a browser.

#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <cli/campaign/account_views.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace semel::cli::campaign {
namespace {

struct ending : common_options {
    std::int64_t number = 0;
};

int list(session& s, const whose_options& how) {
    const auto page = s.get(target_of("/v1/sessions", how));
    if (!page) {
        return fail(page.error());
    }
    if (how.json || !page->is_object()) {
        print_json(*page);
    } else {
        fmt::print("{}", sessions_text(page->get_object()));
    }
    return 0;
}

int end_one(session& s, const ending& which) {
    const auto done = s.remove(fmt::format("/v1/sessions/{}", which.number));
    if (!done) {
        return fail(done.error());
    }
    if (which.json || !done->is_object()) {
        print_json(*done);
    } else {
        fmt::print("session {} of {} is over\n", which.number, one_line(text_of(done->get_object(), "user")));
    }
    return 0;
}

} // namespace

void add_browser_session_commands(CLI::App& program, int& exit_code) {
    auto* sessions = program.add_subcommand("sessions", "Who is signed in with a browser");
    sessions->require_subcommand(1);
    auto how = std::make_shared<whose_options>();
    auto* all = subcommand(*sessions, "list", "The open sessions: since when, last used, and from where",
                           "  semel sessions list --as operator\n"
                           "  semel sessions list --everybody --as administrator");
    add_whose(*all, how, "an administrator");
    all->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list(s, *how); }); });

    auto which = std::make_shared<ending>();
    auto* end = subcommand(*sessions, "end", "End one, in whatever browser it is; it holds from its next request on",
                           "  semel sessions end 7 --as operator");
    add_common(*end, which);
    end->add_option("NUMBER", which->number, "As `semel sessions list` has it")->required();
    end->callback(
        [which, &exit_code] { exit_code = with_session(*which, [&](session& s) { return end_one(s, *which); }); });
}

} // namespace semel::cli::campaign
