#include "http2_session.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>

namespace semel::gateways {

namespace {

using fate = course::fate;

constexpr std::size_t most_output = std::size_t{256} * 1024;
constexpr std::size_t most_body = std::size_t{64} * 1024;
constexpr std::uint32_t most_streams = 1000;
constexpr std::int32_t window = 16 * 1024 * 1024; // so that no request waits for our WINDOW_UPDATE

std::uint8_t* octets(std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}
nghttp2_nv header(std::string_view name, std::string_view value) {
    return {octets(name), octets(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::int64_t unix_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

} // namespace

struct http2_session::stream {
    push_request request;
    std::optional<course> what;
    std::string body; // of the answer, as far as it is not sent
};

struct http2_session::callbacks {
    static http2_session& self(void* me) { return *static_cast<http2_session*>(me); }
    static stream* of(nghttp2_session* s, std::int32_t id) {
        return static_cast<stream*>(nghttp2_session_get_stream_user_data(s, id));
    }

    static int begin(nghttp2_session* s, const nghttp2_frame* f, void* me) {
        if (f->hd.type == NGHTTP2_HEADERS && f->headers.cat == NGHTTP2_HCAT_REQUEST) {
            auto& made = self(me).streams_[f->hd.stream_id] = std::make_unique<stream>();
            nghttp2_session_set_stream_user_data(s, f->hd.stream_id, made.get());
        }
        return 0;
    }

    static int on_header(nghttp2_session* s, const nghttp2_frame* f, const std::uint8_t* n, std::size_t n_size,
                         const std::uint8_t* v, std::size_t v_size, std::uint8_t, void*) {
        auto* const to = of(s, f->hd.stream_id);
        if (to == nullptr) {
            return 0;
        }
        auto& r = to->request;
        const std::string_view name{reinterpret_cast<const char*>(n), n_size};
        const std::array<std::pair<std::string_view, std::string*>, 10> known{
            {{":method", &r.method},
             {":path", &r.path},
             {"authorization", &r.authorization},
             {"content-type", &r.content_type},
             {"apns-id", &r.apns_id},
             {"apns-topic", &r.apns_topic},
             {"apns-collapse-id", &r.apns_collapse_id},
             {"apns-push-type", &r.apns_push_type},
             {"apns-priority", &r.apns_priority},
             {"apns-expiration", &r.apns_expiration}}};
        const auto* const found = std::ranges::find(known, name, &std::pair<std::string_view, std::string*>::first);
        if (found != known.end()) {
            r.header_twice = r.header_twice || !found->second->empty();
            found->second->assign(reinterpret_cast<const char*>(v), v_size);
        }
        return 0;
    }

    static int on_chunk(nghttp2_session* s, std::uint8_t, std::int32_t id, const std::uint8_t* d, std::size_t n,
                        void* me) {
        auto* const to = of(s, id);
        if (to == nullptr) {
            return 0;
        }
        if (to->request.body.size() + n > most_body) {
            self(me).desk_.violation("a body over 64 KiB");
            nghttp2_submit_rst_stream(s, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
            nghttp2_session_set_stream_user_data(s, id, nullptr);
            return 0;
        }
        to->request.body.append(reinterpret_cast<const char*>(d), n);
        self(me).on_body(id, *to);
        return self(me).closed_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static int on_frame(nghttp2_session* s, const nghttp2_frame* f, void* me) {
        auto* const to = f->hd.stream_id == 0 ? nullptr : of(s, f->hd.stream_id);
        if (to == nullptr || (f->hd.type != NGHTTP2_DATA && f->hd.type != NGHTTP2_HEADERS)) {
            return 0;
        }
        if (f->hd.type == NGHTTP2_HEADERS) {
            self(me).on_body(f->hd.stream_id, *to);
        }
        if ((f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !self(me).closed_) {
            self(me).on_end(f->hd.stream_id, *to);
        }
        return self(me).closed_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* me) {
        self(me).streams_.erase(id);
        return 0;
    }

    static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t n, std::uint32_t* flags,
                             nghttp2_data_source* source, void*) {
        auto& text = static_cast<stream*>(source->ptr)->body;
        n = std::min(n, text.size());
        std::copy_n(text.begin(), n, out);
        text.erase(0, n);
        if (text.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return static_cast<ssize_t>(n);
    }
};

void http2_session::freed::operator()(nghttp2_session* s) const noexcept {
    nghttp2_session_del(s);
}

http2_session::http2_session(desk& d, wire& w, push_server& server, std::uint64_t connection)
    : desk_(d)
    , wire_(w)
    , server_(server)
    , connection_(connection) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, &callbacks::begin);
    nghttp2_session_callbacks_set_on_header_callback(calls, &callbacks::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, &callbacks::on_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, &callbacks::on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, &callbacks::on_close);
    nghttp2_session* made = nullptr;
    nghttp2_session_server_new(&made, calls, this);
    nghttp2_session_callbacks_del(calls);
    frames_.reset(made);
    const std::array<nghttp2_settings_entry, 2> ours{{{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most_streams},
                                                      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, std::uint32_t{1} << 20U}}};
    nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, ours.data(), ours.size());
    nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, window);
}

http2_session::~http2_session() = default;

void http2_session::received(std::string_view bytes) {
    const auto n = nghttp2_session_mem_recv(frames_.get(), octets(bytes), bytes.size());
    if (n < 0 && !closed_) {
        desk_.violation("bytes that are not HTTP/2");
        wire_.hang_up();
    }
}

void http2_session::take_output(std::string& out) {
    const std::uint8_t* piece = nullptr;
    while (out.size() < most_output) {
        const auto n = nghttp2_session_mem_send(frames_.get(), &piece);
        if (n <= 0) {
            break;
        }
        out.append(reinterpret_cast<const char*>(piece), static_cast<std::size_t>(n));
    }
    if (nghttp2_session_want_read(frames_.get()) == 0 && nghttp2_session_want_write(frames_.get()) == 0) {
        wire_.hang_up();
    }
}

void http2_session::farewell() {
    nghttp2_submit_goaway(frames_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(frames_.get()),
                          NGHTTP2_NO_ERROR, nullptr, 0);
}

/// Nothing of the message was recorded, and nothing of it will be.
bool http2_session::decide_early(stream& s) {
    if (s.what || desk_.now().reset_before_last_byte <= 0) {
        return false;
    }
    const auto [id, address] = server_.early(s.request);
    if (id.empty()) {
        return false;
    }
    s.what = desk_.decide(id, address);
    return s.what->what == fate::reset_before_last_byte;
}

void http2_session::on_body(std::int32_t, stream& s) {
    if (decide_early(s)) {
        closed_ = true;
        desk_.was_reset();
        wire_.reset();
    }
}

void http2_session::on_end(std::int32_t id, stream& s) {
    const auto message = server_.check(s.request, unix_now());
    if (message.instead) {
        if (!message.rule.empty()) {
            desk_.violation(message.rule);
        } else if (message.instead->status >= 400) {
            desk_.refused(std::to_string(message.instead->status));
        }
        return give(id, *message.instead);
    }
    if (!s.what) {
        s.what = desk_.decide(message.id.empty() ? message.address : message.id, message.address);
    }
    const auto& what = *s.what;
    if (what.what == fate::reset_before_last_byte) {
        closed_ = true;
        desk_.was_reset();
        wire_.reset();
    } else if (what.what == fate::refuse) {
        desk_.refused(what.why.name);
        refuse(id, what, what.why, s.request);
    } else if (!desk_.has_room()) {
        const auto& why = desk_.now().throttle_answer;
        desk_.throttled(why.name);
        refuse(id, what, why, s.request);
    } else {
        accept(id, what, message, s.request.body);
    }
}

void http2_session::accept(std::int32_t id, const course& what, const checked_push& m, std::string_view body) {
    desk_.accept({.connection = connection_,
                  .id = m.id,
                  .address = m.address,
                  .gateway_message_id = m.gateway_message_id,
                  .content = body,
                  .more = m.more,
                  .fate = what.what});
    if (what.what == fate::accept_then_reset) {
        closed_ = true;
        desk_.was_reset();
        wire_.reset();
    } else if (what.what == fate::accept) {
        answer_later(id, what.delay, server_.accepted(m));
    }
}

void http2_session::refuse(std::int32_t id, const course& what, const refusal& why, const push_request& r) {
    if (why.refused_stream) {
        nghttp2_submit_rst_stream(frames_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    } else {
        answer_later(id, what.delay, server_.refused(why, desk_.now().retry_after, r));
    }
}

void http2_session::answer_later(std::int32_t id, std::chrono::microseconds delay, push_answer answer) {
    if (delay.count() <= 0) {
        return give(id, std::move(answer));
    }
    ++owed_;
    wire_.later(delay, [this, id, answer = std::move(answer)] {
        --owed_;
        give(id, answer);
    });
}

void http2_session::give(std::int32_t id, push_answer answer) {
    auto* const s = callbacks::of(frames_.get(), id);
    if (s == nullptr) {
        return; // reset by the client meanwhile
    }
    const auto status = std::to_string(answer.status);
    std::vector<nghttp2_nv> block{header(":status", status)};
    for (const auto& [name, value] : answer.headers) {
        block.push_back(header(name, value));
    }
    s->body = std::move(answer.body);
    const nghttp2_data_provider body{.source = {.ptr = s}, .read_callback = &callbacks::read_body};
    nghttp2_submit_response(frames_.get(), id, block.data(), block.size(), s->body.empty() ? nullptr : &body);
}

} // namespace semel::gateways
