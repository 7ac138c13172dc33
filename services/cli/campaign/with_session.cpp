#include "with_session.hpp"

#include <http/url.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

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

void add_whose(CLI::App& command, const std::shared_ptr<whose_options>& into, const std::string& who) {
    add_common(command, into);
    auto* user = command.add_option("--user", into->user, "Of this user; for " + who + ", unless it is the own name");
    command.add_flag("--everybody", into->everybody, "Of all users; for " + who)->excludes(user);
    command.add_option("--before", into->before, "Only earlier ones: the number that the page before ended with");
    command.add_option("--limit", into->limit, "So many at most, up to 1,000 [100]");
}

std::string target_of(std::string_view path, const whose_options& how) {
    auto target = fmt::format("{}?limit={}", path, how.limit);
    target += how.before == 0 ? "" : fmt::format("&before={}", how.before);
    target += how.user.empty() ? "" : "&user=" + http::percent_encode(how.user);
    target += how.everybody ? "&everybody=yes" : "";
    return target;
}

void add_id(CLI::App& command, std::string& id) {
    command.add_option("ID", id, "The campaign, as `semel campaign create` printed it")->required();
}

} // namespace semel::cli::campaign
