#pragma once
// Guesses of `notice check` about wording, and the approver who takes them on: by name, with a reason. Pure.

#include <base/fault.hpp>
#include <notice/problem.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace semel::api {

/// Rule id -> the reason that an approver gave.
using accepted_findings = std::map<std::string, std::string>;

/// What an approver says about the notice's findings.
struct acceptance {
    std::vector<std::string> rules;
    std::string reason; // of all of them
};

/// What stands accepted after this approval: the earlier and the new ones. Refuses while a finding is open, a rule is
/// named that found nothing, or no reason is given.
base::result<accepted_findings> accept_findings(std::span<const notice::problem>, const accepted_findings& before,
                                                const acceptance&);

/// What an approval signs of the notice: its digest, and the findings that were accepted with it.
std::string signed_notice(const std::string& notice_digest, const accepted_findings&);

} // namespace semel::api
