// The engine on a host whose wall clock is wrong: what cannot be taken back is not for that clock to decide.

#include "stage.hpp"

#include <base/time.hpp>

#include <gtest/gtest.h>

namespace semel::delivery::testing {
namespace {

std::size_t failed_as(const stage& on, const std::string& code) {
    std::size_t n = 0;
    for (const auto& [notification, s] : on.stories()) {
        n += static_cast<std::size_t>(std::ranges::count(s.events, code, &v1::Event::code));
    }
    return n;
}

std::function<void(v1::Dispatch&)> give_up_in(std::chrono::hours when) {
    return [at = base::to_us(base::now() + when)](v1::Dispatch& d) { d.set_give_up_us(at); };
}

TEST(Clock, OfAHostThatIsAheadExpiresNothingAndAnotherHostSends) {
    stage on;
    on.session = 300s;
    on.cut_off_after = 2s;
    on.dispatch("ok", 300, give_up_in(1h));
    const support::stepped_clock ahead{2h};
    on.start("a", {}, &ahead);
    EXPECT_TRUE(WIFEXITED(on.end_of("a"))) << "it leaves the partitions to others";
    EXPECT_EQ(on.told(), 0U);
    EXPECT_EQ(on.acceptances(), 0U);
    on.start("b");
    on.expect_the_truth();
    EXPECT_EQ(on.acceptances(), 300U);
}

TEST(Clock, OfAHostThatIsBehindSendsNothingTooLate) {
    stage on;
    on.session = 300s;
    on.cut_off_after = 2s;
    on.dispatch("ok", 300, give_up_in(-1h));
    const support::stepped_clock behind{-2h};
    on.start("a", {}, &behind);
    EXPECT_TRUE(WIFEXITED(on.end_of("a")));
    EXPECT_EQ(on.acceptances(), 0U);
    EXPECT_EQ(on.told(), 0U);
    on.start("b");
    on.expect_the_truth();
    EXPECT_EQ(failed_as(on, "semel:expired"), 300U);
    EXPECT_EQ(on.acceptances(), 0U);
}

TEST(Clock, ThatStepsInMidSendHoldsAndGoesOnWhenItIsRight) {
    stage on;
    on.gateways = "gateway-a:32:200:3:0";
    on.dispatch("ok", 1'500, give_up_in(1h));
    support::stepped_clock wall;
    on.start("a", {}, &wall);
    wait_until([&] { return on.acceptances() >= 200; }, "it to send");
    wall.step(2h);
    auto last = on.acceptances();
    auto since = std::chrono::steady_clock::now();
    wait_until(
        [&] {
            const auto now = std::chrono::steady_clock::now();
            if (const auto n = on.acceptances(); n != last) {
                last = n;
                since = now;
            }
            return now - since >= 3s; // at 200 a second
        },
        "it to stand still");
    EXPECT_LT(on.acceptances(), 1'400U) << "the test was too slow to see anything";
    EXPECT_EQ(failed_as(on, "semel:expired"), 0U);
    wall.step(0s);
    on.expect_the_truth();
    EXPECT_EQ(on.acceptances(), 1'500U);
}

} // namespace
} // namespace semel::delivery::testing
