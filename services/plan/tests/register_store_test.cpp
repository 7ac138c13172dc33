#include <runtime/tasks.hpp>

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

double used_memory(const redis::reply& info) {
    const auto at = info.text.find("used_memory:");
    return std::stod(info.text.substr(at + 12));
}

/// The figure of design.md, section 4: at most 40 bytes of Redis for an address.
asio::awaitable<void> costs_at_most_forty_bytes_an_address(redis_server& s) {
    redis::client c{co_await asio::this_coro::executor, to(s)};
    register_store store{c};
    const auto open = co_await opened(store);
    constexpr std::uint64_t rows = 60'000;
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
    EXPECT_LE(bytes, 40.0);
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
TEST(RegisterStore, CostsAtMostFortyBytesAnAddress) {
    redis_server s;
    run(s, costs_at_most_forty_bytes_an_address);
}

} // namespace
} // namespace semel::plan
