#include "codec.hpp"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace semel::http2 {
namespace {

struct stream {
    std::string body;
    std::size_t offset = 0;
    bool held = false;
    bool last_byte_out = false; // handed to pending(): from here on only the peer's word is proof
    bool cancelled = false;
    std::string cancel_reason;
    response answer;
    std::size_t header_bytes = 0;
    bool headers_complete = false; // a final status (200 and up) with all its headers
    bool end_seen = false;
    bool overlong = false;
};

struct free_session {
    void operator()(nghttp2_session* s) const noexcept { nghttp2_session_del(s); }
};

nghttp2_nv pair(std::string_view name, std::string_view value, bool unique) {
    auto bytes = [](std::string_view s) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(s.data())); };
    return {bytes(name), bytes(value), name.size(), value.size(),
            static_cast<std::uint8_t>(unique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)};
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

} // namespace

std::string_view response::header_value(std::string_view name) const noexcept {
    const auto found = std::ranges::find(headers, name, &header::name);
    return found == headers.end() ? std::string_view{} : std::string_view{found->value};
}

struct codec::impl {
    explicit impl(std::size_t limit)
        : most(limit) {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_session_callbacks_new(&calls);
        const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> guard{
            calls, &nghttp2_session_callbacks_del};
        nghttp2_session_callbacks_set_on_header_callback(calls, &impl::on_header);
        nghttp2_session_callbacks_set_on_begin_headers_callback(calls, &impl::on_begin_headers);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, &impl::on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, &impl::on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, &impl::on_close);
        nghttp2_session* raw = nullptr;
        if (nghttp2_session_client_new(&raw, calls, this) != 0) {
            throw std::bad_alloc{};
        }
        session.reset(raw);
        const nghttp2_settings_entry ours[] = {
            {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
            {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, max_header_bytes},
        };
        nghttp2_submit_settings(raw, NGHTTP2_FLAG_NONE, ours, std::size(ours));
    }

    static impl& self(void* user) { return *static_cast<impl*>(user); }

    stream* find(stream_id id) {
        const auto found = streams.find(id);
        return found == streams.end() ? nullptr : &found->second;
    }

    static ssize_t read_body(nghttp2_session*, stream_id id, std::uint8_t* out, std::size_t size, std::uint32_t* flags,
                             nghttp2_data_source*, void* user) {
        auto* s = self(user).find(id);
        if (s == nullptr) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; // abandoned before its first frame: nghttp2 resets it
        }
        const auto left = s->body.size() - s->offset;
        const auto ready = s->held && left > 0 ? left - 1 : left;
        if (s->held && ready == 0) {
            return NGHTTP2_ERR_DEFERRED;
        }
        const auto n = std::min(size, ready);
        std::memcpy(out, s->body.data() + s->offset, n);
        s->offset += n;
        if (s->offset == s->body.size()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            s->last_byte_out = true;
        }
        return static_cast<ssize_t>(n);
    }

    // An interim response (1xx) or trailers may surround the final response; each header block starts here.
    static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto* s = self(user).find(frame->hd.stream_id);
        if (s != nullptr && !s->headers_complete) {
            s->answer.status = 0;
            s->answer.headers.clear();
            s->header_bytes = 0;
        }
        return 0;
    }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                         const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
        auto* s = self(user).find(frame->hd.stream_id);
        if (s == nullptr) {
            return 0;
        }
        const auto key = text(name, name_size);
        if (key == ":status") { // nghttp2 has checked that it is three digits
            s->answer.status = std::stoi(std::string{text(value, value_size)});
        } else if (s->answer.headers.size() < max_response_headers &&
                   s->header_bytes + name_size + value_size <= max_header_bytes) {
            s->header_bytes += name_size + value_size;
            s->answer.headers.push_back({std::string{key}, std::string{text(value, value_size)}});
        }
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto& me = self(user);
        switch (frame->hd.type) {
        case NGHTTP2_SETTINGS:
            me.peer_greeted = me.peer_greeted || (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
            break;
        case NGHTTP2_PING:
            if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && me.pings > 0) {
                --me.pings;
            }
            break;
        case NGHTTP2_GOAWAY:
            // nghttp2 closes the streams above the last id right after this callback.
            me.away = true;
            me.away_code = frame->goaway.error_code;
            me.away_last = frame->goaway.last_stream_id;
            break;
        case NGHTTP2_HEADERS:
            if (auto* s = me.find(frame->hd.stream_id); s != nullptr && s->answer.status >= 200) {
                s->headers_complete = true;
            }
            [[fallthrough]];
        case NGHTTP2_DATA:
            if (auto* s = me.find(frame->hd.stream_id);
                s != nullptr && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                s->end_seen = true;
                // An answer before the end of the request: nothing more will be asked of this stream.
                if (!s->last_byte_out) {
                    nghttp2_submit_rst_stream(me.session.get(), NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_CANCEL);
                }
            }
            break;
        default:
            break;
        }
        return 0;
    }

    static int on_data(nghttp2_session* session, std::uint8_t, stream_id id, const std::uint8_t* data, std::size_t size,
                       void* user) {
        auto* s = self(user).find(id);
        if (s == nullptr || s->overlong) {
            return 0;
        }
        if (s->answer.body.size() + size > max_response_body_bytes) {
            s->overlong = true;
            s->answer.body.clear();
            return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        }
        s->answer.body.append(text(data, size));
        return 0;
    }

    static int on_close(nghttp2_session*, stream_id id, std::uint32_t code, void* user) {
        auto& me = self(user);
        if (auto* s = me.find(id)) {
            me.finish(id, *s, me.failed_with(id, *s, code));
        }
        return 0;
    }

    failure failed_with(stream_id id, const stream& s, std::uint32_t code) const {
        using enum failure::certainty;
        if (s.cancelled) {
            return {s.last_byte_out ? unknown : not_processed, s.cancel_reason};
        }
        if (!s.last_byte_out) {
            return {not_processed, fmt::format("the stream ended ({}) before the last byte of the request was written",
                                               nghttp2_http2_strerror(code))};
        }
        if (away && id > away_last) {
            // A server that greets a new connection's first request with an error may have acted on it and failed:
            // its GOAWAY is not proof then (golang/net, commit ec05fdc).
            const bool proof = id != 1 || away_code == NGHTTP2_NO_ERROR;
            return {proof ? not_processed : unknown, fmt::format("the peer went away ({}) after stream {}",
                                                                 nghttp2_http2_strerror(away_code), away_last)};
        }
        if (code == NGHTTP2_REFUSED_STREAM) {
            return {not_processed, "the peer refused the stream"};
        }
        return {unknown, fmt::format("the peer reset the stream ({}) without an answer", nghttp2_http2_strerror(code))};
    }

    // Takes the stream out of the books.
    void finish(stream_id id, stream& s, failure otherwise) {
        if (s.headers_complete) {
            s.answer.complete = s.end_seen && !s.overlong;
            done.push_back({id, std::move(s.answer)});
        } else {
            done.push_back({id, std::unexpected{std::move(otherwise)}});
        }
        streams.erase(id);
    }

    std::size_t most;
    std::unique_ptr<nghttp2_session, free_session> session;
    std::unordered_map<stream_id, stream> streams;
    std::vector<finished> done;
    bool peer_greeted = false;
    bool away = false;
    bool leaving = false;
    std::uint32_t away_code = 0;
    stream_id away_last = 0;
    std::size_t pings = 0;
};

codec::codec(std::size_t streams)
    : impl_(std::make_unique<impl>(streams)) {}
codec::~codec() = default;

base::result<void> codec::feed(std::string_view bytes) {
    const auto n = nghttp2_session_mem_recv(impl_->session.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                            bytes.size());
    if (n < 0) {
        return base::failed(base::fault::kind::malformed, fmt::format("the peer does not speak HTTP/2 as it should: {}",
                                                                      nghttp2_strerror(static_cast<int>(n))));
    }
    return {};
}

void codec::pending(std::string& out, std::size_t enough) {
    while (out.size() < enough) {
        const std::uint8_t* data = nullptr;
        const auto n = nghttp2_session_mem_send(impl_->session.get(), &data);
        if (n <= 0) { // 0: nothing left; below: out of memory, which feed() and the peer will notice
            return;
        }
        out.append(text(data, static_cast<std::size_t>(n)));
    }
}

std::size_t codec::free_streams() const noexcept {
    if (going_away()) {
        return 0;
    }
    const std::size_t peer =
        impl_->peer_greeted
            ? nghttp2_session_get_remote_settings(impl_->session.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
            : 1;
    const auto most = std::min(impl_->most, peer);
    return most > impl_->streams.size() ? most - impl_->streams.size() : 0;
}

std::size_t codec::open_streams() const noexcept {
    return impl_->streams.size();
}

std::optional<stream_id> codec::submit(request&& r, bool hold) {
    if (free_streams() == 0) {
        return std::nullopt;
    }
    const auto length = std::to_string(r.body.size());
    std::vector<nghttp2_nv> block;
    block.reserve(r.headers.size() + 5);
    block.push_back(pair(":method", r.method, false));
    block.push_back(pair(":scheme", "https", false));
    block.push_back(pair(":authority", r.authority, false));
    block.push_back(pair(":path", r.path, true));
    for (const auto& h : r.headers) {
        block.push_back(pair(h.name, h.value, h.unique));
    }
    block.push_back(pair("content-length", length, false));
    nghttp2_data_provider body{};
    body.read_callback = &impl::read_body;
    const auto id = nghttp2_submit_request(impl_->session.get(), nullptr, block.data(), block.size(), &body, nullptr);
    if (id < 0) { // the 2^31 stream ids of a connection are used up
        goodbye();
        return std::nullopt;
    }
    auto& s = impl_->streams[id];
    s.body = std::move(r.body);
    s.held = hold;
    return id;
}

void codec::release(stream_id id) {
    if (auto* s = impl_->find(id); s != nullptr && s->held) {
        s->held = false;
        nghttp2_session_resume_data(impl_->session.get(), id); // fails when nothing waits yet: then nothing need resume
    }
}

void codec::cancel(stream_id id, std::string why) {
    auto* s = impl_->find(id);
    if (s == nullptr) {
        return;
    }
    s->cancelled = true;
    s->cancel_reason = std::move(why);
    nghttp2_submit_rst_stream(impl_->session.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    impl_->finish(id, *s, impl_->failed_with(id, *s, NGHTTP2_CANCEL));
}

void codec::abandon(stream_id id) {
    if (impl_->streams.erase(id) != 0) {
        nghttp2_submit_rst_stream(impl_->session.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    }
}

void codec::ping() {
    if (nghttp2_submit_ping(impl_->session.get(), NGHTTP2_FLAG_NONE, nullptr) == 0) {
        ++impl_->pings;
    }
}

std::size_t codec::pings_out() const noexcept {
    return impl_->pings;
}

void codec::goodbye() {
    if (!impl_->leaving) {
        impl_->leaving = true;
        // Our streams go on; the id says that we processed none of the peer's, as there are none.
        nghttp2_submit_goaway(impl_->session.get(), NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, nullptr, 0);
    }
}

void codec::lost(std::string_view why) {
    std::vector<stream_id> ids;
    ids.reserve(impl_->streams.size());
    for (const auto& [id, s] : impl_->streams) {
        ids.push_back(id);
    }
    std::ranges::sort(ids);
    for (const auto id : ids) {
        auto& s = impl_->streams.at(id);
        const auto sure = s.last_byte_out ? failure::certainty::unknown : failure::certainty::not_processed;
        impl_->finish(id, s, {sure, std::string{why}});
    }
    impl_->leaving = true;
}

bool codec::greeted() const noexcept {
    return impl_->peer_greeted;
}
bool codec::going_away() const noexcept {
    return impl_->away || impl_->leaving;
}
bool codec::over() const noexcept {
    auto* s = impl_->session.get();
    return (going_away() && impl_->streams.empty() && nghttp2_session_want_write(s) == 0) ||
           (nghttp2_session_want_read(s) == 0 && nghttp2_session_want_write(s) == 0);
}
bool codec::wants_write() const noexcept {
    return nghttp2_session_want_write(impl_->session.get()) != 0;
}

std::vector<finished> codec::take_finished() {
    return std::exchange(impl_->done, {});
}

} // namespace semel::http2
