#include <delivery/engine/counters.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace semel;
using testing::HasSubstr;
using testing::Not;

TEST(LaneFigures, ShowALaneWhileItIsWellAndWhileItIsNot) {
    telemetry::metrics m;
    delivery::lane_figures lanes{m};
    const auto stopped = [](const char* gateway, int value) {
        return HasSubstr("semel_delivery_lane_trouble{gateway=\"" + std::string{gateway} + "\",state=\"stopped\"} " +
                         std::to_string(value));
    };
    lanes.show({"relay-a", "relay-b"}, {{.subject = "relay-b", .what = trouble::kind::stopped, .words = {}}});
    EXPECT_THAT(m.expose(), stopped("relay-a", 0));
    EXPECT_THAT(m.expose(), stopped("relay-b", 1));
    EXPECT_THAT(m.expose(), HasSubstr("gateway=\"relay-b\",state=\"throttled\"} 0"));
    lanes.show({"relay-a", "relay-b"}, {});
    EXPECT_THAT(m.expose(), stopped("relay-b", 0));
}

TEST(LaneFigures, ShowAGatewayThatIsMissedWhileItIsMissed) {
    telemetry::metrics m;
    delivery::lane_figures lanes{m};
    lanes.show({"relay-a"}, {{.subject = "relay-c", .what = trouble::kind::stopped, .words = {}}});
    EXPECT_THAT(m.expose(), HasSubstr("gateway=\"relay-c\",state=\"stopped\"} 1"));
    lanes.show({"relay-a"}, {});
    EXPECT_THAT(m.expose(), Not(HasSubstr("relay-c")));
}
