#include <api/core/deadline.hpp>
#include <api/core/lifecycle.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const auto now = base::from_rfc3339("2026-11-24T00:00:00Z").value();

notice::notice_source learned(base::duration ago, std::vector<std::string> jurisdictions = {"KR-PIPA"}) {
    notice::notice_source source;
    source.jurisdictions = std::move(jurisdictions);
    source.aware_at = now - ago;
    return source;
}

v1::Campaign with_default(const notice::notice_source& source, v1::Campaign c = {}) {
    set_default_deadline(c, source, now);
    return c;
}

base::duration left(const v1::Campaign& c) {
    return base::from_us(c.deadline_us()) - now;
}

TEST(Deadline, IsTheLawsWhereAJurisdictionCountsInHours) {
    const auto c = with_default(learned(10h));
    EXPECT_EQ(left(c), 62h);
    EXPECT_EQ(c.deadline_basis(), "72 hours after aware_at, by KR-PIPA");
    EXPECT_EQ(left(with_default(learned(10h, {"EU-GDPR", "KR-PIPA"}))), 62h);
}

TEST(Deadline, IsSevenDaysWhereTheLawCountsInNoHours) {
    for (const auto& none : {learned(10h, {"EU-GDPR"}), learned(10h, {"UK-GDPR"}), learned(10h, {})}) {
        EXPECT_EQ(left(with_default(none)), 24h * 7);
        EXPECT_THAT(with_default(none).deadline_basis(), HasSubstr("7 days after the creation"));
    }
    auto later_fact = learned(10h);
    later_fact.kind = notice::kind::supplement;
    EXPECT_EQ(left(with_default(later_fact)), 24h * 7) << "to be told at once, not within hours of the first day";
}

TEST(Deadline, OfALawThatIsMissedOrNearlySoDoesNotKeepTheNoticeBack) {
    for (const auto ago : {base::duration{49h}, base::duration{72h}, base::duration{262h}}) {
        const auto c = with_default(learned(ago));
        EXPECT_EQ(left(c), 24h * 7);
        EXPECT_THAT(c.deadline_basis(), HasSubstr("KR-PIPA"));
    }
    EXPECT_EQ(left(with_default(learned(48h))), 24h);
}

TEST(Deadline, CountsFromALaterStart) {
    v1::Campaign c;
    c.set_start_us(base::to_us(now + 72h));
    EXPECT_EQ(left(with_default(learned(10h), c)), 72h + 24h * 7) << "the law's would end it before it began";
    EXPECT_THAT(with_default(learned(10h), c).deadline_basis(), HasSubstr("after the start"));
}

TEST(Deadline, ThatWasChosenIsNeitherReplacedNorRenewed) {
    v1::Campaign c;
    c.set_deadline_us(base::to_us(now + 1h));
    c = with_default(learned(10h), c);
    renew_default_deadline(c, now);
    EXPECT_EQ(left(c), 1h);
    EXPECT_EQ(c.deadline_basis(), "");
}

TEST(Deadline, ThatNobodyChoseLeavesADayAtEveryLaunch) {
    auto c = with_default(learned(300h));
    const auto before = c;
    renew_default_deadline(c, now + 24h * 6);
    EXPECT_EQ(c.deadline_us(), before.deadline_us()) << "a day is left";
    renew_default_deadline(c, now + 24h * 6 + 1s);
    EXPECT_EQ(left(c), 24h * 13 + 1s);
    EXPECT_THAT(c.deadline_basis(), HasSubstr("7 days after the launch"));
    renew_default_deadline(c, now + 24h * 30);
    EXPECT_EQ(left(c), 24h * 37) << "people who turn up weeks later are told as well";
}

TEST(Deadline, OfTheLawIsWarnedAboutWhenItIsMissedOrNotWatched) {
    EXPECT_EQ(legal_warning(learned(10h), with_default(learned(10h)), now), std::nullopt);
    EXPECT_EQ(legal_warning(learned(400h, {"EU-GDPR"}), {}, now), std::nullopt);
    EXPECT_THAT(legal_warning(learned(77h + 30min), {}, now).value(),
                HasSubstr("within 72 hours of aware_at, by 2026-11-23T18:30:00Z: missed by 5 hours"));
    EXPECT_THAT(legal_warning(learned(60h), with_default(learned(60h)), now).value(), HasSubstr("in 12 hours"));
}

} // namespace
} // namespace semel::api
