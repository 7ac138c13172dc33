#include <telemetry/metrics.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace semel::telemetry {
namespace {

TEST(Metrics, SameNameAndLabelsAreTheSameSeries) {
    metrics m;
    m.make_counter("semel_test_sent_total", "Sent.", {{"channel", "sms"}}).add();
    m.make_counter("semel_test_sent_total", "Sent.", {{"channel", "sms"}}).add(2);
    m.make_counter("semel_test_sent_total", "Sent.", {{"channel", "push"}}).add();
    const auto text = m.expose();
    EXPECT_NE(text.find("# TYPE semel_test_sent_total counter"), std::string::npos);
    EXPECT_NE(text.find("semel_test_sent_total{channel=\"sms\"} 3"), std::string::npos);
    EXPECT_NE(text.find("semel_test_sent_total{channel=\"push\"} 1"), std::string::npos);
}

TEST(Metrics, GaugesAndHistogramsAreExposed) {
    metrics m;
    auto depth = m.make_gauge("semel_test_depth", "Depth.");
    depth.set(5);
    depth.add(-2);
    m.make_histogram("semel_test_wait_seconds", "Wait.", {}, {0.1, 1.0}).observe(0.5);
    const auto text = m.expose();
    EXPECT_NE(text.find("semel_test_depth 3"), std::string::npos);
    EXPECT_NE(text.find("semel_test_wait_seconds_bucket{le=\"0.1\"} 0"), std::string::npos);
    EXPECT_NE(text.find("semel_test_wait_seconds_bucket{le=\"1\"} 1"), std::string::npos);
}

TEST(Metrics, SeriesThatAreNotShownAnyMoreAreGone) {
    metrics m;
    auto left = m.make_gauges("semel_test_left", "Left.", {"campaign", "channel"});
    left.show({{{"c-1", "sms"}, 3}, {{"c-2", "sms"}, 4}});
    m.make_gauges("semel_test_left", "Left.", {"campaign", "channel"})
        .show({{{"c-2", "sms"}, 2}, {{"c-3", "push"}, 1}});
    const auto text = m.expose();
    EXPECT_EQ(text.find("c-1"), std::string::npos) << text;
    EXPECT_NE(text.find("semel_test_left{campaign=\"c-2\",channel=\"sms\"} 2"), std::string::npos) << text;
    EXPECT_NE(text.find("semel_test_left{campaign=\"c-3\",channel=\"push\"} 1"), std::string::npos) << text;
    left.show({});
    EXPECT_EQ(m.expose().find("semel_test_left{"), std::string::npos);
}

TEST(Metrics, OneNameIsOneKind) {
    metrics m;
    m.make_counter("semel_test_x_total", "X.");
    EXPECT_THROW(m.make_gauge("semel_test_x_total", "X."), std::invalid_argument);
}

} // namespace
} // namespace semel::telemetry
