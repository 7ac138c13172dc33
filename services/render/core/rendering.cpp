#include "rendering.hpp"

#include <notice/check.hpp>
#include <notice/compile.hpp>

namespace semel::render {

rendering render(const v1::NoticeSource& source) {
    rendering out;
    out.feedback.set_campaign_id(source.campaign_id());
    auto& compiled = *out.feedback.mutable_compiled();
    compiled.set_notice_digest(source.digest());
    const auto digest = base::as_array<32>(source.digest());
    if (!digest) {
        compiled.add_problems("notice.yaml:1: the notice came without its digest. Mend: upload it again.");
        return out;
    }
    const notice::files folder{source.files().begin(), source.files().end()};
    const auto checked = notice::check(folder);
    if (!checked.ok()) {
        for (const auto& problem : checked.problems) {
            if (problem.how_bad == notice::severity::error) {
                compiled.add_problems(notice::to_text(problem));
            }
        }
        return out;
    }
    for (auto& one : notice::compile(checked.source, *digest)) {
        out.artifacts.push_back({one.ref.artifact(), std::move(one.bytes)});
        *compiled.add_artifacts() = std::move(one.ref);
    }
    return out;
}

} // namespace semel::render
