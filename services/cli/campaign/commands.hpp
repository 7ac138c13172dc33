#pragma once
// `semel campaign`, `semel audience`, `semel audit`, `semel in-doubt` and `semel keys`: everything that goes through
// the api. Exit codes are the contract's: 0 done, 1 the thing asked about is bad, 2 wrong usage, 3 a service is not
// reachable.

#include <cli/campaign/place.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace semel::cli::campaign {

/// Adds the four commands. The one that was given sets `exit_code`.
void add_campaign_commands(CLI::App& program, int& exit_code);
void add_audience_commands(CLI::App& program, int& exit_code);
void add_record_commands(CLI::App& program, int& exit_code);
void add_test_address_commands(CLI::App& program, int& exit_code);
void add_user_commands(CLI::App& program, int& exit_code);
/// `semel sessions`.
void add_browser_session_commands(CLI::App& program, int& exit_code);
/// `semel keys`.
void add_key_commands(CLI::App& program, int& exit_code);
/// `semel console`.
void add_console_command(CLI::App& program, int& exit_code);
/// `semel campaign create`.
void add_create(CLI::App& campaign, int& exit_code);
/// `semel campaign approve`.
void add_approve(CLI::App& campaign, int& exit_code);
/// `semel campaign report`.
void add_report(CLI::App& campaign, int& exit_code);

/// `semel audit lookups`.
void add_lookups(CLI::App& audit, int& exit_code);
/// `semel audit decisions`.
void add_decisions(CLI::App& audit, int& exit_code);

/// A command with an example below its help.
CLI::App* subcommand(CLI::App& of, const std::string& name, const std::string& what, const std::string& example);
/// What every one of them takes.
struct common_options {
    place at;
    bool json = false;
};
/// --dir, --as and --json.
void add_common(CLI::App& command, const std::shared_ptr<common_options>&);
/// Why somebody looks at people: recorded with the look.
struct purpose_options {
    std::string reason, case_number;
};
/// --reason and --case.
void add_purpose(CLI::App& command, purpose_options&);
/// Whose part of a record that grows, and which page of it.
struct whose_options : common_options {
    std::string user; // empty, without everybody: one's own
    bool everybody = false;
    std::int64_t before = 0, limit = 100;
};
/// --user, --everybody, --before and --limit. `who`: the role that may ask for others' ("an administrator").
void add_whose(CLI::App& command, const std::shared_ptr<whose_options>&, const std::string& who);
/// The path with what they ask for.
std::string target_of(std::string_view path, const whose_options&);
/// The campaign's id as the first argument.
void add_id(CLI::App& command, std::string& id);

} // namespace semel::cli::campaign
