#include "commands.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

/// The code stands behind '#': a browser sends that part to nobody, and no server has it in its log.
int print_address(session& s, const common_options& how) {
    const auto made = s.post("/v1/session-codes");
    if (!made) {
        return fail(made.error());
    }
    const auto* fields = made->if_object();
    const auto* code = fields == nullptr ? nullptr : json::find_text(*fields, "code");
    const auto* expires = fields == nullptr ? nullptr : json::find_text(*fields, "expires");
    if (code == nullptr || expires == nullptr) {
        return fail({base::fault::kind::unreachable, "what answered is not an api of Semel with a console"});
    }
    const auto address = fmt::format("{}/#code={}", s.address(), http::percent_encode(*code));
    if (how.json) {
        print_json(json::object{{"address", address}, {"expires", *expires}});
        return 0;
    }
    fmt::print(stderr, "open this address; it holds until {}, and once:\n", one_line(*expires));
    fmt::print("{}\n", address);
    return 0;
}

} // namespace

void add_console_command(CLI::App& program, int& exit_code) {
    auto how = std::make_shared<common_options>();
    auto* console = program.add_subcommand("console", "An address that opens the console, signed in");
    console->footer("Example:\n  semel console --as approver\n\n"
                    "The address has a code that holds for five minutes and once. The browser gets a session of its\n"
                    "own, never the token: it ends after 12 hours, unattended after 30 minutes, and with the token.");
    add_common(*console, how);
    console->callback(
        [how, &exit_code] { exit_code = with_session(*how, [&](session& s) { return print_address(s, *how); }); });
}

} // namespace semel::cli::campaign
