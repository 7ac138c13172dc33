// The records of one wave as release reads them, some at a time, against a real Kafka.

#include "stage.hpp"

#include <plan/edge/wave_reader.hpp>

namespace semel::plan::testing {
namespace {

using place_of_chunk = std::pair<std::int32_t, kafka::offset>;

std::vector<stretch> whole(const v1::Wave& wave) {
    std::vector<stretch> all;
    for (const auto& span : wave.spans()) {
        all.push_back({.partition = static_cast<std::int32_t>(span.partition()),
                       .next = span.start_offset(),
                       .end = span.end_offset()});
    }
    return all;
}

/// What release asks for once these are released.
void go_on(std::vector<stretch>& left, const std::vector<chunk>& released) {
    for (const auto& c : released) {
        std::ranges::find(left, c.partition, &stretch::partition)->next = c.offset + 1;
    }
    std::erase_if(left, [](const stretch& s) { return s.next == s.end; });
}

void note(std::multiset<place_of_chunk>& seen, const std::vector<chunk>& chunks) {
    for (const auto& c : chunks) {
        seen.emplace(c.partition, c.offset);
    }
}

std::multiset<place_of_chunk> all_of_them(const std::vector<stretch>& stretches) {
    std::multiset<place_of_chunk> all;
    for (const auto& s : stretches) {
        for (auto at = s.next; at < s.end; ++at) {
            all.emplace(s.partition, at);
        }
    }
    return all;
}

TEST(WaveReader, GoesOnWithWhatItHasFetched) {
    const stage s{an_audience(400, 41), 0, 20};
    play([&]() -> asio::awaitable<void> {
        const auto& wave = s.campaign().waves(0);
        wave_reader reader{co_await asio::this_coro::executor, s.place()};
        auto left = whole(wave);
        std::multiset<place_of_chunk> seen;
        while (!left.empty()) {
            reader.start(s.known(), wave, left); // each time another version of the campaign
            const auto chunks = co_await reader.next(3);
            note(seen, chunks);
            go_on(left, chunks);
        }
        EXPECT_EQ(seen, all_of_them(whole(wave)));
        EXPECT_EQ(reader.begun(), 1U);
    });
}

TEST(WaveReader, GivesAgainWhatWasGivenUp) {
    const stage s{an_audience(400, 42), 0, 20};
    play([&]() -> asio::awaitable<void> {
        const auto& wave = s.campaign().waves(0);
        wave_reader reader{co_await asio::this_coro::executor, s.place()};
        const auto all = whole(wave);
        reader.start(s.known(), wave, all);
        EXPECT_FALSE((co_await reader.next(3)).empty());
        reader.start(s.known(), wave, all); // the transaction was not committed
        std::multiset<place_of_chunk> seen;
        for (auto chunks = co_await reader.next(16); !chunks.empty(); chunks = co_await reader.next(16)) {
            note(seen, chunks);
        }
        EXPECT_EQ(seen, all_of_them(all));
        EXPECT_EQ(reader.begun(), 2U);
    });
}

TEST(WaveReader, BeginsAnewForAnotherWaveInTheSamePlace) {
    const stage s{an_audience(400, 43), 0, 20};
    play([&]() -> asio::awaitable<void> {
        wave_reader reader{co_await asio::this_coro::executor, s.place()};
        const auto& first = s.campaign().waves(0);
        const auto& second = s.campaign().waves(1);
        auto both = whole(first);
        for (const auto& of_second : whole(second)) {
            std::ranges::find(both, of_second.partition, &stretch::partition)->end = of_second.end;
        }
        reader.start(s.known(), first, both);
        reader.start(s.known(), second, both);
        std::multiset<place_of_chunk> seen;
        for (auto chunks = co_await reader.next(16); !chunks.empty(); chunks = co_await reader.next(16)) {
            note(seen, chunks);
        }
        EXPECT_EQ(seen, all_of_them(whole(second)));
    });
}

} // namespace
} // namespace semel::plan::testing
