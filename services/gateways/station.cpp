#include "station.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <gateways/http2_session.hpp>
#include <gateways/push_server.hpp>
#include <gateways/smpp_session.hpp>
#include <gateways/smtp_session.hpp>
#include <openssl/ssl.h>

#include <fstream>
#include <stdexcept>

namespace semel::gateways {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

int choose_h2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered, unsigned n, void*) {
    static constexpr unsigned char h2[] = {2, 'h', '2'};
    return SSL_select_next_proto(const_cast<unsigned char**>(out), size, h2, sizeof h2, offered, n) ==
                   OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::shared_ptr<asio::ssl::context> server_context(const settings& s) {
    auto out = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(out->native_handle(), TLS1_2_VERSION);
    SSL_CTX_set_alpn_select_cb(out->native_handle(), &choose_h2, nullptr);
    boost::system::error_code error;
    out->use_certificate_chain_file(s.certificate.string(), error);
    if (error) {
        throw std::runtime_error{fmt::format("{}: cannot be read as a certificate in PEM", s.certificate.string())};
    }
    out->use_private_key_file(s.key.string(), asio::ssl::context::pem, error);
    if (error) {
        throw std::runtime_error{fmt::format("{}: cannot be read as the certificate's key in PEM", s.key.string())};
    }
    return out;
}

smpp::account read_account(const settings& s) {
    std::ifstream in{s.smpp_password_file};
    smpp::account out{.system_id = s.smpp_system_id, .password = {}};
    if (!std::getline(in, out.password)) {
        throw std::runtime_error{fmt::format("{}: the SMPP password cannot be read", s.smpp_password_file.string())};
    }
    return out;
}

tcp::acceptor listen_on(const asio::any_io_executor& on, const endpoint& e) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(e.host, error);
    if (error) {
        throw std::runtime_error{fmt::format("listen: {} is not an IP address", e.host)};
    }
    tcp::acceptor out{on};
    const tcp::endpoint at{address, e.port};
    out.open(at.protocol());
    out.set_option(asio::socket_base::reuse_address{true});
    out.bind(at, error);
    if (!error) {
        out.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        throw std::runtime_error{fmt::format("cannot listen on {}:{}: {}", e.host, e.port, error.message())};
    }
    return out;
}

} // namespace

struct station::unit {
    gateways::desk desk;
    smpp::receipt_office office;
    std::unique_ptr<push_server> server;
    std::unique_ptr<listener> door;

    unit(desk::settings s, agenda& a)
        : desk(std::move(s))
        , office(desk, a) {}
};

station::station(const asio::any_io_executor& on, const settings& s)
    : agenda_(on) {
    std::filesystem::create_directories(s.accepted);
    std::shared_ptr<asio::ssl::context> tls;
    for (const auto& e : s.listen) {
        if (!e.kind) {
            continue;
        }
        auto acceptor = listen_on(on, e);
        auto made = std::make_unique<unit>(desk::settings{.kind = *e.kind,
                                                          .port = acceptor.local_endpoint().port(),
                                                          .folder = s.accepted,
                                                          .keep_content = s.keep_content,
                                                          .first = polite(*e.kind)},
                                           agenda_);
        auto* const u = made.get();
        listener::make_session make;
        std::shared_ptr<asio::ssl::context> secured;
        switch (*e.kind) {
        case kind::smtp:
            make = [u](wire& w, std::uint64_t n) { return std::make_unique<smtp::smtp_session>(u->desk, w, n); };
            break;
        case kind::smpp:
            make = [u, account = read_account(s)](wire& w, std::uint64_t n) {
                return std::make_unique<smpp::smpp_session>(u->desk, w, u->office, account, n);
            };
            break;
        case kind::apns:
        case kind::fcm:
            if (*e.kind == kind::apns) {
                u->server = std::make_unique<apns_server>(public_key{s.apns_public_key});
            } else {
                u->server = std::make_unique<fcm_server>(public_key{s.fcm_public_key});
            }
            if (!tls) {
                tls = server_context(s);
            }
            secured = tls;
            make = [u](wire& w, std::uint64_t n) { return std::make_unique<http2_session>(u->desk, w, *u->server, n); };
            break;
        }
        u->door =
            std::make_unique<listener>(agenda_, std::move(acceptor), std::move(secured), u->desk, std::move(make));
        units_.push_back(std::move(made));
    }
    if (auto ok = change(s.behaviour); !ok) {
        throw std::runtime_error{fmt::format("behaviour: {}", ok.error().why())};
    }
    for (const auto& u : units_) {
        u->desk.keep_behaviour();
    }
}

station::~station() = default;

json::value station::counts() const {
    json::array all;
    for (const auto& u : units_) {
        all.push_back(u->desk.counts());
    }
    return json::object{{"listeners", std::move(all)}};
}

json::value station::behaviours() const {
    json::object out;
    for (const auto& u : units_) {
        out[u->desk.name()] = describe(u->desk.now());
    }
    return out;
}

base::result<void> station::change(const json::object& wanted) {
    std::vector<std::pair<kind, std::string>> names;
    for (const auto& u : units_) {
        names.emplace_back(u->desk.kind(), u->desk.name());
    }
    if (auto ok = check_sections(wanted, names); !ok) {
        return ok;
    }
    std::vector<behaviour> changed;
    for (const auto& u : units_) {
        auto next = u->desk.now();
        for (const auto* section : sections_for(wanted, u->desk.kind(), u->desk.name())) {
            if (auto ok = gateways::change(u->desk.kind(), next, *section); !ok) {
                return ok;
            }
        }
        changed.push_back(std::move(next));
    }
    const auto* seed = wanted.if_contains("seed");
    for (std::size_t i = 0; i < units_.size(); ++i) {
        units_[i]->desk.behave(std::move(changed[i]));
        if (seed != nullptr) {
            units_[i]->desk.seed(static_cast<std::uint64_t>(seed->get_int64()));
        }
        units_[i]->door->behaviour_changed();
    }
    return {};
}

void station::reset(bool behaviour_too, bool tries_too) {
    for (const auto& u : units_) {
        u->desk.forget_counts();
        if (tries_too) {
            u->desk.forget_tries();
        }
        if (behaviour_too) {
            u->desk.restore_behaviour();
            u->door->behaviour_changed();
        }
    }
}

std::size_t station::disconnect(std::string_view kind_or_listener) {
    std::size_t met = 0;
    for (const auto& u : units_) {
        if (kind_or_listener == to_string(u->desk.kind()) || kind_or_listener == u->desk.name()) {
            u->door->disconnect();
            ++met;
        }
    }
    return met;
}

void station::stop_accepting() {
    for (const auto& u : units_) {
        u->door->stop_accepting();
    }
}

void station::farewell() {
    for (const auto& u : units_) {
        u->door->farewell();
    }
}

bool station::owes() const {
    return std::ranges::any_of(units_, [](const auto& u) { return u->door->owes(); });
}

} // namespace semel::gateways
