#include <api/core/settings.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using testing::HasSubstr;

const auto now = base::from_rfc3339("2026-11-24T00:00:00Z").value();

struct given {
    const char* start = nullptr;
    const char* deadline = nullptr;
    std::uint32_t in_doubt_after_s = 1'800;
    const char* deadline_basis = "";
};

v1::Campaign with(const given& g) {
    v1::Campaign c;
    c.set_start_us(g.start == nullptr ? 0 : base::to_us(base::from_rfc3339(g.start).value()));
    c.set_deadline_us(g.deadline == nullptr ? 0 : base::to_us(base::from_rfc3339(g.deadline).value()));
    c.set_in_doubt_after_s(g.in_doubt_after_s);
    c.set_deadline_basis(g.deadline_basis);
    return c;
}

std::string refusal(const given& g) {
    const auto judged = judge_settings(with(g), now);
    return judged ? std::string{} : judged.error().why();
}

std::vector<std::string> warnings(const given& g) {
    const auto judged = judge_settings(with(g), now);
    EXPECT_TRUE(judged) << judged.error().why();
    return judged ? *judged : std::vector<std::string>{};
}

TEST(Settings, ThatCanNeverSendAreRefusedWithBothTimes) {
    EXPECT_THAT(refusal({.deadline = "2026-11-23T23:59:59Z"}),
                testing::AllOf(HasSubstr("deadline: 2026-11-23T23:59:59Z is past"), HasSubstr("2026-11-24T00:00:00Z")));
    EXPECT_THAT(refusal({.start = "2026-11-26T09:00:00+09:00", .deadline = "2026-11-25T09:00:00+09:00"}),
                HasSubstr("start: 2026-11-26T00:00:00Z is not before the deadline 2026-11-25T00:00:00Z"));
    EXPECT_THAT(refusal({.start = "2026-11-26T00:00:00Z", .deadline = "2026-11-26T09:00:00+09:00"}),
                HasSubstr("not before"))
        << "the same instant in two zones";
}

TEST(Settings, ThatHoldTogetherPassWithoutAWord) {
    EXPECT_TRUE(warnings({}).empty());
    EXPECT_TRUE(warnings({.start = "2026-11-25T00:00:00Z", .deadline = "2026-11-27T00:00:00Z"}).empty());
    EXPECT_TRUE(warnings({.start = "2026-11-23T23:58:00Z"}).empty()) << "now, as the creator's clock has it";
}

TEST(Settings, ThatAreProbablyASlipAreSaid) {
    EXPECT_THAT(warnings({.start = "2026-10-24T00:00:00Z"}), testing::ElementsAre(HasSubstr("is past")));
    EXPECT_THAT(warnings({.start = "2028-11-25T00:00:00Z"}), testing::ElementsAre(HasSubstr("is the year right?")));
    EXPECT_THAT(warnings({.deadline = "2026-11-24T01:00:00Z", .in_doubt_after_s = 7'200}),
                testing::ElementsAre(HasSubstr("until after the deadline")));
    EXPECT_THAT(warnings({.start = "2026-11-26T00:00:00Z", .deadline = "2026-11-26T00:20:00Z"}),
                testing::ElementsAre(HasSubstr("until after the deadline")))
        << "counted from the start";
}

// The law's day was not chosen: late is still better than never.
TEST(Settings, ADeadlineThatTheLawSetMayBePast) {
    EXPECT_TRUE(
        warnings({.deadline = "2026-11-20T00:00:00Z", .deadline_basis = "72 hours after it was known"}).empty());
}

} // namespace
} // namespace semel::api
