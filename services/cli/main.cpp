#include <CLI/CLI.hpp>
#include <cli/campaign/commands.hpp>
#include <cli/check/check_commands.hpp>
#include <cli/database/commands.hpp>
#include <cli/notice/notice_commands.hpp>
#include <cli/plan/plan_commands.hpp>
#include <cli/stack/stack.hpp>
#include <cli/usage/usage.hpp>

#include <cstdio>
#include <exception>

namespace {

constexpr auto about =
    "Tells every affected person of a data leak once, over email, app push and SMS, and can prove it.";

constexpr auto order_of_a_campaign = R"(A campaign, from the first to the last step:

  semel up --sim                                          everything on this machine, with test gateways
  semel notice check notices/follow-up                    is the text fit to be sent?
  semel plan what-if people.csv --rates email=300,sms=40  would it be done in time?
  semel campaign create --name "Renewed notice" --notice notices/follow-up      prints the id
  semel audience add ID people.csv                        once or more: each file is a wave
  semel test-address add kim@example.com --as approver    who may get a test
  semel campaign test ID --to colleagues.csv              see it in your own inbox first
  semel campaign seal ID                                  counts the people, prints what an approver sees
  semel campaign approve ID --as approver                 by another user than the creator
  semel campaign launch ID
  semel campaign status ID --watch                        pause, resume and cancel take hold within seconds
  semel campaign report ID                                what became of everybody
  semel console --as auditor                              the same in a browser
  semel audit show ID --recipient 4711 --as auditor       one person's story

Exit codes: 0 done, 1 the thing asked about is bad, 2 wrong usage, 3 a service is not reachable.
The local stack is looked for in .semel (--dir). Elsewhere SEMEL_API says where the api is, and SEMEL_TOKEN or
SEMEL_TOKEN_FILE who asks. `semel COMMAND --help` has an example for each command.)";

} // namespace

int main(int argc, char** argv) {
    using namespace semel::cli;
    CLI::App program{about, "semel"};
    program.footer(order_of_a_campaign);
    program.require_subcommand(1);
    program.set_version_flag("--version", SEMEL_VERSION);
    int exit_code = 0;
    stack::add_stack_commands(program, exit_code);
    database::add_database_commands(program, exit_code);
    add_notice_commands(program, exit_code);
    add_check_commands(program, exit_code);
    plan::add_plan_commands(program, exit_code);
    campaign::add_campaign_commands(program, exit_code);
    campaign::add_audience_commands(program, exit_code);
    campaign::add_record_commands(program, exit_code);
    campaign::add_test_address_commands(program, exit_code);
    campaign::add_user_commands(program, exit_code);
    campaign::add_browser_session_commands(program, exit_code);
    campaign::add_key_commands(program, exit_code);
    campaign::add_console_command(program, exit_code);
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) { // --help, --version
            return program.exit(e);
        }
        std::fputs(explain_usage(program, e).c_str(), stderr);
        return 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "semel: %s\n", e.what());
        return 1;
    }
    return exit_code;
}
