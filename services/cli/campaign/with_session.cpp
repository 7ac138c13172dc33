#include "with_session.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>

namespace semel::cli::campaign {

using namespace std::chrono_literals;

base::result<json::value> get_patiently(session& s, const std::string& target, progress& shown) {
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    for (;;) {
        auto answer = s.get(target);
        if (answer || answer.error().what() != base::fault::kind::unreachable ||
            std::chrono::steady_clock::now() > give_up) {
            return answer;
        }
        shown.say("waiting for the api");
        pause_for(500ms);
    }
}

CLI::App* subcommand(CLI::App& of, const std::string& name, const std::string& what, const std::string& example) {
    auto* command = of.add_subcommand(name, what);
    command->footer("Example:\n" + example);
    return command;
}

void add_common(CLI::App& command, const std::shared_ptr<common_options>& into) {
    command.add_option("--dir", into->at.dir, "The local stack's folder [.semel]");
    command
        .add_option("--as", into->at.as,
                    "Which user: takes the token in DIR/config/tokens/USER [operator, or SEMEL_TOKEN's]")
        ->check([](const std::string& name) {
            return name.empty() || name.find('/') != std::string::npos ? "a user's name, such as approver"
                                                                       : std::string{};
        });
    command.add_flag("--json", into->json, "Print one JSON document; progress goes to standard error");
}

void add_purpose(CLI::App& command, purpose_options& into) {
    command.add_option("--reason", into.reason, "Why you look at people; it is recorded with your name and the time");
    command.add_option("--case", into.case_number, "The case that it belongs to, if there is one; recorded as well");
}

std::vector<std::pair<std::string, std::string>> headers_of(const purpose_options& why) {
    std::vector<std::pair<std::string, std::string>> out;
    if (!why.reason.empty()) {
        out.emplace_back("Semel-Reason", http::percent_encode(why.reason));
    }
    if (!why.case_number.empty()) {
        out.emplace_back("Semel-Case", http::percent_encode(why.case_number));
    }
    return out;
}

void add_id(CLI::App& command, std::string& id) {
    command.add_option("ID", id, "The campaign, as `semel campaign create` printed it")->required();
}

} // namespace semel::cli::campaign
