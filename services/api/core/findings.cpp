#include "findings.hpp"

#include <crypto/hash.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace semel::api {
namespace {

constexpr std::size_t longest_reason = 500;

auto refused(std::string why) {
    return base::failed(base::fault::kind::permanent, std::move(why));
}

} // namespace

base::result<accepted_findings> accept_findings(std::span<const notice::problem> problems,
                                                const accepted_findings& before, const acceptance& now) {
    const auto none = now.reason.find_first_not_of(" \t\r\n") == std::string::npos;
    if (!now.rules.empty() && (none || now.reason.size() > longest_reason)) {
        return refused(fmt::format("a finding is accepted with a reason of at most {} bytes: say --reason \"...\"",
                                   longest_reason));
    }
    std::set<std::string> found;
    for (const auto& p : problems) {
        if (p.how_bad == notice::severity::finding) {
            found.insert(p.id);
        }
    }
    auto accepted = before;
    for (const auto& rule : now.rules) {
        if (!found.contains(rule)) {
            return refused(fmt::format("the notice has no finding {}: nothing to accept", rule));
        }
        accepted[rule] = now.reason;
    }
    std::erase_if(accepted, [&](const auto& one) { return !found.contains(one.first); });
    std::string open;
    for (const auto& p : problems) {
        if (p.how_bad == notice::severity::finding && !accepted.contains(p.id)) {
            open += '\n' + notice::to_text(p);
        }
    }
    if (!open.empty()) {
        return refused("the notice has findings that nobody has taken on: change the text, or accept each by its "
                       "rule: --accept RULE --reason \"...\"" +
                       open);
    }
    return accepted;
}

std::string signed_notice(const std::string& notice_digest, const accepted_findings& accepted) {
    if (accepted.empty()) {
        return notice_digest;
    }
    crypto::hasher all;
    all.update(notice_digest);
    for (const auto& [rule, reason] : accepted) {
        all.update(fmt::format("|{}:{}{}:{}", rule.size(), rule, reason.size(), reason));
    }
    return std::string{base::as_view(all.finish())};
}

} // namespace semel::api
