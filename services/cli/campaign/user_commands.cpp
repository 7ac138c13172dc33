#include "commands.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

struct about_user : common_options {
    std::string name;
};

int list(session& s, const common_options& how) {
    const auto users = s.get("/v1/users");
    if (!users) {
        return fail(users.error());
    }
    how.json ? print_json(*users) : fmt::print("{}", users_text(*users));
    return 0;
}

int revoke(session& s, const about_user& whom) {
    const auto done = s.post(fmt::format("/v1/users/{}/revoke", http::percent_encode(whom.name)));
    if (!done) {
        return fail(done.error());
    }
    if (whom.json) {
        print_json(*done);
        return 0;
    }
    fmt::print("the token of {0} is known no more, and never will be again. For a new one: `openssl rand -hex 32` into "
               "the file {0} of the folder of tokens (tokens_dir, mode 600), then restart the api\n",
               one_line(whom.name));
    return 0;
}

} // namespace

void add_user_commands(CLI::App& program, int& exit_code) {
    auto* users = program.add_subcommand("users", "Who may use the api");
    users->require_subcommand(1);
    auto how = std::make_shared<about_user>();
    auto* all = users->add_subcommand("list", "The users and their roles; for approvers and auditors");
    all->footer("Example:\n  semel users list --as auditor");
    add_common(*all, how);
    all->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list(s, *how); }); });

    auto whom = std::make_shared<about_user>();
    auto* gone = users->add_subcommand("revoke", "Make a user's token worthless, at once");
    gone->footer("Example:\n  semel users revoke operator --as approver\n\n"
                 "An approver revokes anybody's token, others only their own. It holds from the next request on and\n"
                 "after every restart, whether or not the token's file is still there.");
    add_common(*gone, whom);
    gone->add_option("USER", whom->name, "As `semel users list` names them")->required();
    gone->callback(
        [whom, &exit_code] { exit_code = with_session(*whom, [&](session& s) { return revoke(s, *whom); }); });
}

} // namespace semel::cli::campaign
