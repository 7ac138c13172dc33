// The codec against nghttp2's own server side, byte by byte in memory.

#include "codec_peer.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace semel::http2 {
namespace {

TEST(CodecGreeting, OneStreamUntilThePeersSettingsCame) {
    server s;
    codec c{100};
    EXPECT_FALSE(c.greeted());
    EXPECT_EQ(c.free_streams(), 1U);
    EXPECT_TRUE(c.submit(a_request(), false));
    EXPECT_FALSE(c.submit(a_request(), false));
    settle(c, s);
    EXPECT_TRUE(c.greeted());
    EXPECT_EQ(c.free_streams(), 99U);
}

TEST(CodecGreeting, TheSmallerOfBothLimitsHolds) {
    server few{{{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3}}};
    codec c{100};
    settle(c, few);
    EXPECT_EQ(c.free_streams(), 3U);
    few.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000}});
    settle(c, few);
    EXPECT_EQ(c.free_streams(), 100U);
    few.settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0}});
    settle(c, few);
    EXPECT_EQ(c.free_streams(), 0U);
    EXPECT_FALSE(c.submit(a_request(), false));
}

TEST_F(Codec, CarriesARequestAndItsAnswer) {
    const auto id = sent(false);
    const auto& r = s.requests[id];
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.body, "{\"aps\":{}}");
    EXPECT_EQ(r.headers.at(":path"), "/3/device/00fc13");
    EXPECT_EQ(r.headers.at(":scheme"), "https");
    EXPECT_EQ(r.headers.at("content-length"), "10");
    s.headers(id, "400", false);
    s.data(id, R"({"reason":"BadTopic"})", true);
    settle(c, s);
    const auto end = the_end(c);
    ASSERT_TRUE(end.result);
    EXPECT_EQ(end.id, id);
    EXPECT_EQ(end.result->status, 400);
    EXPECT_EQ(end.result->body, R"({"reason":"BadTopic"})");
    EXPECT_EQ(end.result->header_value("apns-id"), "the-id");
    EXPECT_TRUE(end.result->complete);
    EXPECT_EQ(c.open_streams(), 0U);
}

TEST_F(Codec, HoldsTheLastByteUntilReleased) {
    const auto id = sent(true);
    EXPECT_EQ(s.requests[id].body, "{\"aps\":{}");
    EXPECT_FALSE(s.requests[id].complete);
    c.release(id);
    settle(c, s);
    EXPECT_EQ(s.requests[id].body, "{\"aps\":{}}");
    EXPECT_TRUE(s.requests[id].complete);
}

TEST_F(Codec, ReleasedBeforeItsFirstWriteIsSentWhole) {
    const auto id = c.submit(a_request(), true);
    c.release(*id);
    settle(c, s);
    EXPECT_TRUE(s.requests[*id].complete);
}

TEST_F(Codec, AnEmptyBodyHoldsBackTheEndOfTheStream) {
    const auto id = c.submit(a_request(""), true);
    settle(c, s);
    EXPECT_FALSE(s.requests[*id].complete);
    c.release(*id);
    settle(c, s);
    EXPECT_TRUE(s.requests[*id].complete);
}

TEST_F(Codec, AWithdrawnRequestNeverShowsItsLastByte) {
    const auto id = sent(true);
    c.abandon(id);
    c.release(id);
    settle(c, s);
    EXPECT_FALSE(s.requests[id].complete);
    EXPECT_EQ(s.requests[id].body, "{\"aps\":{}");
    EXPECT_EQ(s.requests[id].reset, NGHTTP2_CANCEL);
    EXPECT_TRUE(c.take_finished().empty());
    EXPECT_EQ(c.free_streams(), 100U);
}

TEST_F(Codec, ARequestWithdrawnBeforeItsFirstWriteIsNeverSeen) {
    const auto id = c.submit(a_request(), true);
    c.abandon(*id);
    settle(c, s);
    EXPECT_FALSE(s.requests[*id].complete);
    EXPECT_TRUE(s.requests[*id].headers.empty());
    sent(false); // and the connection goes on
}

TEST_F(Codec, CancelledWhileHeldIsCertain) {
    const auto id = sent(true);
    c.cancel(id, "no answer within 5 ms");
    const auto end = the_end(c);
    ASSERT_FALSE(end.result);
    EXPECT_EQ(end.result.error().sure, not_processed);
    EXPECT_EQ(end.result.error().why, "no answer within 5 ms");
    settle(c, s);
    EXPECT_EQ(s.requests[id].reset, NGHTTP2_CANCEL);
}

TEST_F(Codec, CancelledAfterTheLastByteIsUnknown) {
    c.cancel(sent(false), "no answer");
    EXPECT_EQ(the_end(c).result.error().sure, unknown);
}

TEST_F(Codec, ReleasedButNotYetWrittenIsStillCertain) {
    const auto id = sent(true);
    c.release(id);
    c.lost("gone"); // pending() has not handed out the last byte
    EXPECT_EQ(the_end(c).result.error().sure, not_processed);
}

TEST_F(Codec, RefusedStreamIsCertain) {
    s.reset(sent(false), NGHTTP2_REFUSED_STREAM);
    settle(c, s);
    EXPECT_EQ(the_end(c).result.error().sure, not_processed);
}

TEST_F(Codec, AnyOtherResetAfterTheLastByteIsUnknown) {
    for (const auto code : {NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_PROTOCOL_ERROR}) {
        s.reset(sent(false), code);
        settle(c, s);
        EXPECT_EQ(the_end(c).result.error().sure, unknown) << code;
    }
}

TEST_F(Codec, AnyResetWhileHeldIsCertain) {
    for (const auto code : {NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM}) {
        s.reset(sent(true), code);
        settle(c, s);
        EXPECT_EQ(the_end(c).result.error().sure, not_processed) << code;
    }
}

TEST_F(Codec, GoawaySplitsTheStreamsAtItsLastId) {
    const auto first = sent(false);
    const auto second = sent(false);
    const auto held = sent(true);
    s.goaway(first, NGHTTP2_NO_ERROR);
    settle(c, s);
    EXPECT_TRUE(c.going_away());
    EXPECT_EQ(c.free_streams(), 0U);
    std::map<stream_id, failure::certainty> ends;
    for (const auto& e : c.take_finished()) {
        ends[e.id] = e.result.error().sure;
    }
    EXPECT_THAT(ends, ::testing::UnorderedElementsAre(::testing::Pair(second, not_processed),
                                                      ::testing::Pair(held, not_processed)));
    EXPECT_FALSE(c.over());
    s.headers(first, "200", true);
    settle(c, s);
    EXPECT_EQ(the_end(c).result->status, 200);
    EXPECT_TRUE(c.over());
}

TEST_F(Codec, AnErrorGoawayIsProofForLaterStreamsOnly) {
    sent(false);
    const auto second = sent(false);
    s.goaway(0, NGHTTP2_INTERNAL_ERROR);
    settle(c, s);
    for (const auto& e : c.take_finished()) {
        EXPECT_EQ(e.result.error().sure, e.id == second ? not_processed : unknown) << e.id;
    }
}

TEST_F(Codec, AGracefulGoawayIsProofForTheFirstStreamToo) {
    sent(false);
    s.goaway(0, NGHTTP2_NO_ERROR);
    settle(c, s);
    EXPECT_EQ(the_end(c).result.error().sure, not_processed);
}

TEST_F(Codec, AHeldFirstStreamIsCertainUnderAnErrorGoaway) {
    sent(true);
    s.goaway(0, NGHTTP2_INTERNAL_ERROR);
    settle(c, s);
    EXPECT_EQ(the_end(c).result.error().sure, not_processed);
}

TEST_F(Codec, SubmittedButUnsentStreamsAreCertainUnderAGoaway) {
    ASSERT_TRUE(c.submit(a_request(), false));
    s.goaway(0, NGHTTP2_INTERNAL_ERROR);
    ASSERT_TRUE(c.feed(s.take()));
    settle(c, s);
    EXPECT_EQ(the_end(c).result.error().sure, not_processed);
    EXPECT_TRUE(s.requests.empty());
}

TEST_F(Codec, LosingTheConnectionIsUnknownOnlyForWhatWasWritten) {
    const auto whole = sent(false);
    const auto held = sent(true);
    c.lost("reset by peer");
    const auto ends = c.take_finished();
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_EQ(ends[0].id, whole);
    EXPECT_EQ(ends[0].result.error().sure, unknown);
    EXPECT_EQ(ends[1].id, held);
    EXPECT_EQ(ends[1].result.error().sure, not_processed);
    EXPECT_EQ(ends[0].result.error().why, "reset by peer");
    EXPECT_FALSE(c.submit(a_request(), false));
}

TEST_F(Codec, AStatusCountsEvenWhenItsBodyWasCut) {
    const auto id = sent(false);
    s.headers(id, "200", false);
    settle(c, s);
    EXPECT_TRUE(c.take_finished().empty());
    c.lost("gone");
    const auto end = the_end(c);
    ASSERT_TRUE(end.result);
    EXPECT_EQ(end.result->status, 200);
    EXPECT_FALSE(end.result->complete);
}

// Every prefix of an answer, then silence: never a certain "not processed", and a status only when it was whole.
TEST_F(Codec, AnAnswerCutAtAnyByteIsAStatusOrUnknown) {
    const auto id = sent(false);
    s.headers(id, "200", true);
    const auto answer = s.take();
    ASSERT_FALSE(answer.empty());
    for (std::size_t n = 0; n <= answer.size(); ++n) {
        server again;
        codec other{100};
        settle(other, again);
        const auto same = other.submit(a_request(), false);
        settle(other, again);
        again.headers(*same, "200", true);
        ASSERT_TRUE(other.feed(again.take().substr(0, n)));
        other.lost("cut");
        const auto end = the_end(other);
        if (n == answer.size()) {
            EXPECT_TRUE(end.result);
        } else {
            ASSERT_FALSE(end.result) << n;
            EXPECT_EQ(end.result.error().sure, unknown) << n;
        }
    }
}

TEST_F(Codec, InterimResponsesAreNoAnswer) {
    const auto id = sent(false);
    const std::string name = ":status";
    const std::string value = "103";
    const nghttp2_nv hint{reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                          0};
    nghttp2_submit_headers(s.session, 0, id, nullptr, &hint, 1, nullptr);
    settle(c, s);
    EXPECT_TRUE(c.take_finished().empty());
    s.headers(id, "200", true);
    settle(c, s);
    EXPECT_EQ(the_end(c).result->status, 200);
}

TEST_F(Codec, AnAnswerBeforeTheLastByteIsTakenAndTheStreamClosed) {
    const auto id = sent(true);
    s.headers(id, "403", false);
    s.data(id, R"({"reason":"MissingTopic"})", true);
    settle(c, s);
    const auto end = the_end(c);
    ASSERT_TRUE(end.result);
    EXPECT_EQ(end.result->status, 403);
    EXPECT_FALSE(s.requests[id].complete);
    EXPECT_EQ(c.open_streams(), 0U);
}

TEST_F(Codec, AnEndlessBodyIsCutOff) {
    const auto id = sent(false);
    s.headers(id, "500", false);
    s.data(id, std::string(codec::max_response_body_bytes + 1, 'x'), true);
    settle(c, s);
    const auto end = the_end(c);
    ASSERT_TRUE(end.result);
    EXPECT_EQ(end.result->status, 500);
    EXPECT_FALSE(end.result->complete);
    EXPECT_TRUE(end.result->body.empty());
    sent(false);
}

TEST_F(Codec, TooManyHeadersAreDropped) {
    const auto id = sent(false);
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) {
        names.push_back(fmt::format("x-{}", i));
    }
    const std::string value = "v";
    const std::string status = ":status";
    const std::string ok = "200";
    auto b = [](const std::string& t) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(t.data())); };
    std::vector<nghttp2_nv> block{{b(status), b(ok), status.size(), ok.size(), 0}};
    for (const auto& n : names) {
        block.push_back({b(n), b(value), n.size(), value.size(), 0});
    }
    nghttp2_submit_headers(s.session, NGHTTP2_FLAG_END_STREAM, id, nullptr, block.data(), block.size(), nullptr);
    settle(c, s);
    EXPECT_EQ(the_end(c).result->headers.size(), codec::max_response_headers);
}

TEST(CodecFlow, ABodyBeyondThePeersWindowWaitsForIt) {
    server narrow{{{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4}}};
    codec c{100};
    settle(c, narrow);
    const auto id = c.submit(a_request(), false);
    settle(c, narrow);
    EXPECT_EQ(narrow.requests[*id].body, "{\"ap");
    c.lost("gone"); // the last byte never left
    EXPECT_EQ(the_end(c).result.error().sure, not_processed);
}

TEST(CodecFlow, TheWindowOpensAgain) {
    server narrow{{{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4}}};
    codec c{100};
    settle(c, narrow);
    const auto id = c.submit(a_request(), true);
    settle(c, narrow);
    c.release(*id);
    settle(c, narrow);
    EXPECT_FALSE(narrow.requests[*id].complete);
    narrow.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535}});
    settle(c, narrow);
    EXPECT_TRUE(narrow.requests[*id].complete);
}

TEST_F(Codec, ManyStreamsLeaveInOneBatch) {
    std::vector<stream_id> ids;
    for (int i = 0; i < 100; ++i) {
        ids.push_back(*c.submit(a_request(), true));
    }
    settle(c, s);
    for (const auto id : ids) {
        c.release(id);
    }
    s.give(pull(c));
    EXPECT_EQ(std::ranges::count_if(s.requests, [](const auto& r) { return r.second.complete; }), 100);
}

TEST_F(Codec, PingIsCountedUntilItsAnswer) {
    c.ping();
    EXPECT_EQ(c.pings_out(), 1U);
    settle(c, s);
    EXPECT_EQ(c.pings_out(), 0U);
}

TEST_F(Codec, GoodbyeLetsOpenStreamsEnd) {
    const auto id = sent(false);
    c.goodbye();
    EXPECT_EQ(c.free_streams(), 0U);
    settle(c, s);
    EXPECT_TRUE(s.goaway_seen);
    EXPECT_FALSE(c.over());
    s.headers(id, "200", true);
    settle(c, s);
    EXPECT_EQ(the_end(c).result->status, 200);
    EXPECT_TRUE(c.over());
}

TEST_F(Codec, GarbageEndsTheConnection) {
    sent(false);
    const auto fed = c.feed("HTTP/1.1 400 Bad Request\r\n\r\n");
    pull(c);
    EXPECT_TRUE(!fed || c.over());
    c.lost("garbage");
    EXPECT_EQ(the_end(c).result.error().sure, unknown);
}

} // namespace
} // namespace semel::http2
