#include <api/core/findings.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

const std::vector<notice::problem> problems{
    {"email.ko.md", 1, notice::severity::finding, "KR-W3", "it must say so", "say so"},
    {"sms.ko.txt", 1, notice::severity::finding, "KR-W3", "it must say so", "say so"},
    {"sms.ko.txt", 1, notice::severity::finding, "KR-W1", "it says the other word", "say the one"},
    {"sms.ko.txt", 2, notice::severity::warning, "KR-W2", "it plays down", "do not"}};

std::string refusal(const accepted_findings& before, const acceptance& now) {
    const auto accepted = accept_findings(problems, before, now);
    return accepted ? std::string{} : accepted.error().why();
}

TEST(Findings, StayOpenUntilEachIsAcceptedByName) {
    EXPECT_THAT(refusal({}, {}), AllOf(HasSubstr("email.ko.md:1: finding KR-W3"), HasSubstr("finding KR-W1"),
                                       HasSubstr("--accept RULE"), Not(HasSubstr("KR-W2"))));
    EXPECT_THAT(refusal({}, {.rules = {"KR-W3"}, .reason = "counsel read it"}),
                AllOf(HasSubstr("KR-W1"), Not(HasSubstr("KR-W3"))));
    const auto both = accept_findings(problems, {}, {.rules = {"KR-W3", "KR-W1"}, .reason = "counsel read it"});
    ASSERT_TRUE(both) << both.error().why();
    EXPECT_THAT(*both, ElementsAre(Pair("KR-W1", "counsel read it"), Pair("KR-W3", "counsel read it")));
}

TEST(Findings, AcceptedOnceStayAcceptedForLaterWaves) {
    const auto later = accept_findings(problems, {{"KR-W1", "a"}, {"KR-W3", "b"}, {"KR-6", "of another text"}}, {});
    ASSERT_TRUE(later);
    EXPECT_THAT(*later, ElementsAre(Pair("KR-W1", "a"), Pair("KR-W3", "b")));
}

TEST(Findings, NeedAReasonAndMustBeThere) {
    EXPECT_THAT(refusal({}, {.rules = {"KR-W1", "KR-W3"}, .reason = " "}), HasSubstr("--reason"));
    EXPECT_THAT(refusal({}, {.rules = {"KR-W1", "KR-W3"}, .reason = std::string(501, 'x')}), HasSubstr("500"));
    EXPECT_THAT(refusal({}, {.rules = {"KR-W2"}, .reason = "r"}), HasSubstr("no finding KR-W2"));
    EXPECT_TRUE(accept_findings({}, {}, {}));
}

TEST(Findings, ArePartOfWhatIsSigned) {
    EXPECT_EQ(signed_notice("digest", {}), "digest");
    const auto one = signed_notice("digest", {{"KR-W1", "a"}});
    EXPECT_EQ(one.size(), 32U);
    EXPECT_NE(one, signed_notice("digest", {{"KR-W1", "b"}}));
    EXPECT_NE(one, signed_notice("digesT", {{"KR-W1", "a"}}));
    EXPECT_NE(signed_notice("d", {{"A", "b"}, {"C", "d"}}), signed_notice("d", {{"A", "b1:C1:d"}}));
}

} // namespace
} // namespace semel::api
