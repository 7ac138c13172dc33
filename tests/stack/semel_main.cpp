// The stack's commands without the rest of the CLI, so that this test needs no service of Semel to be built.
#include <CLI/CLI.hpp>
#include <cli/stack/stack.hpp>

int main(int argc, char** argv) {
    CLI::App app;
    int exit_code = 0;
    semel::cli::stack::add_stack_commands(app, exit_code);
    CLI11_PARSE(app, argc, argv);
    return exit_code;
}
