#include <http/client.hpp>
#include <runtime/gate.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace semel::http {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::ip::tcp;

/// A server with a self-signed certificate for one name.
class tls_server {
  public:
    tls_server(asio::io_context& io, const std::string& name)
        : context_(asio::ssl::context::tls_server)
        , acceptor_(io, {asio::ip::address_v4::loopback(), 0}) {
        std::string pattern = (fs::temp_directory_path() / "semel-tls-XXXXXX").string();
        dir_ = ::mkdtemp(pattern.data());
        const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
        const std::unique_ptr<X509, decltype(&X509_free)> certificate{X509_new(), X509_free};
        X509_set_version(certificate.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
        X509_set_pubkey(certificate.get(), key.get());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
        X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
        auto* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
        X509_add_ext(certificate.get(), names, -1);
        X509_EXTENSION_free(names);
        X509_sign(certificate.get(), key.get(), EVP_sha256());
        auto* file = std::fopen(ca().c_str(), "w");
        PEM_write_X509(file, certificate.get());
        std::fclose(file);
        ::SSL_CTX_use_certificate(context_.native_handle(), certificate.get());
        ::SSL_CTX_use_PrivateKey(context_.native_handle(), key.get());
    }
    tls_server(const tls_server&) = delete;
    tls_server& operator=(const tls_server&) = delete;
    ~tls_server() { fs::remove_all(dir_); }

    fs::path ca() const { return dir_ / "ca.pem"; }
    std::string base() { return fmt::format("https://localhost:{}", acceptor_.local_endpoint().port()); }
    const std::string& server_name() const { return server_name_; }

    /// One connection, two answers.
    asio::awaitable<void> run() {
        auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
        asio::ssl::stream<tcp::socket> stream{std::move(socket), context_};
        auto [refused] =
            co_await stream.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
        if (refused) {
            co_return;
        }
        const char* sni = ::SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
        server_name_ = sni == nullptr ? "" : sni;
        for (int i = 0; i < 2; ++i) {
            std::string head;
            auto [gone, n] = co_await asio::async_read_until(stream, asio::dynamic_buffer(head), "\r\n\r\n",
                                                             asio::as_tuple(asio::use_awaitable));
            if (gone) {
                co_return;
            }
            const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            co_await asio::async_write(stream, asio::buffer(answer), asio::as_tuple(asio::use_awaitable));
        }
    }

  private:
    asio::ssl::context context_;
    tcp::acceptor acceptor_;
    fs::path dir_;
    std::string server_name_;
};

struct answers {
    base::result<client_response> first, second;
};

answers ask_twice(asio::io_context& io, tls_server& server, const fs::path& ca) {
    answers got;
    auto test = [](tls_server& s, fs::path ca, answers& got) -> asio::awaitable<void> {
        const auto ex = co_await asio::this_coro::executor;
        runtime::gate serving{ex};
        serving.spawn("server", s.run());
        {
            client c{ex, {.base = s.base(), .ca = ca}};
            got.first = co_await c.send({.target = "/"});
            if (got.first) {
                got.second = co_await c.send({.target = "/"});
            }
        }
        EXPECT_TRUE(co_await serving.close(std::chrono::seconds{20}));
    }(server, ca, got);
    asio::co_spawn(io, std::move(test), [](std::exception_ptr e) { EXPECT_FALSE(e); });
    io.run();
    return got;
}

TEST(Tls, SendsTheNameAndKeepsTheConnection) {
    asio::io_context io;
    tls_server server{io, "localhost"};
    const auto got = ask_twice(io, server, server.ca());
    ASSERT_TRUE(got.first) << got.first.error().why();
    EXPECT_EQ(got.first->body, "ok");
    ASSERT_TRUE(got.second) << got.second.error().why(); // the server takes one connection only
    EXPECT_EQ(server.server_name(), "localhost");
}

TEST(Tls, RefusesACertificateOfAnotherName) {
    asio::io_context io;
    tls_server server{io, "gateway.example.com"};
    const auto got = ask_twice(io, server, server.ca());
    ASSERT_FALSE(got.first);
    EXPECT_EQ(got.first.error().what(), base::fault::kind::broken);
}

TEST(Tls, RefusesAnUnknownAuthority) {
    asio::io_context io;
    tls_server server{io, "localhost"};
    const auto got = ask_twice(io, server, {});
    ASSERT_FALSE(got.first);
    EXPECT_EQ(got.first.error().what(), base::fault::kind::broken) << "an operator must act: waiting does not help";
    EXPECT_NE(got.first.error().why().find("certificate"), std::string::npos) << got.first.error().why();
}

TEST(Tls, ABrokenCaFileIsNamed) {
    asio::io_context io;
    asio::co_spawn(
        io,
        []() -> asio::awaitable<void> {
            tcp::acceptor silent{co_await asio::this_coro::executor, {asio::ip::address_v4::loopback(), 0}};
            client_options options{.base = fmt::format("https://127.0.0.1:{}", silent.local_endpoint().port()),
                                   .ca = "/nonexistent/ca.pem"};
            client c{co_await asio::this_coro::executor, options};
            client_request q{.target = "/"};
            const auto r = co_await c.send(std::move(q));
            EXPECT_EQ(r.error().what(), base::fault::kind::broken);
            EXPECT_NE(r.error().why().find("ca.pem"), std::string::npos);
        }(),
        [](std::exception_ptr e) { EXPECT_FALSE(e); });
    io.run();
}

} // namespace
} // namespace semel::http
