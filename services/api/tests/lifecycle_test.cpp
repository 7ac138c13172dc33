#include <api/core/lifecycle.hpp>
#include <gtest/gtest.h>

using namespace semel;

namespace {

const auto now = base::from_rfc3339("2026-11-24T00:00:00Z").value();

v1::Campaign a_draft() {
    v1::Campaign c;
    c.set_id("c-test");
    c.set_version(1);
    c.set_phase(v1::CAMPAIGN_DRAFT);
    c.set_notice_digest("notice");
    c.add_artifacts()->set_locale("ko");
    return c;
}

v1::ImportResult an_import(std::uint32_t upload) {
    v1::ImportResult r;
    r.set_upload(upload);
    r.set_rows(10);
    auto* span = r.add_spans();
    span->set_partition(0);
    span->set_end_offset(5);
    span->set_chunks(1);
    return r;
}

std::map<std::uint32_t, api::wave_plan> a_plan(std::uint32_t wave) {
    return {{wave, {.recipients = 10, .unreachable = 0, .addresses = {{"email", 10}}, .registered = {{0, 5}}}}};
}

v1::Campaign registered() {
    auto c = api::seal(api::wave_imported(a_draft(), an_import(1), "file").value()).value();
    return api::wave_registered(c, 1).value();
}

const api::user by_operator{.name = "operator", .roles = {api::role::operator_}};
const api::user approver{.name = "approver", .roles = {api::role::approver}};

/// By somebody who looks at what waits and approves just that.
base::result<api::approved> approve_as_shown(const v1::Campaign& c,
                                             const std::map<std::uint32_t, api::wave_plan>& plans,
                                             const std::vector<api::approval>& before, const std::string& creator,
                                             const api::user& who) {
    const auto waiting = api::what_to_approve(c, plans, before);
    return api::approve(c, plans, before, creator, who, waiting ? waiting->shown : api::sight{});
}

} // namespace

TEST(Lifecycle, ACampaignGoesFromDraftToRunningInOrder) {
    EXPECT_FALSE(api::seal(a_draft())) << "nothing to seal";
    const auto c = registered();
    EXPECT_EQ(api::to_string(c.phase()), "sealed");
    const auto ok = approve_as_shown(c, a_plan(1), {}, "operator", approver).value();
    EXPECT_EQ(api::to_string(ok.campaign.phase()), "approved");
    const auto running = api::launch(ok.campaign, a_plan(1), {ok.approval}, now).value();
    EXPECT_EQ(api::to_string(running.phase()), "running");
    EXPECT_EQ(running.planned_at_us(), base::to_us(now));
    EXPECT_GT(running.version(), c.version());
    EXPECT_EQ(api::finish(running).value().phase(), v1::CAMPAIGN_FINISHED);
}

TEST(Lifecycle, CreatorAndApproverDiffer) {
    const auto same =
        approve_as_shown(registered(), a_plan(1), {}, "operator", {.name = "operator", .roles = {api::role::approver}});
    ASSERT_FALSE(same);
    EXPECT_NE(same.error().why().find("another user"), std::string::npos);
}

TEST(Lifecycle, AWaveThatIsStillBeingRegisteredIsWaitedFor) {
    const auto c = api::seal(api::wave_imported(a_draft(), an_import(1), "file").value()).value();
    const auto early = approve_as_shown(c, {}, {}, "operator", approver);
    ASSERT_FALSE(early);
    EXPECT_TRUE(early.error().retryable());
}

TEST(Lifecycle, AnyChangeOfWhatWasApprovedVoidsTheApproval) {
    const auto ok = approve_as_shown(registered(), a_plan(1), {}, "operator", approver).value();
    ASSERT_TRUE(api::launch(ok.campaign, a_plan(1), {ok.approval}, now));

    auto other_notice = ok.campaign;
    other_notice.set_notice_digest("another");
    EXPECT_FALSE(api::launch(other_notice, a_plan(1), {ok.approval}, now));

    auto other_audience = ok.campaign;
    other_audience.mutable_waves(0)->mutable_spans(0)->set_digest("another");
    EXPECT_FALSE(api::launch(other_audience, a_plan(1), {ok.approval}, now));

    auto other_plan = a_plan(1);
    other_plan[1].recipients = 11;
    EXPECT_FALSE(api::launch(ok.campaign, other_plan, {ok.approval}, now));
    EXPECT_FALSE(api::launch(ok.campaign, a_plan(1), {}, now));
}

TEST(Lifecycle, AVoidApprovalCanBeGivenAnewAndAStandingOneIsNotRepeated) {
    const auto ok = approve_as_shown(registered(), a_plan(1), {}, "operator", approver).value();
    EXPECT_FALSE(approve_as_shown(ok.campaign, a_plan(1), {ok.approval}, "operator", approver));
    auto other_plan = a_plan(1);
    other_plan[1].unreachable = 1;
    const auto again = approve_as_shown(ok.campaign, other_plan, {ok.approval}, "operator", approver).value();
    EXPECT_TRUE(api::launch(again.campaign, other_plan, {again.approval, ok.approval}, now));
}

TEST(Lifecycle, ALaterWaveIsApprovedAloneWhileTheFirstRuns) {
    const auto ok = approve_as_shown(registered(), a_plan(1), {}, "operator", approver).value();
    const auto running = api::launch(ok.campaign, a_plan(1), {ok.approval}, now).value();
    auto c = api::wave_imported(running, an_import(2), "file2").value();
    c = api::wave_registered(api::seal(c).value(), 2).value();
    EXPECT_EQ(c.phase(), v1::CAMPAIGN_RUNNING) << "the first wave runs on";
    auto plans = a_plan(1);
    plans.merge(a_plan(2));
    const auto second = approve_as_shown(c, plans, {}, "operator", approver).value();
    EXPECT_EQ(second.approval.waves, std::vector<std::uint32_t>{2});
    const auto both = api::launch(second.campaign, plans, {ok.approval, second.approval}, now).value();
    EXPECT_EQ(both.waves(1).phase(), v1::WAVE_LAUNCHED);
}

TEST(Lifecycle, APausedCampaignStaysPausedWhenAWaveIsLaunched) {
    const auto ok = approve_as_shown(registered(), a_plan(1), {}, "operator", approver).value();
    auto c = api::pause(api::launch(ok.campaign, a_plan(1), {ok.approval}, now).value()).value();
    EXPECT_FALSE(api::pause(c));
    EXPECT_EQ(api::resume(c).value().phase(), v1::CAMPAIGN_RUNNING);
    const auto gone = api::cancel(c).value();
    EXPECT_FALSE(api::cancel(gone));
    EXPECT_FALSE(api::seal(gone));
}

TEST(Lifecycle, NothingIsLaunchedAfterItsDeadline) {
    auto ok = approve_as_shown(registered(), a_plan(1), {}, "operator", approver).value();
    ok.campaign.set_deadline_us(base::to_us(now));
    EXPECT_FALSE(api::launch(ok.campaign, a_plan(1), {ok.approval}, now));
    ok.campaign.set_deadline_basis("nobody chose it");
    const auto late = api::launch(ok.campaign, a_plan(1), {ok.approval}, now).value();
    EXPECT_EQ(base::from_us(late.deadline_us()), now + std::chrono::days{7}) << "a late notice must still go out";
}

TEST(Lifecycle, AnUploadThatEndsLaterIsTheLaterWave) {
    auto c = api::wave_imported(a_draft(), an_import(2), "small").value();
    EXPECT_EQ(c.waves(0).number(), 1U);
    EXPECT_EQ(c.waves(0).upload(), 2U);
    c = api::wave_registered(api::seal(c).value(), 1).value();
    const auto ok = approve_as_shown(c, a_plan(1), {}, "operator", approver).value();
    const auto running = api::launch(ok.campaign, a_plan(1), {ok.approval}, now).value();
    c = api::wave_imported(running, an_import(1), "big").value();
    EXPECT_EQ(c.waves(1).number(), 2U) << "it comes after the one that is being told already";
    EXPECT_EQ(c.waves(1).upload(), 1U);
    EXPECT_FALSE(api::wave_imported(c, an_import(1), "big")) << "told twice, it is one wave";
}

TEST(Lifecycle, AWaveOfAnOlderVersionHasTheNumberOfItsUpload) {
    auto c = api::wave_imported(a_draft(), an_import(1), "file").value();
    c.mutable_waves(0)->clear_upload();
    EXPECT_FALSE(api::wave_imported(c, an_import(1), "file"));
    EXPECT_EQ(api::wave_imported(c, an_import(2), "file2").value().waves(1).number(), 2U);
}

TEST(Lifecycle, AWaveBelowALaunchedOneIsNotSealed) {
    auto c = api::wave_imported(a_draft(), an_import(1), "file").value();
    c = api::wave_imported(c, an_import(2), "file2").value();
    c.mutable_waves(1)->set_phase(v1::WAVE_LAUNCHED);
    c.set_phase(v1::CAMPAIGN_RUNNING);
    const auto sealed = api::seal(c);
    ASSERT_FALSE(sealed);
    EXPECT_NE(sealed.error().why().find("semel audience drop c-test 1"), std::string::npos) << sealed.error().why();
    EXPECT_FALSE(api::seal(api::drop_wave(c, 1, "operator", by_operator).value())) << "nothing is left to seal";
}

TEST(Lifecycle, AWaveIsDroppedUntilItIsLaunched) {
    const auto c = registered();
    const auto gone = api::drop_wave(c, 1, "operator", by_operator).value();
    EXPECT_TRUE(api::is_dropped(gone.waves(0)));
    EXPECT_EQ(gone.phase(), v1::CAMPAIGN_DRAFT) << "nothing of it is left";
    EXPECT_GT(gone.version(), c.version());
    EXPECT_FALSE(api::drop_wave(gone, 1, "operator", by_operator));
    EXPECT_FALSE(api::drop_wave(c, 2, "operator", by_operator)) << "there is no such wave";
    EXPECT_FALSE(approve_as_shown(gone, a_plan(1), {}, "operator", approver)) << "nothing to approve";
    EXPECT_FALSE(api::wave_registered(gone, 1)) << "plan may still tell of it";
    EXPECT_EQ(api::wave_imported(gone, an_import(2), "file").value().waves(1).number(), 2U)
        << "its number is not reused";

    const auto ok = approve_as_shown(c, a_plan(1), {}, "operator", approver).value();
    const auto running = api::launch(ok.campaign, a_plan(1), {ok.approval}, now).value();
    EXPECT_FALSE(api::drop_wave(running, 1, "operator", approver));
    EXPECT_TRUE(api::wholly_launched(running));
    const auto more = api::wave_imported(running, an_import(2), "file2").value();
    EXPECT_FALSE(api::wholly_launched(more));
    const auto less = api::drop_wave(more, 2, "operator", by_operator).value();
    EXPECT_EQ(less.phase(), v1::CAMPAIGN_RUNNING);
    EXPECT_TRUE(api::wholly_launched(less)) << "nothing is waited for";
}

TEST(Lifecycle, AnApprovedWaveIsDroppedByAnApproverOnly) {
    const auto ok = approve_as_shown(registered(), a_plan(1), {}, "operator", approver).value().campaign;
    EXPECT_FALSE(api::drop_wave(ok, 1, "operator", by_operator));
    EXPECT_FALSE(api::drop_wave(ok, 1, "boss", {.name = "boss", .roles = {api::role::approver}}))
        << "nor by its creator";
    EXPECT_EQ(api::drop_wave(ok, 1, "operator", approver).value().phase(), v1::CAMPAIGN_DRAFT);
}

TEST(Lifecycle, AnApprovalOfSeveralWavesStandsWhenOneIsDropped) {
    auto c = api::wave_imported(a_draft(), an_import(1), "file").value();
    c = api::seal(api::wave_imported(c, an_import(2), "file2").value()).value();
    c = api::wave_registered(api::wave_registered(c, 1).value(), 2).value();
    auto plans = a_plan(1);
    plans.merge(a_plan(2));
    const auto ok = approve_as_shown(c, plans, {}, "operator", approver).value();
    const auto one = api::drop_wave(ok.campaign, 1, "operator", approver).value();
    EXPECT_EQ(one.phase(), v1::CAMPAIGN_APPROVED);
    const auto running = api::launch(one, plans, {ok.approval}, now).value();
    EXPECT_EQ(running.waves(0).phase(), v1::WAVE_DROPPED);
    EXPECT_EQ(running.waves(1).phase(), v1::WAVE_LAUNCHED);
}

TEST(Lifecycle, AWaveIsRegisteredWhenEverySpanIs) {
    v1::Wave wave;
    for (std::uint32_t p = 0; p < 2; ++p) {
        auto* span = wave.add_spans();
        span->set_partition(p);
        span->set_chunks(1);
        span->set_end_offset(7);
    }
    EXPECT_FALSE(
        api::fully_registered(wave, {.recipients = 0, .unreachable = 0, .addresses = {}, .registered = {{0, 7}}}));
    EXPECT_TRUE(api::fully_registered(
        wave, {.recipients = 0, .unreachable = 0, .addresses = {}, .registered = {{0, 7}, {1, 7}}}));
}
