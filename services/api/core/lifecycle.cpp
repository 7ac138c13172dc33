#include "lifecycle.hpp"

#include "deadline.hpp"

#include <wire/uploads.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace semel::api {
namespace {

using base::failed;
using base::fault;

std::unexpected<fault> refused(std::string why) {
    return failed(fault::kind::permanent, std::move(why));
}

v1::Campaign next_version(const v1::Campaign& c) {
    v1::Campaign next = c;
    next.set_version(c.version() + 1);
    return next;
}

v1::Wave* find_wave(v1::Campaign& c, std::uint32_t number) {
    for (auto& w : *c.mutable_waves()) {
        if (w.number() == number) {
            return &w;
        }
    }
    return nullptr;
}

bool over(const v1::Campaign& c) {
    return c.phase() == v1::CAMPAIGN_CANCELLED || c.phase() == v1::CAMPAIGN_FINISHED;
}

std::uint32_t highest_number(const v1::Campaign& c, auto&& counts) {
    std::uint32_t highest = 0;
    for (const auto& wave : c.waves()) {
        highest = counts(wave) ? std::max(highest, wave.number()) : highest;
    }
    return highest;
}

bool any_is(const v1::Campaign& c, std::initializer_list<v1::WavePhase> phases) {
    return std::ranges::any_of(
        c.waves(), [&](const v1::Wave& wave) { return std::ranges::find(phases, wave.phase()) != phases.end(); });
}

/// A step that takes two people. `what`: the end of "X created campaign C and cannot ...".
base::result<void> ask_for_two(access::step s, const v1::Campaign& c, const std::string& creator, const user& who,
                               std::string_view what) {
    switch (access::judge(s, who, creator)) {
    case access::ruling::allowed:
        return {};
    case access::ruling::another_person:
        return refused(fmt::format("{} created campaign {} and cannot {} must (--as approver)", creator, c.id(), what));
    case access::ruling::reading_only:
        return refused(who.name + " asks with a token that only reads");
    case access::ruling::another_role:
    case access::ruling::own_only:
    case access::ruling::sign_in_anew: // asked at the route, before it is known who made what
        break;
    }
    return refused(fmt::format("{} may not do this with campaign {}: ask a user with the role {}", who.name, c.id(),
                               access::who_may(s)));
}

std::unexpected<fault> refuse_over(const v1::Campaign& c, std::string_view what) {
    return refused(fmt::format("campaign {} is {}: {} is not possible any more", c.id(), to_string(c.phase()), what));
}

} // namespace

std::string to_string(v1::CampaignPhase phase) {
    switch (phase) {
    case v1::CAMPAIGN_DRAFT:
        return "draft";
    case v1::CAMPAIGN_SEALED:
        return "sealed";
    case v1::CAMPAIGN_APPROVED:
        return "approved";
    case v1::CAMPAIGN_RUNNING:
        return "running";
    case v1::CAMPAIGN_PAUSED:
        return "paused";
    case v1::CAMPAIGN_FINISHED:
        return "finished";
    case v1::CAMPAIGN_CANCELLED:
        return "cancelled";
    default:
        return "unknown";
    }
}

std::string to_string(v1::WavePhase phase) {
    switch (phase) {
    case v1::WAVE_IMPORTED:
        return "imported";
    case v1::WAVE_SEALED:
        return "sealed";
    case v1::WAVE_REGISTERED:
        return "registered";
    case v1::WAVE_APPROVED:
        return "approved";
    case v1::WAVE_LAUNCHED:
        return "launched";
    case v1::WAVE_DROPPED:
        return "dropped";
    default:
        return "unknown";
    }
}

step wave_imported(const v1::Campaign& c, const v1::ImportResult& result, const std::string& file_digest) {
    auto next = next_version(c);
    const auto same = [&](const v1::Wave& wave) { return wire::upload_of(wave) == result.upload(); };
    if (std::ranges::any_of(c.waves(), same)) {
        return refused(fmt::format("upload {} of {} is a wave already", result.upload(), c.id()));
    }
    auto* wave = next.add_waves();
    wave->set_number(highest_number(c, [](const v1::Wave&) { return true; }) + 1);
    wave->set_upload(result.upload());
    wave->set_phase(v1::WAVE_IMPORTED);
    wave->set_rows(result.rows());
    wave->set_rejected(result.rejected());
    wave->set_file_digest(file_digest);
    *wave->mutable_spans() = result.spans();
    if (next.phase() == v1::CAMPAIGN_FINISHED) {
        next.set_phase(v1::CAMPAIGN_RUNNING); // people found later: the campaign has work again
    }
    return next;
}

step notice_compiled(const v1::Campaign& c, const v1::NoticeCompiled& compiled) {
    if (compiled.notice_digest() != c.notice_digest()) {
        return refused("the compiled notice is not the campaign's");
    }
    auto next = next_version(c);
    *next.mutable_artifacts() = compiled.artifacts();
    return next;
}

step seal(const v1::Campaign& c) {
    if (over(c)) {
        return refuse_over(c, "seal");
    }
    auto next = next_version(c);
    std::size_t sealed = 0;
    const auto launched = highest_number(c, [](const v1::Wave& w) { return w.phase() == v1::WAVE_LAUNCHED; });
    for (auto& wave : *next.mutable_waves()) {
        if (wave.phase() == v1::WAVE_IMPORTED) {
            if (wave.number() < launched) { // as older versions numbered them
                return refused(fmt::format("wave {0} of {1} would come before wave {2}, which was launched without it: "
                                           "drop it (`semel audience drop {1} {0}`) and add its file again",
                                           wave.number(), c.id(), launched));
            }
            wave.set_phase(v1::WAVE_SEALED);
            ++sealed;
        }
    }
    if (sealed == 0) {
        return refused(fmt::format(
            "campaign {} has no imported wave to seal; add one with `semel audience add {} FILE`", c.id(), c.id()));
    }
    if (next.phase() == v1::CAMPAIGN_DRAFT || next.phase() == v1::CAMPAIGN_APPROVED) {
        next.set_phase(v1::CAMPAIGN_SEALED);
    }
    return next;
}

bool fully_registered(const v1::Wave& wave, const wave_plan& plan) {
    return std::ranges::all_of(wave.spans(), [&](const v1::AudienceSpan& span) {
        const auto found = plan.registered.find(span.partition());
        return span.chunks() == 0 || (found != plan.registered.end() && found->second == span.end_offset());
    });
}

step wave_registered(const v1::Campaign& c, std::uint32_t number) {
    auto next = next_version(c);
    auto* wave = find_wave(next, number);
    if (wave == nullptr || wave->phase() != v1::WAVE_SEALED) {
        return refused(fmt::format("wave {} of {} is not waiting to be registered", number, c.id()));
    }
    wave->set_phase(v1::WAVE_REGISTERED);
    return next;
}

namespace {

/// The newest approval of the wave, held against what it was bound to.
bool approval_stands(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
                     const std::vector<approval>& approvals, std::uint32_t wave) {
    const auto covering = std::ranges::find_if(
        approvals, [&](const approval& a) { return std::ranges::find(a.waves, wave) != a.waves.end(); });
    return covering != approvals.end() &&
           covering->notice_digest == signed_notice(c.notice_digest(), covering->accepted) &&
           covering->audience_digest == audience_digest(c, covering->waves) &&
           covering->plan_digest == plan_digest(plans, covering->waves);
}

} // namespace

base::result<approvable> what_to_approve(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
                                         const std::vector<approval>& before) {
    if (over(c)) {
        return refuse_over(c, "approve");
    }
    if (c.artifacts().empty()) {
        return failed(fault::kind::transient,
                      fmt::format("the notice of {} is still being compiled; try again", c.id()));
    }
    approvable out;
    for (const auto& wave : c.waves()) {
        if (wave.phase() == v1::WAVE_SEALED) {
            return failed(fault::kind::transient,
                          fmt::format("wave {} of {} is still being registered; try again", wave.number(), c.id()));
        }
        const bool void_by_now = wave.phase() == v1::WAVE_APPROVED && !approval_stands(c, plans, before, wave.number());
        if (wave.phase() == v1::WAVE_REGISTERED || void_by_now) {
            out.waves.push_back(wave.number());
        }
    }
    if (out.waves.empty()) {
        return refused(fmt::format("campaign {} has nothing to approve; seal a wave first: `semel campaign seal {}`",
                                   c.id(), c.id()));
    }
    out.shown = {
        .notice = c.notice_digest(), .audience = audience_digest(c, out.waves), .plan = plan_digest(plans, out.waves)};
    return out;
}

base::result<void> may_approve(const v1::Campaign& c, const std::string& creator, const user& who) {
    return ask_for_two(access::step::approve, c, creator, who, "approve it too; another user");
}

base::result<approved> approve(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
                               const std::vector<approval>& before, const std::string& creator, const user& who,
                               const sight& seen, const accepted_findings& accepted) {
    if (over(c)) {
        return refuse_over(c, "approve");
    }
    if (const auto ok = may_approve(c, creator, who); !ok) {
        return failed(ok.error());
    }
    const auto waiting = what_to_approve(c, plans, before);
    if (!waiting) {
        return failed(waiting.error());
    }
    if (seen != waiting->shown) {
        return refused(what_changed(c, plans, seen, *waiting));
    }
    approved out{.campaign = next_version(c),
                 .approval = {.notice_digest = signed_notice(c.notice_digest(), accepted),
                              .audience_digest = seen.audience,
                              .plan_digest = seen.plan,
                              .approver = who.name,
                              .waves = waiting->waves,
                              .accepted = accepted}};
    for (const auto number : waiting->waves) {
        find_wave(out.campaign, number)->set_phase(v1::WAVE_APPROVED);
    }
    if (c.phase() == v1::CAMPAIGN_SEALED) {
        out.campaign.set_phase(v1::CAMPAIGN_APPROVED);
    }
    return out;
}

step launch(const v1::Campaign& c, const std::map<std::uint32_t, wave_plan>& plans,
            const std::vector<approval>& approvals, base::timestamp now) {
    if (over(c)) {
        return refuse_over(c, "launch");
    }
    auto next = next_version(c);
    renew_default_deadline(next, now);
    if (next.deadline_us() != 0 && base::from_us(next.deadline_us()) <= now) {
        return refused(fmt::format("the deadline of {} has passed; nothing would be sent", c.id()));
    }
    std::size_t launched = 0;
    for (auto& wave : *next.mutable_waves()) {
        if (wave.phase() != v1::WAVE_APPROVED) {
            continue;
        }
        if (!approval_stands(c, plans, approvals, wave.number())) {
            return refused(fmt::format("what was approved for wave {} of {} has changed since; the approval is void, "
                                       "approve it again",
                                       wave.number(), c.id()));
        }
        wave.set_phase(v1::WAVE_LAUNCHED);
        ++launched;
    }
    if (launched == 0) {
        return refused(
            fmt::format("campaign {} has no approved wave to launch (it is {}); approve first: `semel campaign "
                        "approve {} --as approver`",
                        c.id(), to_string(c.phase()), c.id()));
    }
    if (next.phase() != v1::CAMPAIGN_PAUSED) {
        next.set_phase(v1::CAMPAIGN_RUNNING);
    }
    if (next.planned_at_us() == 0) {
        next.set_planned_at_us(base::to_us(now)); // pins Date and Message-ID of every attempt
    }
    return next;
}

step pause(const v1::Campaign& c) {
    if (c.phase() != v1::CAMPAIGN_RUNNING) {
        return refused(fmt::format("campaign {} is {}, not running", c.id(), to_string(c.phase())));
    }
    auto next = next_version(c);
    next.set_phase(v1::CAMPAIGN_PAUSED);
    return next;
}

step resume(const v1::Campaign& c) {
    if (c.phase() != v1::CAMPAIGN_PAUSED) {
        return refused(fmt::format("campaign {} is {}, not paused", c.id(), to_string(c.phase())));
    }
    auto next = next_version(c);
    next.set_phase(v1::CAMPAIGN_RUNNING);
    if (next.has_halt()) { // an operator's word; what was judged is not judged again
        next.mutable_halt()->clear_halted_us();
        next.mutable_halt()->clear_why();
    }
    return next;
}

step cancel(const v1::Campaign& c) {
    if (over(c)) {
        return refuse_over(c, "cancel");
    }
    auto next = next_version(c);
    next.set_phase(v1::CAMPAIGN_CANCELLED);
    return next;
}

step drop_wave(const v1::Campaign& c, std::uint32_t number, const std::string& creator, const user& who) {
    if (over(c)) {
        return refuse_over(c, "drop");
    }
    auto next = next_version(c);
    auto* wave = find_wave(next, number);
    if (wave == nullptr || is_dropped(*wave)) {
        return refused(wave == nullptr ? fmt::format("campaign {} has no wave {}", c.id(), number)
                                       : fmt::format("wave {} of {} is dropped already", number, c.id()));
    }
    if (wave->phase() == v1::WAVE_LAUNCHED) {
        return refused(fmt::format("wave {} of {} is launched: its people are being told. `semel campaign pause {}` "
                                   "holds the campaign, `cancel` ends it",
                                   number, c.id(), c.id()));
    }
    if (wave->phase() == v1::WAVE_APPROVED &&
        access::judge(access::step::drop_approved_wave, who, creator) != access::ruling::allowed) {
        return refused(fmt::format("wave {} of {} is approved: an approver who did not create the campaign must drop "
                                   "it (--as approver)",
                                   number, c.id()));
    }
    wave->set_phase(v1::WAVE_DROPPED);
    if (next.phase() == v1::CAMPAIGN_SEALED || next.phase() == v1::CAMPAIGN_APPROVED) {
        next.set_phase(any_is(next, {v1::WAVE_SEALED, v1::WAVE_REGISTERED}) ? v1::CAMPAIGN_SEALED
                       : any_is(next, {v1::WAVE_APPROVED})                  ? v1::CAMPAIGN_APPROVED
                                                                            : v1::CAMPAIGN_DRAFT);
    }
    return next;
}

bool is_dropped(const v1::Wave& wave) {
    return wave.phase() == v1::WAVE_DROPPED;
}

bool wholly_launched(const v1::Campaign& c) {
    return std::ranges::all_of(c.waves(),
                               [](const v1::Wave& w) { return is_dropped(w) || w.phase() == v1::WAVE_LAUNCHED; });
}

base::result<void> may_decide_doubts(const v1::Campaign& c, const std::string& creator, const user& who) {
    return ask_for_two(access::step::decide_doubts, c, creator, who, "decide about its doubts alone; another approver");
}

step finish(const v1::Campaign& c) {
    if (c.phase() != v1::CAMPAIGN_RUNNING) {
        return refused(fmt::format("campaign {} is {}, not running", c.id(), to_string(c.phase())));
    }
    auto next = next_version(c);
    next.set_phase(v1::CAMPAIGN_FINISHED);
    return next;
}

} // namespace semel::api
