#include <api/core/denials.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace semel::api {
namespace {

using namespace std::chrono_literals;

const denials::time_point noon{std::chrono::hours{12}};

TEST(Denials, WaitAfterTheFirstFewAndNoLongerThanTheLimit) {
    denials d{{.free = 3, .every = 1s, .longest = 2s, .addresses = 10}};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(d.denied("192.0.2.1", noon), 0ms) << i;
    }
    EXPECT_EQ(d.denied("192.0.2.1", noon), 1s);
    EXPECT_EQ(d.denied("192.0.2.1", noon), 2s);
    EXPECT_EQ(d.denied("192.0.2.1", noon), 2s) << "the longest";
    EXPECT_EQ(d.denied("192.0.2.2", noon), 0ms) << "another address";
}

TEST(Denials, AreForgivenWithTime) {
    denials d{{.free = 2, .every = 1s, .longest = 5s, .addresses = 10}};
    for (int i = 0; i < 4; ++i) {
        d.denied("192.0.2.1", noon);
    }
    EXPECT_EQ(d.denied("192.0.2.1", noon + 2s), 1s) << "four less two, and this one";
    EXPECT_EQ(d.denied("192.0.2.1", noon + 1h), 0ms);
}

TEST(Denials, TakeBoundedMemoryWhateverComes) {
    denials d{{.free = 1, .every = 1s, .longest = 5s, .addresses = 100}};
    for (int i = 0; i < 5; ++i) {
        d.denied("203.0.113.1", noon);
    }
    for (int i = 0; i < 1'000; ++i) {
        d.denied(fmt::format("10.0.{}.{}", i / 256, i % 256), noon);
    }
    EXPECT_EQ(d.remembered(), 100U);
    EXPECT_EQ(d.denied("203.0.113.1", noon), 5s) << "who has the largest debt is forgotten last";
    d.denied("192.0.2.1", noon + 1h);
    EXPECT_EQ(d.remembered(), 1U) << "what says nothing any more has gone";
}

TEST(Denials, CountAHostOfIpv6ByItsNetwork) {
    EXPECT_EQ(neighbourhood_of("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(neighbourhood_of("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(neighbourhood_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    EXPECT_EQ(neighbourhood_of("2001:db8:1:2::9"), "2001:db8:1:2::");
    EXPECT_EQ(neighbourhood_of("fe80::1%eth0"), "fe80::");
    EXPECT_EQ(neighbourhood_of("nonsense"), "nonsense");
}

} // namespace
} // namespace semel::api
