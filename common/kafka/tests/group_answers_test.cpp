#include <kafka/group_answers.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::kafka {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;

// As https://kafka.apache.org/protocol lays it out: throttle time, error, its text, broker 1, "localhost", 9092.
constexpr auto found = "\0\0\0\0"
                       "\0\0"
                       "\0\4NONE"
                       "\0\0\0\1"
                       "\0\11localhost"
                       "\0\0\43\204"sv;

TEST(GroupAnswers, NameTheCoordinator) {
    const auto at = coordinator_in(found, "email");
    ASSERT_TRUE(at);
    EXPECT_EQ(at->host, "localhost");
    EXPECT_EQ(at->port, 9092);
}

TEST(GroupAnswers, ACoordinatorThatIsNotThereIsAFaultThatSaysSo) {
    const auto at = coordinator_in("\0\0\0\0"
                                   "\0\17"
                                   "\377\377"
                                   "\377\377\377\377"
                                   "\0\0"
                                   "\377\377\377\377"sv,
                                   "email");
    ASSERT_FALSE(at);
    EXPECT_THAT(at.error().why(), HasSubstr("group email: Kafka names no coordinator (error 15)"));
}

TEST(GroupAnswers, AnyPieceOfAnAnswerIsNone) {
    for (std::size_t n = 0; n < found.size(); ++n) {
        EXPECT_FALSE(coordinator_in(found.substr(0, n), "email")) << n;
    }
}

// One member: its id, its instance, an error of its own.
std::string left(std::string_view of_group, std::string_view of_member) {
    return std::string{"\0\0\0\0"sv} + std::string{of_group} +
           std::string{"\0\0\0\1"
                       "\0\0"
                       "\0\7email-2"sv} +
           std::string{of_member};
}

TEST(GroupAnswers, WhoeverIsNoMemberIsGone) {
    EXPECT_TRUE(departure_in(left("\0\0"sv, "\0\0"sv), "email"));
    EXPECT_TRUE(departure_in(left("\0\0"sv, "\0\31"sv), "email")) << "unknown member";
    EXPECT_TRUE(departure_in("\0\0\0\0"
                             "\0\105"sv,
                             "email"))
        << "no such group";
}

TEST(GroupAnswers, AMemberThatMustStayIsAFault) {
    const auto stays = departure_in(left("\0\0"sv, "\0\122"sv), "email");
    ASSERT_FALSE(stays);
    EXPECT_THAT(stays.error().why(), HasSubstr("group email: Kafka does not let members go (error 82)"));
    EXPECT_FALSE(departure_in(left("\0\20"sv, "\0\0"sv), "email")) << "another broker coordinates it";
    const auto whole = left("\0\0"sv, "\0\0"sv);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_FALSE(departure_in(std::string_view{whole}.substr(0, n), "email")) << n;
    }
    EXPECT_FALSE(departure_in("\0\0\0\0"
                              "\0\0"
                              "\377\377\377\377"sv,
                              "email"))
        << "fewer than no members";
}

TEST(GroupAnswers, AreNoLongerThanSuchAnswersAre) {
    EXPECT_EQ(length_of_answer("\0\0\0\20"sv), 16U);
    EXPECT_FALSE(length_of_answer("\0\0\0\3"sv));
    EXPECT_FALSE(length_of_answer("\377\377\377\377"sv));
    EXPECT_FALSE(length_of_answer("\0\0\1"sv));
}

} // namespace
} // namespace semel::kafka
