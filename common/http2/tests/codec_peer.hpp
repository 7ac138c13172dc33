#pragma once
// nghttp2's own server side as the codec's peer, byte by byte in memory.

#include <http2/codec.hpp>

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace semel::http2 {

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

inline std::string pull(codec& c) {
    std::string out;
    c.pending(out, std::size_t(-1));
    return out;
}

/// Moves bytes both ways until neither side has any.
inline void settle(codec& c, server& s) {
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

inline request a_request(std::string body = "{\"aps\":{}}") {
    request r;
    r.authority = "push.example.com";
    r.path = "/3/device/00fc13";
    r.headers = {{"apns-topic", "com.example.app"}};
    r.body = std::move(body);
    return r;
}

inline finished the_end(codec& c) {
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

} // namespace semel::http2
