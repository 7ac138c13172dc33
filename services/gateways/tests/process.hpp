#pragma once
// semel-gateways as a child, on free ports, with its files in a folder of its own.

#include "fed.hpp"

#include <http/client.hpp>
#include <http/json.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <support/child_process.hpp>

#include <csignal>
#include <memory>
#include <optional>

namespace semel::gateways::testing {

class gateway_process {
  public:
    gateway_process() {
        write_keys();
        json::array listen;
        for (const auto* kind : {"control", "smtp", "apns", "fcm", "smpp"}) {
            ports_.emplace(kind, support::free_port());
            listen.push_back(json::object{{"kind", kind}, {"address", fmt::format("127.0.0.1:{}", ports_.at(kind))}});
        }
        std::ofstream{folder() / "gateways.json"}
            << json::serialize(json::object{{"listen", std::move(listen)},
                                            {"certificate", "server.pem"},
                                            {"key", "server.key"},
                                            {"apns_public_key", "apns.pub"},
                                            {"fcm_public_key", "fcm.pub"},
                                            {"smpp_system_id", "semel"},
                                            {"smpp_password_file", "smpp.password"},
                                            {"keep_content", true},
                                            {"accepted", "accepted"}});
        child_.emplace(std::vector<std::string>{SEMEL_GATEWAYS_BINARY, "--config", folder() / "gateways.json"});
        support::wait_for_port(port("control"));
    }

    std::filesystem::path folder() const { return folder_.path; }
    std::uint16_t port(const std::string& kind) const { return ports_.at(kind); }

    std::vector<json::object> accepted(const std::string& kind) const {
        std::vector<json::object> out;
        std::ifstream in{folder() / "accepted" / fmt::format("{}-{}.jsonl", kind, port(kind))};
        for (std::string line; std::getline(in, line);) {
            out.push_back(json::read(line).value().as_object());
        }
        return out;
    }

    json::object get(const std::string& path) const {
        return json::read(ask("GET", path, {}).body).value().as_object();
    }
    unsigned post(const std::string& path, std::string body) const { return ask("POST", path, std::move(body)).status; }
    void behave(const std::string& text) const {
        if (const auto status = post("/behaviour", text); status != 200) {
            throw std::runtime_error{fmt::format("POST /behaviour answered {}", status)};
        }
    }
    std::int64_t count(std::string_view kind, std::string_view what) const {
        const auto all = get("/counts");
        for (const auto& one : all.at("listeners").as_array()) {
            if (std::string_view{one.at("kind").as_string()} == kind) {
                return one.at(what).to_number<std::int64_t>();
            }
        }
        throw std::runtime_error{"no such listener"};
    }
    /// SIGTERM; its exit code.
    int stop() { return child_->stop(); }

  private:
    http::client_response ask(std::string method, std::string path, std::string body) const {
        boost::asio::io_context io;
        http::client c{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", port("control"))}};
        http::client_request q{.method = std::move(method), .target = std::move(path), .body = std::move(body)};
        auto done = boost::asio::co_spawn(io, c.send(std::move(q)), boost::asio::use_future);
        io.run();
        return done.get().value();
    }

    using key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    template <class Write>
    void write_pem(const std::string& name, Write write) const {
        const std::unique_ptr<BIO, decltype(&BIO_free_all)> out{BIO_new_file((folder() / name).c_str(), "w"),
                                                                &BIO_free_all};
        write(out.get());
    }
    void write_private(const std::string& name, EVP_PKEY* k) const {
        write_pem(name,
                  [&](BIO* out) { PEM_write_bio_PKCS8PrivateKey(out, k, nullptr, nullptr, 0, nullptr, nullptr); });
    }
    void write_public(const std::string& name, EVP_PKEY* k) const {
        write_pem(name, [&](BIO* out) { PEM_write_bio_PUBKEY(out, k); });
    }
    void write_keys() const {
        const key server{EVP_EC_gen("P-256"), &EVP_PKEY_free};
        write_private("server.key", server.get());
        const std::unique_ptr<X509, decltype(&X509_free)> owner{X509_new(), &X509_free};
        auto* const c = owner.get();
        X509_set_version(c, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
        X509_gmtime_adj(X509_getm_notBefore(c), -3600);
        X509_gmtime_adj(X509_getm_notAfter(c), 24L * 3600);
        X509_set_pubkey(c, server.get());
        auto* const name = X509_get_subject_name(c);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1,
                                   -1, 0);
        X509_set_issuer_name(c, name);
        X509_EXTENSION* const names =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
        X509_add_ext(c, names, -1);
        X509_EXTENSION_free(names);
        X509_sign(c, server.get(), EVP_sha256());
        write_pem("server.pem", [&](BIO* out) { PEM_write_bio_X509(out, c); });

        const key apple{EVP_EC_gen("P-256"), &EVP_PKEY_free};
        write_private("apns.p8", apple.get());
        write_public("apns.pub", apple.get());
        const key google{EVP_RSA_gen(2048), &EVP_PKEY_free};
        write_private("fcm.key", google.get());
        write_public("fcm.pub", google.get());
        std::ofstream{folder() / "fcm.json"}
            << json::serialize(json::object{{"project_id", "shop-1"},
                                            {"private_key", whole(folder() / "fcm.key")},
                                            {"client_email", "sender@shop-1.example.com"},
                                            {"token_uri", "https://oauth2.example.com/token"}});
        std::ofstream{folder() / "smpp.password"} << "secret\n";
    }

    scratch_folder folder_;
    std::map<std::string, std::uint16_t> ports_;
    std::optional<support::child_process> child_;
};

} // namespace semel::gateways::testing
