#include <CLI/CLI.hpp>
#include <cli/stack/plan.hpp>
#include <cli/stack/stack.hpp>

#include <memory>

namespace semel::cli::stack {

namespace {

void add_stack_options(CLI::App& command, stack_options& at) {
    command.add_option("--dir", at.dir, "The stack's folder: config, data, logs, pid files")->capture_default_str();
    command.add_flag("--json", at.json, "Print one JSON document; progress goes to standard error");
}

} // namespace

void add_stack_commands(CLI::App& app, int& exit_code) {
    // The parsed values live as long as the callbacks that use them.
    auto up_with = std::make_shared<up_options>();
    auto* up_command = app.add_subcommand("up", "Start Kafka, Redis, PostgreSQL and all services on this machine");
    add_stack_options(*up_command, up_with->at);
    up_command->add_option("--config", up_with->config, "A semel.yaml to use instead of DIR/config/semel.yaml")
        ->check(CLI::ExistingFile);
    up_command->add_flag("--sim", up_with->sim, "Start the test gateways too: nothing leaves this machine");
    up_command->add_option("--port-base", up_with->port_base, "On the first run: use the ports from here on")
        ->check(CLI::Range(1024, 65'535));
    up_command->footer("Example:\n  semel up --sim\n  semel ps\n\nA second stack beside it:\n  semel up --sim --dir "
                       "/tmp/other --port-base 30000");
    up_command->callback([up_with, &exit_code] { exit_code = up(*up_with); });

    auto down_at = std::make_shared<stack_options>();
    auto* down_command = app.add_subcommand("down", "Drain and stop everything that `up` started");
    add_stack_options(*down_command, *down_at);
    down_command->footer("Example:\n  semel down\n\nData stays: `semel up` goes on where it stopped. To forget "
                         "everything, remove the folder.");
    down_command->callback([down_at, &exit_code] { exit_code = down(*down_at); });

    auto ps_at = std::make_shared<stack_options>();
    auto* ps_command = app.add_subcommand("ps", "List the processes with pid, readiness and age");
    add_stack_options(*ps_command, *ps_at);
    ps_command->footer("Example:\n  semel ps --json | jq '.[] | select(.ready | not)'");
    ps_command->callback([ps_at, &exit_code] { exit_code = ps(*ps_at); });

    struct scaling {
        stack_options at;
        std::string service;
        unsigned processes = 1;
    };
    auto wanted = std::make_shared<scaling>();
    auto* scale_command = app.add_subcommand("scale", "Run N processes of a service");
    add_stack_options(*scale_command, wanted->at);
    scale_command->add_option("SERVICE", wanted->service, "Which service")
        ->required()
        ->check(CLI::IsMember(std::vector<std::string>(service_names.begin(), service_names.end())));
    scale_command->add_option("N", wanted->processes, "How many processes, 0 to 64")
        ->required()
        ->check(CLI::Range(0U, 64U));
    scale_command->footer("Example:\n  semel scale email 3");
    scale_command->callback(
        [wanted, &exit_code] { exit_code = scale(wanted->at, wanted->service, wanted->processes); });
}

} // namespace semel::cli::stack
