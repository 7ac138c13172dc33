#include <kafka/retention.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace semel::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Retention, OffsetsMustBeKeptForAYear) {
    EXPECT_THAT(offsets_complaints({{"offsets.retention.minutes", "525600"}}), IsEmpty());
    EXPECT_THAT(offsets_complaints({{"offsets.retention.minutes", "525599"}}), ElementsAre(HasSubstr("525600")));
    EXPECT_THAT(offsets_complaints({{"offsets.retention.minutes", "10080"}}),
                ElementsAre(HasSubstr("server.properties")));
    EXPECT_THAT(offsets_complaints({}), ElementsAre(HasSubstr("does not tell")));
}

TEST(Retention, RecordsMustBeKeptForEver) {
    const topic_spec events{.name = "events", .partitions = 3, .compacted = false, .config = {}};
    EXPECT_THAT(
        topic_complaints(events, {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"retention.bytes", "-1"}}),
        IsEmpty());
    EXPECT_THAT(topic_complaints(
                    events, {{"cleanup.policy", "delete"}, {"retention.ms", "604800000"}, {"retention.bytes", "-1"}}),
                ElementsAre(HasSubstr("events: retention.ms is 604800000")));
    EXPECT_THAT(
        topic_complaints(events, {{"cleanup.policy", "delete"}, {"retention.ms", "-1"}, {"retention.bytes", "1000"}}),
        ElementsAre(HasSubstr("retention.bytes is 1000")));
    EXPECT_THAT(
        topic_complaints(events, {{"cleanup.policy", "compact"}, {"retention.ms", "-1"}, {"retention.bytes", "-1"}}),
        ElementsAre(HasSubstr("must be delete")));
}

TEST(Retention, WhatIsForgottenOnPurposeIsNoTrouble) {
    const topic_spec ticks{.name = "ticks",
                           .partitions = 1,
                           .compacted = false,
                           .config = {{"retention.ms", "600000"}, {"message.timestamp.type", "LogAppendTime"}}};
    EXPECT_THAT(topic_complaints(ticks, {{"cleanup.policy", "delete"},
                                         {"retention.ms", "600000"},
                                         {"retention.bytes", "-1"},
                                         {"message.timestamp.type", "LogAppendTime"}}),
                IsEmpty());
}

TEST(Retention, WhereTheBrokersTimeCountsTheTopicMustKeepIt) {
    const topic_spec events{.name = "events",
                            .partitions = 3,
                            .compacted = false,
                            .config = {{"retention.ms", "-1"}, {"message.timestamp.type", "LogAppendTime"}}};
    EXPECT_THAT(topic_complaints(events, {{"cleanup.policy", "delete"},
                                          {"retention.ms", "-1"},
                                          {"retention.bytes", "-1"},
                                          {"message.timestamp.type", "CreateTime"}}),
                ElementsAre(HasSubstr("events: message.timestamp.type is CreateTime")));
}

TEST(Retention, ACompactedTopicMayNotDeleteByAge) {
    const topic_spec control{.name = "control", .partitions = 1, .compacted = true, .config = {}};
    EXPECT_THAT(topic_complaints(control, {{"cleanup.policy", "compact"}, {"retention.ms", "604800000"}}), IsEmpty());
    EXPECT_THAT(topic_complaints(control, {{"cleanup.policy", "compact,delete"}}),
                ElementsAre(HasSubstr("must be compact")));
}

} // namespace
} // namespace semel::kafka
