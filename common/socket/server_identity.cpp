#include <socket/server_identity.hpp>

#include <boost/asio/ssl.hpp>
#include <fmt/format.h>

namespace semel::socket {

namespace asio = boost::asio;
using base::failed;
using kind = base::fault::kind;

server_identity::stamp server_identity::present() const {
    std::error_code ignored; // a file that is missing has a time too: the smallest
    return {std::filesystem::last_write_time(certificate_, ignored), std::filesystem::last_write_time(key_, ignored)};
}

base::result<std::shared_ptr<asio::ssl::context>> server_identity::read() const {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    boost::system::error_code ec;
    context->use_certificate_chain_file(certificate_.string(), ec);
    if (ec) {
        return failed(kind::broken,
                      fmt::format("{}: no certificate can be read from it: {}", certificate_.string(), ec.message()));
    }
    context->use_private_key_file(key_.string(), asio::ssl::context::pem, ec);
    if (ec) {
        return failed(kind::broken, fmt::format("{}: no key can be read from it, or not that of {}: {}", key_.string(),
                                                certificate_.string(), ec.message()));
    }
    return context;
}

base::result<server_identity> server_identity::load(std::filesystem::path certificate, std::filesystem::path key,
                                                    std::function<void(std::string_view)> complain) {
    server_identity out;
    out.certificate_ = std::move(certificate);
    out.key_ = std::move(key);
    out.complain_ = std::move(complain);
    out.of_context_ = out.present();
    auto context = out.read();
    if (!context) {
        return failed(context.error());
    }
    out.context_ = *std::move(context);
    return out;
}

std::shared_ptr<asio::ssl::context> server_identity::context() {
    const auto now = present();
    if (now == of_context_ || now == refused_) {
        return context_;
    }
    // The two files are replaced one after the other: between the two they do not fit, and the old ones serve on.
    if (auto fresh = read()) {
        context_ = *std::move(fresh);
        of_context_ = now;
    } else {
        refused_ = now;
        complain_(fresh.error().why());
    }
    return context_;
}

} // namespace semel::socket
