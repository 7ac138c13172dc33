#pragma once
// The life of a campaign: which step is allowed when, and what it changes. Pure: takes a state and gives the next one
// or says why not. Whatever is returned becomes the next record of `control`.

#include <base/fault.hpp>
#include <base/time.hpp>
#include <semel/v1/audience.pb.h>
#include <semel/v1/campaign.pb.h>

#include <api/core/access.hpp>
#include <api/core/approval.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace semel::api {

using step = base::result<v1::Campaign>;

/// A wave comes to be: intake has written the upload. It gets the next number here and nowhere else. So waves are
/// numbered in the order in which they became known: of two uploads that cross, the one that ends later is the later
/// wave.
step wave_imported(const v1::Campaign&, const v1::ImportResult&, const std::string& file_digest);
step notice_compiled(const v1::Campaign&, const v1::NoticeCompiled&);
/// All imported waves that are not sealed yet.
step seal(const v1::Campaign&);
/// Every span of the wave has been registered.
step wave_registered(const v1::Campaign&, std::uint32_t wave);
bool fully_registered(const v1::Wave&, const wave_plan&);

/// What waits for an approval: the registered waves, and approved ones whose approval is void. Refuses while a sealed
/// one is not registered, and when nothing waits.
base::result<approvable> what_to_approve(const v1::Campaign&, const std::map<std::uint32_t, wave_plan>&,
                                         const std::vector<approval>& before);
/// access::step::approve: who may not is told so before looking at every text.
base::result<void> may_approve(const v1::Campaign&, const std::string& creator, const user& who);
/// What was seen must be what waits: else it says what changed.
struct approved {
    v1::Campaign campaign;
    api::approval approval;
};
base::result<approved> approve(const v1::Campaign&, const std::map<std::uint32_t, wave_plan>&,
                               const std::vector<approval>& before, const std::string& creator, const user& who,
                               const sight& seen, const accepted_findings& = {});
/// Computes anew what the approval was bound to and compares. `approvals`: newest first.
step launch(const v1::Campaign&, const std::map<std::uint32_t, wave_plan>&, const std::vector<approval>&,
            base::timestamp now);
step pause(const v1::Campaign&);
step resume(const v1::Campaign&);
step cancel(const v1::Campaign&);
/// Discards a wave that is not launched. What was approved is not an operator's to take back: that is
/// access::step::drop_approved_wave.
step drop_wave(const v1::Campaign&, std::uint32_t wave, const std::string& creator, const user& who);
/// access::step::decide_doubts. A second copy, or none, is never one person's decision.
base::result<void> may_decide_doubts(const v1::Campaign&, const std::string& creator, const user& who);
/// Nothing is outstanding any more.
step finish(const v1::Campaign&);

/// It was dropped: nobody reads its records, and nothing counts its rows.
bool is_dropped(const v1::Wave&);
/// Every wave that counts is launched: the others are work to come, or what a launch left behind.
bool wholly_launched(const v1::Campaign&);

/// "draft", "sealed", ... as the contract names them.
std::string to_string(v1::CampaignPhase);
std::string to_string(v1::WavePhase);

} // namespace semel::api
