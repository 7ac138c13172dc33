// Each channel at its own pace, and each campaign with its part of the room: against a real Kafka and a Redis of the
// test's own, with plan killed in the middle. There are no dispatchers: what is released stays, until the window is
// full, and a wider window is the room that they would have made.

#include "stage.hpp"

namespace semel::plan::testing {
namespace {

constexpr std::uint64_t few_rows = 300;
constexpr int full = 1'000; // more than all of the mail of few_rows
constexpr int wide = 1'000'000;

bool is_mail(const message& m) {
    return std::get<0>(m).starts_with("1:");
}
std::multiset<message> mail_of(std::multiset<message> all) {
    std::erase_if(all, [](const message& m) { return !is_mail(m); });
    return all;
}
std::uint64_t row_of(const message& m, std::uint32_t wave) {
    return std::get<1>(m) == wave ? std::get<2>(m) : 0;
}

void open_the_window(stage& s) {
    s.kill();
    s.window = wide;
    s.start();
}

TEST(Pace, AFullChannelHoldsNoOther) {
    stage s{an_audience(few_rows, 31)};
    const auto mail = mail_of(truth(s.campaign(), s.rows()));
    s.window = full;
    s.fill(base::channel::push, full);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() == s.rows().size() && s.released().size() >= mail.size(); },
                      "all mail to be released");
    EXPECT_EQ(s.released(), mail) << "and no push";
    EXPECT_EQ(s.progress_done(), 0);
    open_the_window(s);
    s.expect_the_truth();
}

TEST(Pace, KilledWhileAChannelIsBehindItRepeatsAndLosesNothing) {
    stage s{an_audience(few_rows, 32)};
    const auto expected = truth(s.campaign(), s.rows());
    s.window = full;
    s.fill(base::channel::push, full);
    s.start();
    s.launch(slow);
    stage::wait_until([&] { return !s.released().empty(); }, "the first mail");
    s.kill();
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() == s.rows().size(); }, "all rows to be told of");
    s.redis.tell("FLUSHALL");
    s.launch(slow);
    s.window = wide;
    s.kill();
    for (int i = 0; i < 3; ++i) { // while it catches up
        const auto before = s.released().size();
        s.start();
        stage::wait_until([&] { return s.released().size() > before || before >= expected.size(); }, "progress");
        s.kill();
    }
    s.launch();
    s.start();
    s.expect_the_truth();
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "every channel to be there");
}

TEST(Pace, WhatAChannelHasLeftBehindFailsWhenTheCampaignIsCancelled) {
    stage s{an_audience(few_rows, 33)};
    const auto expected = truth(s.campaign(), s.rows());
    s.window = full;
    s.fill(base::channel::push, full);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.rows_told() == s.rows().size(); }, "all rows to be told of");
    EXPECT_GT(s.keys(), 0);
    s.set(v1::CAMPAIGN_CANCELLED);
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "every message to be accounted for");
    std::multiset<std::string> failed;
    for (const auto& e : s.events()) {
        if (e.kind() == v1::EVENT_FAILED) {
            EXPECT_EQ(e.code(), "semel:cancelled");
            failed.insert(e.notification());
        }
    }
    EXPECT_EQ(failed.size(), std::set(failed.begin(), failed.end()).size());
    EXPECT_EQ(s.released().size() + failed.size(), expected.size());
    EXPECT_EQ(s.rows_told(), s.rows().size()) << "nobody is told of twice";
    stage::wait_until([&] { return s.keys() == 0; }, "the register to be removed: nobody asks any more");
}

// The first chunk of partition 0 has the rows 1 to 40 of wave 1, the second one 121 to 160.
constexpr std::uint64_t rows_of_a_chunk = 40;
bool is_in_first_chunk(std::uint64_t row) {
    return row >= 1 && row <= rows_of_a_chunk;
}
bool is_in_second_chunk(std::uint64_t row) {
    return row > partitions * rows_of_a_chunk && row <= (partitions + 1) * rows_of_a_chunk;
}

TEST(Pace, GoesOnWhereTheVersionBeforeStoppedOnAllChannels) {
    stage s{an_audience(few_rows, 34)};
    const base::campaign_id id{s.campaign().id()};
    v1::Progress old;
    old.set_next_offset(1);
    s.leave_progress(wire::release_progress_key(id, 1, 0), 0, old);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "all rows to be released");
    auto expected = truth(s.campaign(), s.rows());
    std::erase_if(expected, [](const message& m) { return is_in_first_chunk(row_of(m, 1)); });
    EXPECT_EQ(s.released(), expected);
    EXPECT_EQ(s.rows_told(), s.rows().size() - rows_of_a_chunk);
}

// In an update the partition may go back to a process of the version before, and come again: it has moved all channels
// on from where the rows stood, and left the gap alone.
TEST(Pace, WhatTheVersionBeforeReleasedInBetweenIsNeitherRepeatedNorLost) {
    stage s{an_audience(few_rows, 35)};
    const base::campaign_id id{s.campaign().id()};
    v1::Progress gaps;
    auto& gap = *gaps.add_behind();
    gap.set_channel(v1::CHANNEL_PUSH);
    gap.set_end_offset(1);
    s.leave_progress(wire::behind_progress_key(id, 1, 0), 0, gaps);
    v1::Progress old;
    old.set_next_offset(2);
    s.leave_progress(wire::release_progress_key(id, 1, 0), 0, old);
    s.start();
    s.launch();
    stage::wait_until([&] { return s.progress_done() == 2 * partitions; }, "all rows to be released");
    auto expected = truth(s.campaign(), s.rows());
    std::erase_if(expected, [](const message& m) {
        return is_in_second_chunk(row_of(m, 1)) || (is_mail(m) && is_in_first_chunk(row_of(m, 1)));
    });
    EXPECT_EQ(s.released(), expected);
    EXPECT_EQ(s.rows_told(), s.rows().size() - 2 * rows_of_a_chunk);
}

// Two large ones fill both channels. The small one, which comes last, is told with a third of the room that comes then.
TEST(Pace, OfThreeCampaignsNoneTakesAllAndTheSmallOneIsSoonDone) {
    constexpr int at_first = 600;
    constexpr int later = 1'200;
    constexpr std::size_t slack = 250; // one batch of each campaign, of 40 rows
    stage one{an_audience(rows_of_a_wave, 36)};
    stage two{an_audience(rows_of_a_wave, 37), 0, 40, &one};
    stage small{an_audience(20, 38), 0, 40, &one};
    const auto in = [](std::chrono::hours h) { return base::to_us(base::now() + h); };
    one.set_times(0, in(100h));
    two.set_times(0, in(100h));
    small.set_times(0, in(1h));
    const auto mail = [](const stage& s) { return mail_of(s.released()).size(); };
    const auto push = [](const stage& s) { return s.released().size() - mail_of(s.released()).size(); };
    // Markers of transactions take some of the room.
    const auto is_full = [&](std::size_t n) {
        return mail(one) + mail(two) + mail(small) > n * 3 / 4 && push(one) + push(two) + push(small) > n * 3 / 4;
    };
    one.window = at_first;
    one.start();
    for (const auto* s : {&one, &two, &small}) {
        wait_until_registered(*s);
    }
    one.kill(); // so that both are launched when it looks
    one.launch();
    two.launch();
    one.start();
    stage::wait_until([&] { return is_full(at_first); }, "both channels to be full");
    EXPECT_GT(mail(one), at_first / 8U);
    EXPECT_GT(mail(two), at_first / 8U);
    one.kill();
    small.launch();
    one.window = later;
    one.start();
    small.expect_the_truth();
    stage::wait_until([&] { return is_full(later); }, "both channels to be full again");
    EXPECT_LT(mail(one) + mail(two) + mail(small), later + slack);
    EXPECT_LT(push(one) + push(two) + push(small), later + slack);
    EXPECT_GT(mail(one), later / 8U);
    EXPECT_GT(mail(two), later / 8U);
    one.window = wide;
    one.kill();
    one.start();
    two.expect_the_truth();
    one.expect_the_truth();
    one.kill();
}

} // namespace
} // namespace semel::plan::testing
