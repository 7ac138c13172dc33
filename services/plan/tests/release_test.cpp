// Both passes against a real Kafka and a Redis of the test's own: Redis is lost, and plan killed, at every step; what
// was released is compared with the truth each time.

#include "stage.hpp"

#include <gmock/gmock.h>

#include <ranges>

namespace semel::plan::testing {
namespace {

using loss = void (*)(stage&);
void flush(stage& s) {
    s.redis.tell("FLUSHALL");
}
void replace_by_an_empty_one(stage& s) {
    s.redis.kill();
    s.redis.forget_file();
    s.redis.start();
}
void restart_from_an_old_file(stage& s) {
    s.redis.kill();
    s.redis.start(); // with what the last SAVE wrote
}
void delete_the_head(stage& s) {
    s.redis.tell(fmt::format("DEL '{{plan:{}}}:head'", s.campaign().id()));
}

struct kind_of_loss {
    const char* name;
    loss inflict;
};
class RedisLost : public ::testing::TestWithParam<kind_of_loss> {};

TEST_P(RedisLost, BeforeRegistering) {
    stage s{an_audience(rows_of_a_wave)};
    s.redis.kill();
    s.start();
    s.redis.start();
    GetParam().inflict(s);
    s.launch();
    s.expect_the_truth();
}

TEST_P(RedisLost, InTheMiddleOfRegistering) {
    stage s{an_audience(rows_of_a_wave)};
    s.start();
    stage::wait_until([&] { return s.head_fields() >= 3; }, "the first span to be registered");
    s.redis.tell("SAVE");
    GetParam().inflict(s);
    s.launch();
    s.expect_the_truth();
}

TEST_P(RedisLost, BetweenThePasses) {
    stage s{an_audience(rows_of_a_wave)};
    s.start();
    stage::wait_until([&] { return s.head_fields() >= 3; }, "the first span to be registered");
    s.redis.tell("SAVE");
    wait_until_registered(s);
    GetParam().inflict(s);
    s.launch();
    s.expect_the_truth();
}

TEST_P(RedisLost, InTheMiddleOfRelease) {
    stage s{an_audience(rows_of_a_wave)};
    s.start();
    stage::wait_until([&] { return s.head_fields() >= 3; }, "the first span to be registered");
    s.redis.tell("SAVE");
    s.launch(slow);
    wait_for_the_middle_of_release(s);
    GetParam().inflict(s);
    s.launch();
    s.expect_the_truth();
}

INSTANTIATE_TEST_SUITE_P(AtEveryStep, RedisLost,
                         ::testing::Values(kind_of_loss{"Flushed", flush},
                                           kind_of_loss{"ReplacedByAnEmptyOne", replace_by_an_empty_one},
                                           kind_of_loss{"RestartedFromAnOldFile", restart_from_an_old_file},
                                           kind_of_loss{"HeadDeleted", delete_the_head}),
                         [](const auto& param) { return std::string{param.param.name}; });

/// A safety net below the barrier: the head stands, and what it vouches for is gone.
TEST(Plan, DoesNotBelieveAHeadWhoseBucketsAreGone) {
    stage s{an_audience(rows_of_a_wave, 8)};
    s.start();
    wait_until_registered(s);
    s.redis.tell("EVAL \"for _, key in ipairs(redis.call('KEYS', '*:00*')) do redis.call('DEL', key) end\" 0");
    EXPECT_EQ(s.head_fields(), s.all_head_fields());
    s.launch();
    s.expect_the_truth();
}

TEST(Plan, GoesOnWhereItWasKilled) {
    stage s{an_audience(rows_of_a_wave, 2)};
    s.start();
    stage::wait_until([&] { return s.head_fields() >= 3; }, "the first span to be registered");
    s.kill();
    s.start();
    s.launch(slow);
    wait_for_the_middle_of_release(s);
    s.kill();
    s.launch();
    for (int i = 0; i < 4; ++i) { // killed again and again while it releases the rest
        const auto before = s.rows_told();
        s.start();
        if (i < 3) {
            stage::wait_until([&] { return s.rows_told() > before || s.rows_told() >= s.rows().size(); }, "progress");
            s.kill();
        }
    }
    s.expect_the_truth();
}

TEST(Plan, SharesTheWorkAmongProcessesThatComeAndGo) {
    stage s{an_audience(rows_of_a_wave, 3)};
    s.start("plan");
    s.start("plan-2");
    s.launch(slow);
    wait_for_the_middle_of_release(s);
    flush(s);
    s.start("plan-3");
    s.launch();
    s.expect_the_truth();
}

TEST(Plan, ReportsEachSpanOnceAlsoWhenItRegistersAgain) {
    stage s{an_audience(rows_of_a_wave, 4)};
    s.start();
    wait_until_registered(s);
    flush(s);
    wait_until_registered(s);
    s.launch();
    s.expect_the_truth();
    std::map<std::pair<std::uint32_t, std::uint32_t>, int> reports;
    std::uint64_t recipients = 0;
    std::uint64_t unreachable = 0;
    for (const auto& r : s.records(wire::feedback)) {
        v1::Feedback f;
        ASSERT_TRUE(f.ParseFromArray(r.value().data(), static_cast<int>(r.value().size())));
        ++reports[{f.registered().wave(), f.registered().partition()}];
        recipients += f.registered().recipients();
        unreachable += f.registered().unreachable();
    }
    EXPECT_EQ(reports.size(), 2U * partitions);
    EXPECT_TRUE(std::ranges::all_of(reports, [](const auto& r) { return r.second == 1; }));
    EXPECT_EQ(recipients, s.rows().size());
    EXPECT_EQ(unreachable,
              std::ranges::count_if(s.rows(), [](const row& r) { return r.recipient.addresses().empty(); }));
}

TEST(Plan, AccountsForTheRestOfACancelledCampaign) {
    stage s{an_audience(rows_of_a_wave, 5)};
    s.start();
    s.launch(slow);
    wait_for_the_middle_of_release(s);
    s.set(v1::CAMPAIGN_CANCELLED);
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "every row to be accounted for");
    std::multiset<std::string> settled;
    std::set<std::string> promised;
    for (const auto& e : s.events()) {
        for (const auto& link : e.links()) {
            promised.insert(link.notification());
        }
        if (e.kind() == v1::EVENT_FAILED) {
            EXPECT_EQ(e.code(), "semel:cancelled");
            settled.insert(e.notification());
        }
    }
    EXPECT_FALSE(settled.empty());
    for (const auto channel : {base::channel::email, base::channel::push}) {
        for (const auto& r : s.records(wire::dispatch(channel))) {
            settled.emplace(r.key());
        }
    }
    EXPECT_EQ(settled.size(), truth(s.campaign(), s.rows()).size()) << "each message was either released or cancelled";
    EXPECT_EQ(settled.size(), std::set(settled.begin(), settled.end()).size()) << "and only one of the two";
    for (const auto& id : promised) {
        EXPECT_TRUE(settled.contains(id)) << "a link names a message that nobody accounts for";
    }
}

/// Several rounds of a releaser that finds nothing to do.
void let_it_look_around() {
    const auto later = clock::now() + 4s;
    stage::wait_until([&] { return clock::now() >= later; }, "some rounds");
}

// By less than an hour: beyond, Kafka 4 refuses what the registrar writes.
TEST(Plan, OnAHostWhoseClockIsAheadExpiresNothing) {
    stage s{an_audience(rows_of_a_wave)};
    s.set_times(0, base::to_us(base::now() + 10min));
    support::stepped_clock wall{30min};
    s.start("plan", &wall);
    wait_until_registered(s);
    s.launch();
    let_it_look_around();
    EXPECT_EQ(s.rows_told(), 0U) << "neither sent nor expired";
    wall.step(0s);
    s.expect_the_truth();
    EXPECT_TRUE(std::ranges::none_of(s.events(), [](const v1::Event& e) { return e.kind() == v1::EVENT_FAILED; }));
}

TEST(Plan, OnAHostWhoseClockIsAheadReleasesNothingBeforeTheStart) {
    stage s{an_audience(rows_of_a_wave)};
    s.set_times(base::to_us(base::now() + 10min), 0);
    const support::stepped_clock wall{30min};
    s.start("plan", &wall);
    wait_until_registered(s);
    s.launch();
    let_it_look_around();
    EXPECT_EQ(s.rows_told(), 0U);
}

TEST(Plan, PutsWhatItCannotReadAsideAndGoesOn) {
    stage s{an_audience(200, 6), 3};
    s.start();
    s.launch();
    s.expect_the_truth();
    const auto letters = s.records(wire::dead_letter);
    EXPECT_EQ(letters.size(), 3U * 2) << "three in each wave";
    for (const auto& r : letters) {
        EXPECT_TRUE(r.key().starts_with("audience partition 0 offset ")) << r.key();
        EXPECT_FALSE(r.value().empty());
    }
    std::map<std::string, std::uint64_t> rows;
    for (const auto& e : s.events()) {
        if (e.kind() == v1::EVENT_DEAD_LETTER) {
            rows[e.id()] = e.rows();
        }
    }
    EXPECT_EQ(rows.size(), letters.size());
    EXPECT_EQ(std::ranges::count(rows | std::views::values, 7U), 4) << "of those that parse, two in each wave";
    EXPECT_EQ(std::ranges::count(rows | std::views::values, 0U), 2) << "of those that do not";
}

// Two uploads cross: the one that began first ends last, when the other is being told. Everybody who is in both is told
// once, whatever is killed and lost meanwhile.
TEST(Plan, TellsWhoIsInTwoCrossingUploadsOnce) {
    stage s{an_audience(3 * rows_of_a_wave, 9)};
    s.withhold(2);
    s.start("plan");
    s.start("plan-2");
    s.launch(slow);
    wait_for_the_middle_of_release(s);
    s.bring_back(v1::WAVE_SEALED);
    stage::wait_until([&] { return s.head_fields() >= 3; }, "the second wave to be begun");
    flush(s);
    s.kill("plan");
    wait_until_registered(s);
    s.launch(slow);
    s.start("plan");
    replace_by_an_empty_one(s);
    s.kill("plan-2");
    s.launch();
    s.start("plan-2");
    s.expect_the_truth();
}

/// What could not happen, and would tell people twice.
TEST(Plan, DoesNotRegisterAWaveBelowOneThatWasLaunchedWithoutIt) {
    stage s{an_audience(200, 10)};
    s.withhold(1);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() == s.rows_of(2).size(); }, "the higher wave to be released");
    s.bring_back(v1::WAVE_SEALED);
    stage::wait_until([&] { return s.log().contains("wave 1 comes before wave 2"); }, "a complaint");
    EXPECT_EQ(s.head_fields(), 2 + partitions) << "nothing of it is in the register";
    EXPECT_THAT(s.log(), ::testing::HasSubstr("semel audience drop"));

    // Dropped, and its file added again, it is the third wave and told as such.
    s.set_phase(1, v1::WAVE_DROPPED);
    s.bring_back(v1::WAVE_SEALED, 3);
    wait_until_registered(s);
    s.launch_wave(3);
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "its people to be told");
    auto rows = s.rows();
    for (auto& r : rows) {
        r.wave = r.wave == 1 ? 3 : r.wave;
    }
    EXPECT_EQ(s.released(), truth(s.campaign(), rows));
}

TEST(Plan, DoesNotReleaseAWaveBelowOneThatWasDecidedWithoutIt) {
    stage s{an_audience(200, 11)};
    s.withhold(1);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.progress_done() == partitions; }, "the higher wave to be released");
    const auto before = s.released();
    s.kill(); // nothing of it is remembered but by Kafka
    s.bring_back(v1::WAVE_LAUNCHED);
    s.start("plan-2");
    wait_until_registered(s);
    stage::wait_until([&] { return s.log().contains("wave 1 comes before wave 2"); }, "a complaint");
    EXPECT_EQ(s.released(), before);
    EXPECT_EQ(s.rows_told(), s.rows_of(2).size());
}

TEST(Plan, TellsNobodyByADroppedWaveAndLeavesItsPeopleToLaterOnes) {
    stage s{an_audience(rows_of_a_wave, 12)};
    s.start();
    wait_until_registered(s);
    s.set_phase(1, v1::WAVE_DROPPED);
    s.launch_wave(2);
    stage::wait_until([&] { return s.progress_done() == partitions; }, "the other wave to be released");
    EXPECT_EQ(s.released(), truth(s.campaign(), s.rows_of(2)));
}

/// Two waves at full speed. Prints the figures; the load run of loadtest/ holds them against their targets.
TEST(Plan, RegistersAndReleasesAtSpeed) {
    stage s{an_audience(25'000 / support::slowness, 7), 0, 500};
    s.window = 1'000'000; // nobody works it off
    const auto rows = static_cast<double>(s.rows().size());
    const auto seconds_since = [](clock::time_point t) {
        return std::chrono::duration<double>(clock::now() - t).count();
    };
    s.start();
    stage::wait_until([&] { return s.head_fields() >= 2; }, "the first head"); // the groups have met
    const auto sealed = clock::now();
    wait_until_registered(s);
    const auto registering = seconds_since(sealed);
    const auto launched = clock::now();
    s.launch();
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "all rows to be released");
    const auto releasing = seconds_since(launched);
    fmt::print("plan: {:.0f} recipients/s registered, {:.0f} released\n", rows / registering, rows / releasing);
    s.expect_the_truth();
    const auto redis_cpu = s.cpu_of_redis();
    const auto plan_cpu = s.kill();
    fmt::print("plan: CPU for each recipient in both passes: {:.1f} us plan, {:.1f} us Redis\n", plan_cpu * 1e6 / rows,
               redis_cpu * 1e6 / rows);
}

} // namespace
} // namespace semel::plan::testing
