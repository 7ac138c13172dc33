// `semel audit lookups`: who looked at whom.

#include "commands.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/account_views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

#include <cstdint>

namespace semel::cli::campaign {
namespace {

struct asking : common_options {
    std::string campaign, recipient, user;
    std::int64_t before = 0, limit = 100;
};

std::string query_of(const asking& how) {
    auto query = fmt::format("?limit={}", how.limit);
    if (how.before != 0) {
        query += fmt::format("&before={}", how.before);
    }
    if (!how.user.empty()) {
        query += "&user=" + http::percent_encode(how.user);
    }
    if (!how.campaign.empty() && how.recipient.empty()) {
        query += "&campaign=" + http::percent_encode(how.campaign);
    }
    return query;
}

base::result<json::value> ask(session& s, const asking& how) {
    if (how.recipient.empty()) {
        return s.get("/v1/lookups" + query_of(how));
    }
    const json::object body{{"recipient_id", how.recipient}};
    return s.post(campaign_target(how.campaign, "/lookups") + query_of(how), &body);
}

int list(session& s, const asking& how) {
    const auto page = ask(s, how);
    if (!page) {
        return fail(page.error());
    }
    if (how.json || !page->is_object()) {
        print_json(*page);
    } else {
        fmt::print("{}", lookups_text(page->get_object()));
    }
    return 0;
}

} // namespace

void add_lookups(CLI::App& audit, int& exit_code) {
    auto how = std::make_shared<asking>();
    auto* command = audit.add_subcommand("lookups", "Who looked at whom, when, from where and why; for auditors");
    command->footer("Example:\n"
                    "  semel audit lookups --as auditor\n"
                    "  semel audit lookups c-abcdefghijklmnop --recipient 4711 --as auditor\n"
                    "  semel audit lookups --user kim --limit 1000 --json --as auditor\n\n"
                    "The latest first. Stories, and the lists of who was not reached, is in doubt, was told again or "
                    "stands twice.\nA person is named by a keyed hash; with --recipient only who looked at that one is "
                    "listed. Each entry was\nwritten before the answer, and the api can neither change nor delete it.");
    add_common(*command, how);
    auto* campaign = command->add_option("ID", how->campaign, "Only of this campaign");
    command->add_option("--recipient", how->recipient, "Only at this person, by the recipient_id as in the audience")
        ->needs(campaign);
    command->add_option("--user", how->user, "Only by this user");
    command->add_option("--before", how->before, "Only earlier ones: the number that the page before ended with");
    command->add_option("--limit", how->limit, "So many at most, up to 1,000 [100]");
    command->callback([how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return list(s, *how); }); });
}

} // namespace semel::cli::campaign
