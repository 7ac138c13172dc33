// `semel users`: people, their roles and their tokens.

#include "commands.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/account_views.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string>
#include <vector>

namespace semel::cli::campaign {
namespace {

struct about_user : common_options {
    std::string name;
    std::vector<std::string> roles, scope;
    std::int64_t days = 0, token = 0; // 0: not given
};

struct asking : common_options {
    std::string user;
    std::int64_t before = 0, limit = 100;
};

std::string target_of(const about_user& whom, std::string_view rest) {
    return fmt::format("/v1/users/{}{}", http::percent_encode(whom.name), rest);
}

json::array to_json(const std::vector<std::string>& words) {
    return json::array(words.begin(), words.end());
}

/// What a new token is to be.
void add_wish(json::object& body, const about_user& whom) {
    if (whom.days != 0) {
        body["days"] = whom.days;
    }
    if (!whom.scope.empty()) {
        body["scope"] = to_json(whom.scope);
    }
}

int list(session& s, const common_options& how) {
    const auto users = s.get("/v1/users");
    if (!users) {
        return fail(users.error());
    }
    how.json ? print_json(*users) : fmt::print("{}", users_text(*users));
    return 0;
}

/// The token alone on standard output, so that it can go into a file that nobody else reads; words beside it.
int tell_token(const base::result<json::value>& made, bool as_json) {
    if (!made || as_json || !made->is_object()) {
        return made ? (print_json(*made), 0) : fail(made.error());
    }
    const auto& o = made->get_object();
    fmt::print(stderr,
               "token {} of {}, until {}; it is shown only now: nobody can look it up, `semel users token` makes "
               "another\n",
               number_of(o, "number"), one_line(text_of(o, "user")), one_line(text_of(o, "expires")));
    fmt::print("{}\n", one_line(text_of(o, "token")));
    return 0;
}

int add(session& s, const about_user& whom) {
    json::object body{{"user", whom.name}, {"roles", to_json(whom.roles)}};
    add_wish(body, whom);
    return tell_token(s.post("/v1/users", &body), whom.json);
}

int make_token(session& s, const about_user& whom) {
    json::object body;
    add_wish(body, whom);
    return tell_token(s.post(target_of(whom, "/tokens"), &body), whom.json);
}

int change_roles(session& s, const about_user& whom) {
    const json::object body{{"roles", to_json(whom.roles)}};
    const auto done = s.post(target_of(whom, "/roles"), &body);
    if (!done) {
        return fail(done.error());
    }
    whom.json ? print_json(*done)
              : fmt::print("{} has the roles {} from the next request on\n", one_line(whom.name),
                           fmt::join(whom.roles, ", "));
    return 0;
}

int revoke(session& s, const about_user& whom) {
    const json::object body{{"token", whom.token}};
    const auto done = s.post(target_of(whom, "/revoke"), whom.token == 0 ? nullptr : &body);
    if (!done) {
        return fail(done.error());
    }
    if (whom.json) {
        print_json(*done);
    } else if (whom.token != 0) {
        fmt::print("token {} of {} is known no more\n", whom.token, one_line(whom.name));
    } else {
        fmt::print(
            "no token of {0} is known any more, and none will be again. To let the person in again: `semel users "
            "roles {0} ROLES` and `semel users token {0}`; for a user of tokens_dir, `openssl rand -hex 32` into "
            "the file (mode 600), then restart the api\n",
            one_line(whom.name));
    }
    return 0;
}

int history(session& s, const asking& how) {
    auto target = fmt::format("/v1/users/events?limit={}", how.limit);
    target += how.before == 0 ? "" : fmt::format("&before={}", how.before);
    target += how.user.empty() ? "" : "&user=" + http::percent_encode(how.user);
    const auto page = s.get(target);
    if (!page) {
        return fail(page.error());
    }
    if (how.json || !page->is_object()) {
        print_json(*page);
    } else {
        fmt::print("{}", access_events_text(page->get_object()));
    }
    return 0;
}

/// Adds `semel users VERB` for a user; what it takes besides is the caller's to add.
CLI::App& add_about(CLI::App& users, int& exit_code, const char* verb, const char* what,
                    const std::shared_ptr<about_user>& whom, int (*work)(session&, const about_user&)) {
    auto* command = users.add_subcommand(verb, what);
    add_common(*command, whom);
    command->add_option("USER", whom->name, "As `semel users list` names them")->required();
    command->callback(
        [whom, work, &exit_code] { exit_code = with_session(*whom, [&](session& s) { return work(s, *whom); }); });
    return *command;
}

constexpr auto roles_help = "operator, approver, product, auditor, administrator; several with commas";

void add_token_options(CLI::App& command, about_user& whom) {
    command.add_option("--days", whom.days, "So long the token lives, up to 366 [90]");
    command
        .add_option("--scope", whom.scope,
                    "What the token is for, if less than its user may: read (it changes nothing), or roles; several "
                    "with commas")
        ->delimiter(',');
}

void add_rights(CLI::App& users, int& exit_code) {
    auto whom = std::make_shared<about_user>();
    auto& added =
        add_about(users, exit_code, "add", "Let a person in, with roles and a token; for an administrator", whom, add);
    added.footer("Example:\n  semel users add kim --roles operator,auditor --as administrator > kim.token\n\n"
                 "The token is printed once, alone on standard output. Whatever roles a person has: nobody approves or "
                 "decides\nabout a campaign that the same person made. A name stays the person's who had it.");
    added.add_option("--roles", whom->roles, roles_help)->delimiter(',')->required();
    add_token_options(added, *whom);

    auto changed = std::make_shared<about_user>();
    auto& roles = add_about(users, exit_code, "roles", "Give a person these roles and no others; for an administrator",
                            changed, change_roles);
    roles.footer("Example:\n  semel users roles kim operator,approver --as administrator\n\n"
                 "It holds from the next request on. Nobody changes their own roles.");
    roles.add_option("ROLES", changed->roles, roles_help)->delimiter(',')->required();

    auto another = std::make_shared<about_user>();
    auto& token = add_about(users, exit_code, "token", "Make another token for a person; for an administrator", another,
                            make_token);
    token.footer("Example:\n  semel users token kim --days 30 --scope read --as administrator > kim.token\n\n"
                 "It is printed once. The ones before stay: `semel users revoke kim --token NUMBER` ends one.");
    add_token_options(token, *another);
}

} // namespace

void add_user_commands(CLI::App& program, int& exit_code) {
    auto* users = program.add_subcommand("users", "Who may use the api");
    users->require_subcommand(1);
    auto how = std::make_shared<about_user>();
    auto* all = users->add_subcommand("list", "The users, their roles and tokens; for approvers, auditors and "
                                              "administrators");
    all->footer("Example:\n  semel users list --as auditor");
    add_common(*all, how);
    all->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list(s, *how); }); });
    add_rights(*users, exit_code);

    auto whom = std::make_shared<about_user>();
    auto& gone = add_about(*users, exit_code, "revoke", "Take away a user's rights and tokens, or one token, at once",
                           whom, revoke);
    gone.footer("Example:\n  semel users revoke operator --as approver\n  semel users revoke kim --token 7 --as "
                "administrator\n\n"
                "An approver or administrator revokes anybody, others only themselves. It holds from the next request "
                "on and\nafter every restart, whether or not the token's file is still there.");
    gone.add_option("--token", whom->token, "Only this token, by its number in `semel users list`");

    auto asked = std::make_shared<asking>();
    auto* events = users->add_subcommand("history", "Who was let in, kept out, given rights and lost them");
    events->footer("Example:\n  semel users history --user kim --as auditor\n\nThe latest first; for auditors and "
                   "administrators. Of a flood of refusals one entry a second is kept, with how\nmany it stands for.");
    add_common(*events, asked);
    events->add_option("--user", asked->user, "Only by or about this user");
    events->add_option("--before", asked->before, "Only earlier ones: the number that the page before ended with");
    events->add_option("--limit", asked->limit, "So many at most, up to 1,000 [100]");
    events->callback(
        [asked, &exit_code] { exit_code = with_session(*asked, [&](session& s) { return history(s, *asked); }); });
}

} // namespace semel::cli::campaign
