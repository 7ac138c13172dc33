// The codec against nghttp2's own server side, byte by byte in memory.

#include <http2/codec.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <map>

namespace semel::http2 {
namespace {

using enum failure::certainty;

/// A scripted server: collects requests and answers when told.
class server {
  public:
    struct seen {
        std::map<std::string, std::string> headers;
        std::string body;
        bool complete = false;
        std::optional<std::uint32_t> reset;
    };

    explicit server(std::vector<nghttp2_settings_entry> settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}}) {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_session_callbacks_new(&calls);
        nghttp2_session_callbacks_set_on_header_callback(
            calls, [](nghttp2_session*, const nghttp2_frame* f, const std::uint8_t* n, std::size_t nl,
                      const std::uint8_t* v, std::size_t vl, std::uint8_t, void* me) {
                self(me).requests[f->hd.stream_id].headers[str(n, nl)] = str(v, vl);
                return 0;
            });
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
            calls, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* d, std::size_t n, void* me) {
                self(me).requests[id].body += str(d, n);
                return 0;
            });
        nghttp2_session_callbacks_set_on_frame_recv_callback(
            calls, [](nghttp2_session*, const nghttp2_frame* f, void* me) {
                auto& s = self(me);
                if ((f->hd.type == NGHTTP2_DATA || f->hd.type == NGHTTP2_HEADERS) &&
                    (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                    s.requests[f->hd.stream_id].complete = true;
                }
                if (f->hd.type == NGHTTP2_RST_STREAM) {
                    s.requests[f->hd.stream_id].reset = f->rst_stream.error_code;
                }
                s.goaway_seen = s.goaway_seen || f->hd.type == NGHTTP2_GOAWAY;
                return 0;
            });
        nghttp2_option* option = nullptr;
        nghttp2_option_new(&option);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_session_server_new2(&session, calls, this, option);
        nghttp2_option_del(option);
        nghttp2_session_callbacks_del(calls);
        nghttp2_submit_settings(session, 0, settings.data(), settings.size());
    }
    ~server() { nghttp2_session_del(session); }
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    void headers(std::int32_t id, const std::string& status, bool end, const std::string& apns_id = "the-id") {
        const nghttp2_nv block[] = {nv(":status", status), nv("apns-id", apns_id)};
        nghttp2_submit_headers(session, end ? NGHTTP2_FLAG_END_STREAM : 0, id, nullptr, block, 2, nullptr);
    }
    /// Call once for a stream, and let it go out before the next thing is submitted.
    void data(std::int32_t id, std::string bytes, bool end) {
        auto& s = answers[id];
        s = {std::move(bytes), end};
        nghttp2_data_provider p{};
        p.source.ptr = &s;
        p.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t n, std::uint32_t* flags,
                             nghttp2_data_source* source, void*) -> ssize_t {
            auto& [left, last] = *static_cast<std::pair<std::string, bool>*>(source->ptr);
            n = std::min(n, left.size());
            std::copy_n(left.begin(), n, out);
            left.erase(0, n);
            if (left.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_EOF;
            }
            return static_cast<ssize_t>(n);
        };
        nghttp2_submit_data(session, end ? NGHTTP2_FLAG_END_STREAM : 0, id, &p);
    }
    void goaway(std::int32_t last, std::uint32_t code) { nghttp2_submit_goaway(session, 0, last, code, nullptr, 0); }
    void reset(std::int32_t id, std::uint32_t code) { nghttp2_submit_rst_stream(session, 0, id, code); }
    void settings(std::vector<nghttp2_settings_entry> s) { nghttp2_submit_settings(session, 0, s.data(), s.size()); }

    std::string take() {
        std::string out;
        const std::uint8_t* p = nullptr;
        for (ssize_t n = 0; (n = nghttp2_session_mem_send(session, &p)) > 0;) {
            out += str(p, static_cast<std::size_t>(n));
        }
        return out;
    }
    void give(const std::string& bytes) {
        ASSERT_EQ(nghttp2_session_mem_recv(session, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
                  static_cast<ssize_t>(bytes.size()));
    }

    std::map<std::int32_t, seen> requests;
    bool goaway_seen = false;
    nghttp2_session* session = nullptr;

  private:
    static server& self(void* me) { return *static_cast<server*>(me); }
    static std::string str(const std::uint8_t* p, std::size_t n) { return {reinterpret_cast<const char*>(p), n}; }
    static nghttp2_nv nv(std::string_view n, const std::string& v) {
        auto b = [](std::string_view s) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(s.data())); };
        return {b(n), b(v), n.size(), v.size(), 0};
    }
    std::map<std::int32_t, std::pair<std::string, bool>> answers;
};

std::string pull(codec& c) {
    std::string out;
    c.pending(out, std::size_t(-1));
    return out;
}

/// Moves bytes both ways until neither side has any.
void settle(codec& c, server& s) {
    for (;;) {
        const auto up = pull(c);
        if (!up.empty()) {
            s.give(up);
        }
        const auto down = s.take();
        if (!down.empty()) {
            const auto fed = c.feed(down);
            ASSERT_TRUE(fed) << fed.error().why();
        }
        if (up.empty() && down.empty()) {
            return;
        }
    }
}

request a_request(std::string body = "{\"aps\":{}}") {
    request r;
    r.authority = "push.example.com";
    r.path = "/3/device/00fc13";
    r.headers = {{"apns-topic", "com.example.app"}};
    r.body = std::move(body);
    return r;
}

finished the_end(codec& c) {
    auto all = c.take_finished();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? finished{} : std::move(all.front());
}

class Codec : public ::testing::Test {
  protected:
    void SetUp() override { settle(c, s); }
    stream_id sent(bool hold) {
        const auto id = c.submit(a_request(), hold);
        EXPECT_TRUE(id);
        settle(c, s);
        return id.value_or(0);
    }
    server s;
    codec c{100};
};

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
    s.data(id, std::string(codec::max_response_body + 1, 'x'), true);
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
