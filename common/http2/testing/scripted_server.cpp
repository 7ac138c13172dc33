#include "scripted_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <nghttp2/nghttp2.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <list>

namespace semel::http2::testing {
namespace {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using socket = asio::ssl::stream<tcp::socket>;

template <class T, auto F>
struct freed_by {
    void operator()(T* p) const noexcept { F(p); }
};
template <class T, auto F>
using handle = std::unique_ptr<T, freed_by<T, F>>;

std::string str(const std::uint8_t* p, std::size_t n) {
    return {reinterpret_cast<const char*>(p), n};
}

nghttp2_nv nv(const std::string& n, const std::string& v) {
    auto b = [](const std::string& s) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(s.data())); };
    return {b(n), b(v), n.size(), v.size(), 0};
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned n, void*) {
    static constexpr unsigned char h2[] = {2, 'h', '2'};
    return SSL_select_next_proto(const_cast<unsigned char**>(out), size, h2, sizeof h2, in, n) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

/// The certificate goes to `pem`, the key straight into the context.
void self_sign(SSL_CTX* ctx, const std::filesystem::path& pem) {
    const handle<EVP_PKEY, EVP_PKEY_free> key{EVP_EC_gen("P-256")};
    const handle<X509, X509_free> cert{X509_new()};
    auto* c = cert.get();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 24 * 3600);
    X509_set_pubkey(c, key.get());
    auto* name = X509_get_subject_name(c);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                               0);
    X509_set_issuer_name(c, name);
    const handle<X509_EXTENSION, X509_EXTENSION_free> names{
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1")};
    X509_add_ext(c, names.get(), -1);
    X509_sign(c, key.get(), EVP_sha256());
    SSL_CTX_use_certificate(ctx, c);
    SSL_CTX_use_PrivateKey(ctx, key.get());
    const handle<BIO, BIO_free_all> file{BIO_new_file(pem.c_str(), "w")};
    PEM_write_bio_X509(file.get(), c);
}

} // namespace

struct peer;

struct scripted_server::impl : std::enable_shared_from_this<impl> {
    impl(asio::any_io_executor on, handler h)
        : executor(std::move(on))
        , acceptor(executor, {asio::ip::address_v4::loopback(), 0})
        , tls(asio::ssl::context::tls_server)
        , answer(std::move(h)) {
        static std::atomic<int> counter = 0;
        ca = std::filesystem::temp_directory_path() / fmt::format("semel-test-ca-{}-{}.pem", ::getpid(), ++counter);
        self_sign(tls.native_handle(), ca);
        SSL_CTX_set_alpn_select_cb(tls.native_handle(), &choose_h2, nullptr);
    }
    ~impl() { std::filesystem::remove(ca); }

    asio::awaitable<void> accept();

    asio::any_io_executor executor;
    tcp::acceptor acceptor;
    asio::ssl::context tls;
    std::filesystem::path ca;
    handler answer;
    std::uint32_t streams = 100;
    std::optional<std::size_t> read_limit, write_limit;
    bool silent = false;
    int accepted = 0;
    std::size_t begun = 0;
    std::size_t reset = 0;
    std::vector<seen_request> complete;
    std::list<std::weak_ptr<peer>> peers;
};

/// One connection.
struct peer : std::enable_shared_from_this<peer> {
    peer(std::shared_ptr<scripted_server::impl> s, tcp::socket raw)
        : server(std::move(s))
        , stream(std::move(raw), server->tls)
        , wake(server->executor)
        , number(++server->accepted) {
        begin_session();
    }
    void begin_session() {
        nghttp2_session_callbacks* calls = nullptr;
        nghttp2_session_callbacks_new(&calls);
        listen(calls);
        nghttp2_session* raw = nullptr;
        nghttp2_session_server_new(&raw, calls, this);
        nghttp2_session_callbacks_del(calls);
        session.reset(raw);
        const nghttp2_settings_entry ours{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server->streams};
        nghttp2_submit_settings(raw, 0, &ours, 1);
    }
    static void listen(nghttp2_session_callbacks* calls) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(calls,
                                                                [](nghttp2_session*, const nghttp2_frame*, void* me) {
                                                                    ++self(me).server->begun;
                                                                    return 0;
                                                                });
        nghttp2_session_callbacks_set_on_header_callback(
            calls, [](nghttp2_session*, const nghttp2_frame* f, const std::uint8_t* n, std::size_t nl,
                      const std::uint8_t* v, std::size_t vl, std::uint8_t, void* me) {
                self(me).open[f->hd.stream_id].headers[str(n, nl)] = str(v, vl);
                return 0;
            });
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
            calls, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* d, std::size_t n, void* me) {
                self(me).open[id].body += str(d, n);
                return 0;
            });
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls,
                                                             [](nghttp2_session*, const nghttp2_frame* f, void* me) {
                                                                 self(me).received(*f);
                                                                 return 0;
                                                             });
    }
    static peer& self(void* me) { return *static_cast<peer*>(me); }

    void received(const nghttp2_frame& f) {
        const auto id = f.hd.stream_id;
        if (f.hd.type == NGHTTP2_RST_STREAM) {
            ++server->reset;
            open.erase(id);
        }
        if ((f.hd.type != NGHTTP2_DATA && f.hd.type != NGHTTP2_HEADERS) ||
            (f.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
            return;
        }
        auto request = std::move(open[id]);
        open.erase(id);
        request.connection = number;
        request.stream = id;
        server->complete.push_back(request);
        if (auto reply = server->answer(request)) {
            send(id, std::move(*reply));
        }
    }

    void send(std::int32_t id, scripted_answer reply) {
        if (reply.how != scripted_answer::end::normal) {
            nghttp2_submit_rst_stream(session.get(), 0, id,
                                      reply.how == scripted_answer::end::refused_stream ? NGHTTP2_REFUSED_STREAM
                                                                                        : NGHTTP2_INTERNAL_ERROR);
            return;
        }
        const std::string status_name = ":status";
        const auto status = std::to_string(reply.status);
        std::vector<nghttp2_nv> block{nv(status_name, status)};
        for (const auto& [name, value] : reply.headers) {
            block.push_back(nv(name, value));
        }
        auto& left = bodies[id] = std::move(reply.body);
        nghttp2_data_provider body{};
        body.source.ptr = &left;
        body.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t n, std::uint32_t* flags,
                                nghttp2_data_source* source, void*) -> ssize_t {
            auto& text = *static_cast<std::string*>(source->ptr);
            n = std::min(n, text.size());
            std::copy_n(text.begin(), n, out);
            text.erase(0, n);
            if (text.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_EOF;
            }
            return static_cast<ssize_t>(n);
        };
        nghttp2_submit_response(session.get(), id, block.data(), block.size(), left.empty() ? nullptr : &body);
    }

    void close() {
        error_code ignored;
        stream.lowest_layer().close(ignored);
        wake.cancel();
    }

    asio::awaitable<void> read() {
        error_code error;
        co_await stream.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(use_awaitable, error));
        shaken = !error;
        asio::co_spawn(server->executor, write(shared_from_this()), asio::detached);
        std::string buffer(16 * 1024, '\0');
        while (!error) {
            auto room = buffer.size();
            if (server->read_limit) {
                room = std::min(room, *server->read_limit - std::min(*server->read_limit, in));
                if (room == 0) {
                    break;
                }
            }
            const auto n =
                co_await stream.async_read_some(asio::buffer(buffer, room), asio::redirect_error(use_awaitable, error));
            in += n;
            if (error || server->silent) {
                continue;
            }
            if (nghttp2_session_mem_recv(session.get(), reinterpret_cast<const std::uint8_t*>(buffer.data()), n) < 0) {
                break;
            }
            wake.cancel();
        }
        close();
    }

    static asio::awaitable<void> write(std::shared_ptr<peer> me) {
        while (me->stream.lowest_layer().is_open() && me->shaken) {
            std::string all;
            const std::uint8_t* p = nullptr;
            for (ssize_t n = 0; (n = nghttp2_session_mem_send(me->session.get(), &p)) > 0;) {
                all += str(p, static_cast<std::size_t>(n));
            }
            const auto limit = me->server->write_limit;
            const bool cut = limit && me->out + all.size() >= *limit;
            if (cut) {
                all.resize(*limit - std::min(*limit, me->out));
            }
            error_code error;
            if (!all.empty()) {
                me->out += all.size();
                co_await asio::async_write(me->stream, asio::buffer(all), asio::redirect_error(use_awaitable, error));
            }
            if (error || cut) {
                me->close();
                co_return;
            }
            if (all.empty()) {
                me->wake.expires_at(asio::steady_timer::time_point::max());
                co_await me->wake.async_wait(asio::redirect_error(use_awaitable, error));
            }
        }
    }

    std::shared_ptr<scripted_server::impl> server;
    socket stream;
    asio::steady_timer wake;
    int number;
    bool shaken = false;
    std::size_t in = 0, out = 0;
    handle<nghttp2_session, nghttp2_session_del> session;
    std::map<std::int32_t, seen_request> open;
    std::map<std::int32_t, std::string> bodies;
};

asio::awaitable<void> scripted_server::impl::accept() {
    const auto self = shared_from_this();
    for (;;) {
        error_code error;
        auto raw = co_await acceptor.async_accept(asio::redirect_error(use_awaitable, error));
        if (error) {
            co_return;
        }
        raw.set_option(tcp::no_delay{true});
        auto p = std::make_shared<peer>(self, std::move(raw));
        peers.push_back(p);
        asio::co_spawn(executor, p->read(), [p](const std::exception_ptr&) {});
    }
}

scripted_server::scripted_server(asio::any_io_executor on, handler h)
    : impl_(std::make_shared<impl>(std::move(on), std::move(h))) {
    asio::co_spawn(impl_->executor, impl_->accept(), asio::detached);
}
scripted_server::~scripted_server() {
    impl_->acceptor.close();
    close_connections();
}

namespace {
template <class F>
void each(const std::list<std::weak_ptr<peer>>& peers, F f) {
    for (const auto& weak : peers) {
        if (const auto p = weak.lock()) {
            f(*p);
        }
    }
}
} // namespace

std::uint16_t scripted_server::port() const {
    return impl_->acceptor.local_endpoint().port();
}
std::string scripted_server::endpoint() const {
    return fmt::format("https://localhost:{}", port());
}
const std::filesystem::path& scripted_server::ca() const {
    return impl_->ca;
}
void scripted_server::answer_with(handler h) {
    impl_->answer = std::move(h);
}
void scripted_server::allow_streams(std::uint32_t n) {
    impl_->streams = n;
}
void scripted_server::cut_after_reading(std::optional<std::size_t> n) {
    impl_->read_limit = n;
}
void scripted_server::cut_after_writing(std::optional<std::size_t> n) {
    impl_->write_limit = n;
}
void scripted_server::fall_silent(bool on) {
    impl_->silent = on;
}
void scripted_server::goaway(std::int32_t last, std::uint32_t code) {
    each(impl_->peers, [&](peer& p) {
        nghttp2_submit_goaway(p.session.get(), 0, last, code, nullptr, 0);
        p.wake.cancel();
    });
}
void scripted_server::close_connections() {
    each(impl_->peers, [](peer& p) { p.close(); });
}
int scripted_server::connections_accepted() const {
    return impl_->accepted;
}
const std::vector<seen_request>& scripted_server::requests() const {
    return impl_->complete;
}
std::size_t scripted_server::streams_begun() const {
    return impl_->begun;
}
std::size_t scripted_server::streams_reset() const {
    return impl_->reset;
}
std::size_t scripted_server::bytes_read() const {
    const auto p = impl_->peers.empty() ? nullptr : impl_->peers.back().lock();
    return p ? p->in : 0;
}
std::size_t scripted_server::bytes_written() const {
    const auto p = impl_->peers.empty() ? nullptr : impl_->peers.back().lock();
    return p ? p->out : 0;
}

} // namespace semel::http2::testing
