// The scripts of the claims, in a Redis of the test's own.

#include <delivery/redis/claims.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>
#include <support/redis_server.hpp>
#include <support/slowness.hpp>

#include <functional>

namespace semel::delivery {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

const kafka::topic_partition place{"dispatch.sms", 3};

struct ClaimsTest : testing::Test {
    void play(const std::function<asio::awaitable<void>()>& story) {
        bool ended = false;
        asio::co_spawn(io, story(), [&](std::exception_ptr e) {
            ended = true;
            io.stop();
            if (e) {
                std::rethrow_exception(e);
            }
        });
        io.restart();
        io.run_for(10s * support::slowness);
        ASSERT_TRUE(ended) << "the story did not end";
    }
    static marker mark(unsigned char n) {
        marker m{};
        m.fill(n);
        return m;
    }
    head head_of(std::uint64_t owner, unsigned char n) {
        return {.owner = owner, .marker = mark(n), .server = redis.identity()};
    }
    static claim_ref ref(kafka::offset at, std::uint32_t attempt = 1) {
        return {.at = at, .field = claim_field(std::string(32, static_cast<char>(at)), attempt)};
    }

    support::redis_server server;
    asio::io_context io;
    redis::client redis{io.get_executor(), {.host = "127.0.0.1", .port = server.port()}};
    delivery::claims mine{io.get_executor(), redis, place};
    delivery::claims theirs{io.get_executor(), redis, place};
};

TEST_F(ClaimsTest, AHeadIsRaisedAndNeverLowered) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        const auto none = co_await mine.raise(5, mark(1));
        EXPECT_TRUE(none && !*none) << "no head stood there";
        const auto before = co_await theirs.raise(6, mark(2));
        EXPECT_TRUE(before && *before && **before == head_of(5, 1)) << "the marker stays, the owner rises";
        const auto refused = co_await mine.raise(5, mark(3));
        EXPECT_TRUE(!refused && refused.error().what() == base::fault::kind::permanent);
        const auto h = head_of(5, 3);
        const auto rebuilt = co_await mine.rebuild(h, {});
        EXPECT_TRUE(!rebuilt && rebuilt.error().what() == base::fault::kind::permanent);
    });
}

TEST_F(ClaimsTest, OnlyTheOwnerUnderItsMarkerClaims) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        co_await mine.raise(5, mark(1));
        mine.use(head_of(5, 1));
        EXPECT_EQ(co_await mine.take(ref(1), "a", false), claim_answer::mine);
        co_await theirs.raise(6, mark(2));
        EXPECT_EQ(co_await mine.take(ref(2), "a", false), claim_answer::stale) << "another owner";
        theirs.use(head_of(6, 9));
        EXPECT_EQ(co_await theirs.take(ref(2), "a", false), claim_answer::stale) << "another marker";
        theirs.use(head_of(6, 1));
        EXPECT_EQ(co_await theirs.take(ref(1), "a", false), claim_answer::taken);
        EXPECT_EQ(co_await theirs.take(ref(2), "a", false), claim_answer::mine);
        co_await redis.command({"FLUSHALL"});
        EXPECT_EQ(co_await theirs.take(ref(3), "a", false), claim_answer::stale) << "no head at all";
    });
}

TEST_F(ClaimsTest, AClaimWhoseReplyWasLostIsFoundAgainAndNoOther) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        co_await mine.raise(5, mark(1));
        mine.use(head_of(5, 1));
        EXPECT_EQ(co_await mine.take(ref(1), "a", false), claim_answer::mine);
        EXPECT_EQ(co_await mine.take(ref(1), "a", false), claim_answer::taken) << "a second record of the message";
        EXPECT_EQ(co_await mine.take(ref(1), "b", true), claim_answer::mine) << "asked for before";
        std::vector<claim_ref> refs{ref(1)};
        const auto now = head_of(5, 1);
        const auto found = co_await mine.look_up(now, std::move(refs));
        EXPECT_TRUE(found && found->at(0) && gateway_of_claim(*found->at(0)) == "b");
        EXPECT_TRUE(found && found->at(0) && parts_of_claim(*found->at(0)) == 1);
        co_await mine.raise(50, mark(1)); // "5" is not a prefix of "50:"
        mine.use(head_of(50, 1));
        EXPECT_EQ(co_await mine.take(ref(1), "a", true), claim_answer::taken) << "the former owner's";
    });
}

TEST_F(ClaimsTest, AnOutcomeIsNotedOverOnesOwnClaimOnly) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        co_await mine.raise(5, mark(1));
        mine.use(head_of(5, 1));
        EXPECT_EQ(co_await mine.take(ref(1), "a", false), claim_answer::mine);
        const claim_outcome outcome{.what = verdict::kind::accepted,
                                    .gateway = "a",
                                    .code = "0",
                                    .message_id = "id:7",
                                    .content_sha256 = std::string(32, '\0')};
        mine.note(ref(1), outcome);
        mine.note(ref(2), outcome); // never claimed
        std::vector<std::optional<std::string>> found;
        const auto now = head_of(5, 1);
        for (int i = 0; i < 200 && (found.empty() || !found[0] || !decode_outcome(*found[0])); ++i) {
            std::vector<claim_ref> refs{ref(1), ref(2), ref(5'000)};
            found = (co_await mine.look_up(now, std::move(refs))).value();
        }
        const auto read = decode_outcome(found.at(0).value());
        EXPECT_TRUE(read && read->message_id == "id:7" && read->gateway == "a" && read->content_sha256.size() == 32);
        EXPECT_FALSE(found.at(1));
        EXPECT_FALSE(found.at(2));
    });
}

TEST_F(ClaimsTest, ALookUnderAnotherHeadProvesNothingAndWritesNothing) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        std::vector<claim_ref> refs{ref(1)};
        const auto h = head_of(5, 1);
        const auto found = co_await mine.look_up(h, std::move(refs));
        EXPECT_TRUE(!found && found.error().what() == base::fault::kind::malformed);
        const auto keys = co_await redis.command({"DBSIZE"});
        EXPECT_EQ(keys->integer, 0);
    });
}

TEST_F(ClaimsTest, ARebuiltHeadBringsItsClaimsBackAndDroppedBlocksAreGone) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        const auto h = head_of(7, 4);
        std::vector<std::pair<claim_ref, std::string>> open;
        open.emplace_back(ref(10), encode_claim(7, "a"));
        open.emplace_back(ref(1'500), encode_claim(7, "a"));
        EXPECT_TRUE(co_await mine.rebuild(h, std::move(open)));
        mine.use(h);
        EXPECT_EQ(co_await mine.take(ref(10), "a", true), claim_answer::mine);
        mine.drop_below(1'400);
        std::vector<std::optional<std::string>> found;
        for (int i = 0; i < 200 && (found.empty() || found[0]); ++i) {
            std::vector<claim_ref> refs{ref(10), ref(1'500)};
            found = (co_await mine.look_up(h, std::move(refs))).value();
        }
        EXPECT_FALSE(found.at(0));
        EXPECT_TRUE(found.at(1)) << "its block is not wholly below";
    });
}

TEST_F(ClaimsTest, WhatCouldNotBeDroppedIsDroppedWithTheNextOnes) {
    play([this]() -> asio::awaitable<void> {
        co_await redis.connected();
        const auto h = head_of(7, 4);
        std::vector<std::pair<claim_ref, std::string>> open;
        open.emplace_back(ref(10), encode_claim(7, "a"));
        open.emplace_back(ref(200 * claims::block_size), encode_claim(7, "a"));
        EXPECT_TRUE(co_await mine.rebuild(h, std::move(open)));
        server.tell("SAVE");
        server.kill();
        mine.drop_below(2 * claims::block_size);
        while (redis.trouble().empty()) { // until the loss is noticed, with everything that was out
            co_await asio::post(asio::use_awaitable);
        }
        server.start();
        co_await redis.connected();
        EXPECT_EQ(server.tell("DBSIZE"), "3\n") << "a head and two blocks";
        mine.drop_below(201 * claims::block_size);
        for (int i = 0; i < 200 && server.tell("DBSIZE") != "1\n"; ++i) {
            co_await asio::post(asio::use_awaitable);
        }
        EXPECT_EQ(server.tell("DBSIZE"), "1\n") << "the head";
    });
}

} // namespace
} // namespace semel::delivery
