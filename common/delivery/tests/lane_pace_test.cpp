#include <delivery/core/lane_pace.hpp>

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>

namespace {

using namespace semel;
using namespace std::chrono_literals;
using delivery::lane_pace;

/// Sends to the domains in turn, 1 ms apart, for `time`; answers come at once. The messages accepted of each.
std::map<std::string, unsigned> send(lane_pace& pace, const std::vector<std::string>& domains, base::instant& now,
                                     base::duration time, const std::function<bool(const std::string&)>& refuses) {
    std::map<std::string, unsigned> accepted;
    const auto end = now + time;
    for (std::size_t i = 0; now < end; ++i, now += 1ms) {
        const auto& domain = domains[i % domains.size()];
        if (!pace.take_of(domain, now, 0ms) || !pace.take(now, 0ms)) {
            continue;
        }
        if (refuses(domain)) {
            pace.throttled(domain, now, now);
        } else {
            ++accepted[domain];
            pace.accepted(domain, now, now);
        }
    }
    return accepted;
}

TEST(LanePace, ADomainThatIsRefusedAloneIsSlowedAlone) {
    lane_pace pace;
    base::instant now{1h};
    unsigned sent = 0;
    const auto one_in_ten = [&](const std::string& d) { return d == "slow.example" && sent++ % 10 != 0; };
    send(pace, {"slow.example", "a.example", "b.example", "c.example"}, now, 20s, one_in_ten);
    const auto after = send(pace, {"slow.example", "a.example", "b.example", "c.example"}, now, 10s, one_in_ten);
    EXPECT_FALSE(pace.limit()) << "the gateway takes what it gets";
    EXPECT_EQ(after.at("a.example"), 2500U);
    const auto slow = pace.slow_domains();
    ASSERT_EQ(slow.size(), 1U);
    EXPECT_EQ(slow.front().name, "slow.example");
    EXPECT_LT(slow.front().per_second, 125);
}

TEST(LanePace, RefusalsOfEveryDomainAreTheGateways) {
    lane_pace pace;
    base::instant now{1h};
    unsigned sent = 0;
    send(pace, {"a.example", "b.example", "c.example"}, now, 10s, [&](const std::string&) { return sent++ % 2 == 0; });
    EXPECT_TRUE(pace.limit());
    EXPECT_TRUE(pace.slow_domains().empty());
}

TEST(LanePace, AChannelWithoutDomainsHasTheGatewaysLimitOnly) {
    lane_pace pace;
    base::instant now{1h};
    send(pace, {""}, now, 5s, [i = 0](const std::string&) mutable { return i++ % 2 == 0; });
    EXPECT_TRUE(pace.limit());
    EXPECT_TRUE(pace.slow_domains().empty());
}

TEST(LanePace, RemembersNoMoreDomainsThanItMay) {
    lane_pace pace{{.domains = 10}};
    base::instant now{1h};
    for (int i = 0; i < 1'000; ++i, now += 1ms) {
        pace.throttled("d" + std::to_string(i) + ".example", now, now);
    }
    EXPECT_LE(pace.slow_domains().size(), 10U);
    EXPECT_TRUE(pace.limit()) << "what has no place of its own counts for the gateway";
}

} // namespace
