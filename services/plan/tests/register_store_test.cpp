#include <runtime/race.hpp>

#include <address_register/memory.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <plan/edge/register_store.hpp>
#include <support/redis_server.hpp>

#include <map>
#include <random>

namespace semel::plan {
namespace {

namespace asio = boost::asio;
using base::fault;
using std::chrono::steady_clock;
using support::redis_server;

const base::campaign_id campaign{"c-abcdefghijklmnop"};

redis::client_options to(const redis_server& s) {
    return {.host = "127.0.0.1", .port = s.port(), .password = {}, .reply_timeout = std::chrono::seconds{20}};
}

using test_body = asio::awaitable<void> (*)(redis_server&);
void run(redis_server& s, test_body body) {
    asio::io_context io;
    std::exception_ptr failure;
    bool finished = false;
    asio::co_spawn(io, body(s), [&](std::exception_ptr e) {
        failure = e;
        finished = true;
    });
    io.run_for(std::chrono::seconds{100});
    if (failure) {
        std::rethrow_exception(failure);
    }
    EXPECT_TRUE(finished) << "the test did not end in time";
}

crypto::hash128 hash_of(std::uint64_t n) {
    std::mt19937_64 random{n};
    crypto::hash128 hash{};
    for (auto& byte : hash) {
        byte = static_cast<std::uint8_t>(random() >> 24);
    }
    return hash;
}

asio::awaitable<void> tell(redis::client& c, std::string word) {
    std::vector<std::string> command{std::move(word)};
    const auto answer = co_await c.command(std::move(command));
    EXPECT_TRUE(answer && !answer->is_error());
}

asio::awaitable<session> opened(register_store& store) {
    for (;;) {
        auto s = co_await store.open(campaign);
        if (s) {
            co_return *s;
        }
        co_await runtime::sleep(std::chrono::milliseconds{2}); // the connection is being made anew
    }
}

const std::vector<mark> no_marks;

asio::awaitable<void> keeps_the_smallest_row_and_the_union(redis_server& s) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    const auto open = co_await opened(store);
    const auto shape = layout::of(2'000, 3);
    std::mt19937_64 random{7};
    std::map<crypto::hash128, entry> truth;
    constexpr std::array<std::uint32_t, 5> segments{0, 1, 3, 0x180, 0x80000001};
    for (int round = 0; round < 3; ++round) {
        std::vector<keyed_entry> entries;
        for (int i = 0; i < 4'000; ++i) {
            const entry e{static_cast<std::uint32_t>(1 + random() % 0xffffffff), segments[random() % segments.size()]};
            entries.push_back({hash_of(random() % 3'000), e});
            auto& known = truth[entries.back().key];
            known = merged(known, e);
        }
        const auto ok = co_await store.put(open, 1, shape, entries);
        EXPECT_TRUE(ok) << (ok ? "" : ok.error().why());
        const auto again = co_await store.put(open, 1, shape, entries);
        EXPECT_TRUE(again);
    }
    std::vector<crypto::hash128> keys;
    for (const auto& [hash, e] : truth) {
        keys.push_back(hash);
    }
    keys.push_back(hash_of(1'000'000));
    const auto found = co_await store.look_up(open, 1, shape, keys, no_marks);
    EXPECT_TRUE(found) << (found ? "" : found.error().why());
    for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
        EXPECT_EQ((*found)[i], truth[keys[i]]);
    }
    EXPECT_EQ(found->back(), entry{});
    const auto other_wave = co_await store.look_up(open, 2, shape, keys, no_marks);
    EXPECT_TRUE(other_wave);
    EXPECT_EQ(other_wave->front(), entry{}) << "waves do not mix";
}

asio::awaitable<void> answers_nothing_until_complete_and_nothing_after_a_flush(redis_server& s) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    const auto open = co_await opened(store);
    EXPECT_TRUE(open.made_now);
    const auto shape = layout::of(100, 3);
    const std::vector<keyed_entry> entries{{hash_of(1), {5, 1}}};
    const std::vector<crypto::hash128> keys{hash_of(1)};
    const std::vector<mark> required{{1, 0, 10}, {1, 1, 12}};
    EXPECT_TRUE(co_await store.put(open, 1, shape, entries));
    EXPECT_TRUE(co_await store.mark(open, required[0]));
    auto found = co_await store.look_up(open, 1, shape, keys, required);
    EXPECT_FALSE(found);
    EXPECT_EQ(found.error().what(), fault::kind::transient);
    EXPECT_NE(found.error().why().find("INCOMPLETE span 1:1"), std::string::npos) << found.error().why();
    EXPECT_TRUE(co_await store.mark(open, {1, 1, 11}));
    EXPECT_FALSE(co_await store.look_up(open, 1, shape, keys, required)) << "another end is another span";
    EXPECT_TRUE(co_await store.mark(open, required[1]));
    EXPECT_TRUE(co_await store.look_up(open, 1, shape, keys, required));
    EXPECT_TRUE(co_await store.confirm(open));

    co_await tell(c, "FLUSHALL");
    for (const auto& stale : {(co_await store.put(open, 1, shape, entries)), (co_await store.mark(open, required[0])),
                              (co_await store.confirm(open))}) {
        EXPECT_FALSE(stale);
        EXPECT_EQ(stale.error().what(), fault::kind::transient);
    }
    EXPECT_FALSE(co_await store.look_up(open, 1, shape, keys, required));
    const auto anew = co_await opened(store);
    EXPECT_TRUE(anew.made_now);
    EXPECT_NE(anew.head.marker, open.head.marker);
    EXPECT_TRUE(anew.head.finished.empty());
    EXPECT_FALSE(co_await store.put(open, 1, shape, entries)) << "whoever still has the old marker writes nothing";
}

asio::awaitable<void> does_not_believe_an_old_file(redis_server& s) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    const auto open = co_await opened(store);
    EXPECT_TRUE(co_await store.mark(open, {1, 0, 10}));
    co_await tell(c, "SAVE");
    s.kill();
    s.start();
    const auto anew = co_await opened(store);
    EXPECT_TRUE(anew.made_now) << "the marker came back with the file, but the server is another run";
    EXPECT_FALSE(anew.head.has({1, 0, 10}));
    const std::vector<crypto::hash128> keys{hash_of(1)};
    EXPECT_FALSE(co_await store.look_up(open, 1, layout::of(1, 1), keys, no_marks))
        << "a session ends with its connection";
}

asio::awaitable<void> makes_one_head_for_all(redis_server& s) {
    redis::client first{co_await asio::this_coro::executor, to(s)};
    redis::client second{co_await asio::this_coro::executor, to(s)};
    register_store a{first};
    register_store b{second};
    const auto x = co_await opened(a);
    const auto y = co_await opened(b);
    EXPECT_EQ(x.head.marker, y.head.marker);
    EXPECT_FALSE(y.made_now);
    EXPECT_TRUE(co_await b.condemn(y));
    EXPECT_TRUE(co_await a.condemn(x)) << "condemning what is gone already changes nothing";
    const auto z = co_await opened(a);
    EXPECT_FALSE(z.made_now) << "b's new head stands";
    EXPECT_NE(z.head.marker, x.head.marker);
}

std::vector<registered_wave> two_waves() {
    return {{1, layout::of(100'000, 1)}, {2, layout::of(10, 1)}};
}

/// An entry in the first and the last bucket of both waves, and each marked.
asio::awaitable<void> fill(register_store& store, const session& open) {
    for (const auto& wave : two_waves()) {
        crypto::hash128 first{};
        crypto::hash128 last{};
        last.fill(0xff);
        const std::vector<keyed_entry> entries{{first, {5, 1}}, {last, {6, 0}}};
        EXPECT_TRUE(co_await store.put(open, wave.number, wave.shape, entries));
        EXPECT_TRUE(co_await store.mark(open, {wave.number, 0, 10}));
    }
}

asio::awaitable<std::int64_t> keys_of(redis::client& c) {
    std::vector<std::string> command{"DBSIZE"};
    co_return (co_await c.command(std::move(command)))->integer;
}

asio::awaitable<void> takes_a_register_away_in_small_steps(redis_server& s) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    co_await c.connected();
    auto nothing = co_await store.begin_removal(campaign, two_waves());
    EXPECT_TRUE(nothing && nothing->marker.empty());
    EXPECT_FALSE((co_await store.remove_some(*nothing)).value()) << "there is no register";

    const auto open = co_await opened(store);
    co_await fill(store, open);
    auto removal = (co_await store.begin_removal(campaign, two_waves())).value();
    EXPECT_FALSE(co_await store.confirm(open)) << "from the first moment nobody believes what is left";
    const std::vector<crypto::hash128> keys{crypto::hash128{}};
    EXPECT_FALSE(co_await store.look_up(open, 1, two_waves()[0].shape, keys, no_marks));
    int steps = 0;
    for (; steps < 3; ++steps) {
        EXPECT_TRUE((co_await store.remove_some(removal)).value());
    }
    EXPECT_GT(co_await keys_of(c), 1) << "small steps: the larger wave is not gone yet";

    // Whoever did this dies here; another process goes on, both when the first one comes back.
    auto another = (co_await store.begin_removal(campaign, two_waves())).value();
    EXPECT_EQ(another.marker, removal.marker);
    while ((co_await store.remove_some(another)).value()) {
    }
    EXPECT_EQ(co_await keys_of(c), 0);
    EXPECT_FALSE(co_await store.remove_some(removal)) << "its head is gone";
    EXPECT_FALSE((co_await store.remove_some(another)).value()) << "nothing is left to do";
}

// A wave is added while the register goes: what is registered anew must not be touched, or whoever was told by an
// earlier wave would be told again.
asio::awaitable<void> removes_nothing_of_a_register_that_was_begun_anew(redis_server& s) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    const auto before = co_await opened(store);
    co_await fill(store, before);
    auto removal = (co_await store.begin_removal(campaign, two_waves())).value();
    EXPECT_TRUE((co_await store.remove_some(removal)).value());

    const auto open = co_await opened(store);
    EXPECT_TRUE(open.made_now) << "a head that stands for a removal is not believed";
    EXPECT_TRUE(open.head.finished.empty());
    co_await fill(store, open);
    EXPECT_FALSE(co_await store.remove_some(removal));
    const std::vector<mark> required{{1, 0, 10}, {2, 0, 10}};
    std::vector<crypto::hash128> keys(2);
    keys[1].fill(0xff);
    for (const auto& wave : two_waves()) {
        const auto found = co_await store.look_up(open, wave.number, wave.shape, keys, required);
        EXPECT_TRUE(found && (*found)[0] == (entry{5, 1}) && (*found)[1] == (entry{6, 0}));
    }
}

double used_memory(const redis::reply& info) {
    const auto at = info.text.find("used_memory:");
    return std::stod(info.text.substr(at + 12));
}

/// Bytes for each entry with so many rows of four entries.
asio::awaitable<double> measured(redis_server& s, std::uint64_t rows) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    const auto open = co_await opened(store);
    constexpr std::uint64_t per_row = 4; // an id and an address on each of three channels
    const auto shape = layout::of(rows, per_row - 1);
    const std::vector<std::string> info{"INFO", "memory"};
    const auto before = co_await c.command(info);
    const auto begin = steady_clock::now();
    std::vector<crypto::hash128> keys;
    for (std::uint32_t row = 1; row <= rows;) {
        std::vector<keyed_entry> entries;
        for (int i = 0; i < 4'000 && row <= rows; ++i, ++row) {
            for (std::uint64_t k = 0; k < per_row; ++k) {
                entries.push_back({hash_of(row * per_row + k), {row, row % 4 == 0 ? 1U : 0U}});
                keys.push_back(entries.back().key);
            }
        }
        EXPECT_TRUE(co_await store.put(open, 1, shape, entries));
    }
    const auto registered = steady_clock::now();
    for (std::size_t from = 0; from < keys.size(); from += 16'000) {
        const auto part = std::span{keys}.subspan(from, std::min<std::size_t>(16'000, keys.size() - from));
        EXPECT_TRUE(co_await store.look_up(open, 1, shape, part, no_marks));
    }
    const auto looked_up = steady_clock::now();
    const auto after = co_await c.command(info);
    const auto bytes = (used_memory(*after) - used_memory(*before)) / (rows * per_row);
    const auto rate = [&](auto from, auto until) { return rows / std::chrono::duration<double>(until - from).count(); };
    fmt::print("register: {:.1f} bytes an address ({} buckets); {:.0f} recipients/s written, {:.0f} looked up\n", bytes,
               1U << shape.bits(), rate(begin, registered), rate(registered, looked_up));
    co_return bytes;
}

/// What a seal says (address_register/memory.hpp), where a bucket holds as many entries as it ever does, and as few.
asio::awaitable<void> takes_the_memory_that_seal_says(redis_server& s) {
    for (const std::uint64_t rows : {65'536, 33'000}) {
        const auto bytes = co_await measured(s, rows);
        EXPECT_LE(bytes, address_register::bytes_an_entry * 1.02);
        EXPECT_GE(bytes, address_register::bytes_an_entry * 0.8)
            << "what is far too much refuses campaigns that would fit";
        EXPECT_LE(bytes, 40.0) << "docs/architecture.md";
        s.tell("FLUSHALL");
    }
}

TEST(RegisterStore, KeepsTheSmallestRowAndTheUnion) {
    redis_server s;
    run(s, keeps_the_smallest_row_and_the_union);
}
TEST(RegisterStore, AnswersNothingUntilCompleteAndNothingAfterAFlush) {
    redis_server s;
    run(s, answers_nothing_until_complete_and_nothing_after_a_flush);
}
TEST(RegisterStore, DoesNotBelieveAnOldFile) {
    redis_server s;
    run(s, does_not_believe_an_old_file);
}
TEST(RegisterStore, MakesOneHeadForAll) {
    redis_server s;
    run(s, makes_one_head_for_all);
}
TEST(RegisterStore, TakesARegisterAwayInSmallSteps) {
    redis_server s;
    run(s, takes_a_register_away_in_small_steps);
}
TEST(RegisterStore, RemovesNothingOfARegisterThatWasBegunAnew) {
    redis_server s;
    run(s, removes_nothing_of_a_register_that_was_begun_anew);
}
TEST(RegisterStore, TakesTheMemoryThatSealSays) {
    redis_server s;
    run(s, takes_the_memory_that_seal_says);
}

} // namespace
} // namespace semel::plan
