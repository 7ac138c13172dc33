#pragma once
// What the commands have in common: a session for the options given, and patience with an api that restarts.

#include <cli/campaign/commands.hpp>
#include <cli/campaign/session.hpp>
#include <cli/campaign/terminal.hpp>

#include <string>
#include <utility>
#include <vector>

namespace semel::cli::campaign {

/// `work(session&)` gives the exit code.
template <class Work>
int with_session(const common_options& options, Work work) {
    const auto who = find_account(options.at, environment::of_process());
    if (!who) {
        const int code = fail(who.error());
        return who.error().what() == base::fault::kind::malformed ? 2 : code;
    }
    session s{*who};
    return work(s);
}

/// GET, repeated while the api is away for less than a minute: a process that died is back within seconds.
base::result<json::value> get_patiently(session&, const std::string& target, progress&);

/// As the api takes a purpose with a request that has no body.
std::vector<std::pair<std::string, std::string>> headers_of(const purpose_options&);

} // namespace semel::cli::campaign
