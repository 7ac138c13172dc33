#include "usage.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spelling/spelling.hpp>

#include <algorithm>
#include <vector>

namespace semel::cli {
namespace {

struct command {
    const CLI::App* app;
    std::string path; // "semel campaign create"
};

/// The innermost command that was recognised.
command reached(const CLI::App& program) {
    command at{&program, program.get_name()};
    for (auto inner = at.app->get_subcommands(); !inner.empty(); inner = at.app->get_subcommands()) {
        at = {inner.front(), at.path + ' ' + inner.front()->get_name()};
    }
    return at;
}

std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> out;
    for (const auto* one : app.get_subcommands([](const CLI::App*) { return true; })) {
        out.push_back(one->get_name());
    }
    return out;
}

std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> out;
    for (const auto* one : app.get_options()) {
        for (const auto& name : one->get_lnames()) {
            out.push_back("--" + name);
        }
    }
    return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    std::string found;
    auto best = static_cast<std::size_t>(-1);
    for (const auto& one : known) {
        if (const auto n = spelling::nearness(word, one); n && *n < best) {
            best = *n;
            found = one;
        }
    }
    return found.empty() ? found : fmt::format("; did you mean {}?", found);
}

/// A word of the command line, which may hold anything.
std::string shown(std::string_view word) {
    constexpr std::size_t most = 60;
    std::string out;
    for (const char c : word.substr(0, most)) {
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return out;
}

std::string unknown(const command& at, const std::string& word) {
    if (word.starts_with('-')) {
        const auto name = word.substr(0, word.find('='));
        return fmt::format("{}: there is no option {}{}", at.path, shown(name), nearest(name, options_of(*at.app)));
    }
    const auto commands = commands_of(*at.app);
    if (commands.empty()) {
        return fmt::format("{}: \"{}\" is one word too many", at.path, shown(word));
    }
    return fmt::format("{}: there is no command \"{}\"{}", at.path, shown(word), nearest(word, commands));
}

} // namespace

std::string explain_usage(const CLI::App& program, const CLI::ParseError& error) {
    const auto at = reached(program);
    const auto left = program.remaining(true);
    const bool has_commands = !commands_of(*at.app).empty();
    // CLI11 says first what is missing, also where a word that it does not know was meant as just that.
    const bool not_known = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
                           dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    std::string text;
    if (not_known && !left.empty()) {
        text = unknown(at, left.front());
    } else if (has_commands) {
        text = fmt::format("{}: say which command", at.path);
    } else {
        text = fmt::format("{}: {}", at.path, error.what());
    }
    const auto* help = has_commands ? "names the commands" : "says what it takes, with an example";
    text += fmt::format("\n`{} --help` {}\n", at.path, help);
    if (at.app == &program && left.empty()) {
        text += "to begin: `semel up --sim` starts everything on this machine, with test gateways\n";
    }
    return text;
}

} // namespace semel::cli
