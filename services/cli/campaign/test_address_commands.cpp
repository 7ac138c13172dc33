#include "commands.hpp"

#include <CLI/CLI.hpp>
#include <cli/campaign/text_table.hpp>
#include <cli/campaign/views.hpp>
#include <cli/campaign/with_session.hpp>
#include <fmt/format.h>

namespace semel::cli::campaign {
namespace {

constexpr auto target = "/v1/test-addresses";

struct listed : common_options {
    std::string address;
};

int tell(const base::result<json::value>& answer, bool as_json) {
    if (!answer) {
        return fail(answer.error());
    }
    as_json ? print_json(*answer) : fmt::print("{}", test_addresses_text(*answer));
    return 0;
}

void add_change(CLI::App& parent, int& exit_code, const std::string& verb, const std::string& what) {
    auto how = std::make_shared<listed>();
    auto* command = parent.add_subcommand(verb, what);
    command->footer(fmt::format("Example:\n  semel test-address {} kim@example.com --as approver\n\n"
                                "Needs a user with the role approver. Who changed the list, and when, stays on it.",
                                verb));
    add_common(*command, how);
    command->add_option("ADDRESS", how->address, "A mailbox, +82 10 1234 5678, apns:TOKEN or fcm:TOKEN")->required();
    command->callback([how, verb, &exit_code] {
        exit_code = with_session(*how, [&](session& s) {
            const json::object body{{verb, how->address}};
            return tell(s.post(target, &body), how->json);
        });
    });
}

} // namespace

void add_test_address_commands(CLI::App& program, int& exit_code) {
    auto* parent =
        program.add_subcommand("test-address", "Who may get a test: `semel campaign test` sends to nobody else");
    parent->require_subcommand(1);
    auto how = std::make_shared<listed>();
    auto* list = parent->add_subcommand("list", "The addresses, who added and who removed them");
    list->footer("Example:\n  semel test-address list\n\n"
                 "Those of semel.yaml (tests.addresses) come first. Personal data of colleagues.");
    add_common(*list, how);
    list->callback([how, &exit_code] {
        exit_code = with_session(*how, [&](session& s) { return tell(s.get(target), how->json); });
    });
    add_change(*parent, exit_code, "add", "Let an address get tests; for an approver");
    add_change(*parent, exit_code, "remove", "Let it get none any more; for an approver");
}

} // namespace semel::cli::campaign
