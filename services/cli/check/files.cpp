#include <config/secret.hpp>
#include <socket/server_identity.hpp>
#include <socket/stream.hpp>

#include <cli/check/probe.hpp>
#include <email/core/dkim.hpp>
#include <fmt/format.h>

#include <fstream>
#include <functional>

namespace semel::cli {

namespace {

using config::path;
using result = base::result<void>;

result readable(const path& file) {
    std::error_code error;
    if (std::filesystem::is_directory(file, error) || !std::ifstream{file}) {
        return base::failed(base::fault::kind::broken,
                            fmt::format("{} cannot be read: is it there, and may this user read it?", file.string()));
    }
    return {};
}

result secret(const path& file) {
    const auto text = config::secret_in(file);
    return text ? result{} : base::failed(text.error());
}

result dkim_key(const config::dkim& key) {
    const auto signer = email::dkim_signer::from_file(key.domain, key.selector, key.key_file);
    return signer ? result{} : base::failed(signer.error());
}

result authorities(const path& file) {
    const auto context = socket::client_context(file);
    return context ? result{} : base::failed(context.error());
}

class files {
  public:
    void look(const std::string& section, std::string_view name, const path& file,
              const std::function<result(const path&)>& at) {
        if (!file.empty()) {
            const auto key = fmt::format("{}{}{}", section, section.empty() ? "" : ".", name);
            all.push_back({.what = file.string(), .key = key, .outcome = at(file)});
        }
    }
    /// A certificate and its key, which belong together.
    void identity(const std::string& section, const path& certificate, const path& key) {
        if (!certificate.empty()) {
            auto loaded = socket::server_identity::load(certificate, key, [](std::string_view) {});
            auto outcome = loaded ? result{} : base::failed(loaded.error());
            const bool of_key = !loaded && loaded.error().why().starts_with(key.string());
            all.push_back({.what = certificate.string(),
                           .key = section + (of_key ? ".key_file" : ".certificate"),
                           .outcome = std::move(outcome)});
        }
    }
    std::vector<probe> all;
};

void look_at_gateway(files& found, const std::string& section, const config::gateway& g) {
    if (const auto* smtp = std::get_if<config::smtp>(&g.link)) {
        found.look(section + ".smtp", "ca", smtp->ca, authorities);
        found.look(section + ".smtp", "password_file", smtp->password_file, secret);
        found.look(section + ".smtp", "verp_key_file", smtp->verp_key_file, secret);
        for (std::size_t i = 0; i < smtp->dkim.size(); ++i) {
            found.look(fmt::format("{}.smtp.dkim[{}]", section, i), "key_file", smtp->dkim[i].key_file,
                       [&](const path&) { return dkim_key(smtp->dkim[i]); });
        }
    } else if (const auto* apns = std::get_if<config::apns>(&g.link)) {
        found.look(section + ".apns", "ca", apns->ca, authorities);
        found.look(section + ".apns", "key_file", apns->key_file, readable);
    } else if (const auto* fcm = std::get_if<config::fcm>(&g.link)) {
        found.look(section + ".fcm", "ca", fcm->ca, authorities);
        found.look(section + ".fcm", "service_account", fcm->service_account, readable);
    } else if (const auto* smpp = std::get_if<config::smpp>(&g.link)) {
        found.look(section + ".smpp", "ca", smpp->ca, authorities);
        found.look(section + ".smpp", "password_file", smpp->password_file, secret);
    }
}

} // namespace

std::vector<probe> probe_files(const config::settings& s) {
    files found;
    found.look("kafka", "password_file", s.kafka_security.password_file, secret);
    found.look("kafka", "ca", s.kafka_security.ca, authorities);
    found.identity("kafka", s.kafka_security.certificate, s.kafka_security.key_file);
    found.look("redis", "password_file", s.redis_security.password_file, secret);
    found.look("redis", "ca", s.redis_security.ca, authorities);
    found.identity("redis", s.redis_security.certificate, s.redis_security.key_file);
    found.look("postgres", "password_file", s.postgres_password_file, secret);
    found.identity("api.tls", s.api_tls.certificate, s.api_tls.key_file);
    found.look("api.tls", "ca", s.api_tls.ca, authorities);
    if (s.sign_on) {
        found.look("api.sign_on", "ca", s.sign_on->ca, authorities);
        found.look("api.sign_on", "client_secret_file", s.sign_on->client_secret_file, secret);
    }
    if (s.verify) {
        found.identity("verify", s.verify->certificate, s.verify->key_file);
    }
    for (const auto& file : config::key_files(s)) {
        found.look("", s.keys.empty() ? "key_encryption_key_file" : "keys", file, secret);
    }
    for (const auto& [channel, all] :
         {std::pair{"email", &s.email}, std::pair{"push", &s.push}, std::pair{"sms", &s.sms}}) {
        for (std::size_t i = 0; i < all->size(); ++i) {
            look_at_gateway(found, fmt::format("gateways.{}[{}]", channel, i), (*all)[i]);
        }
    }
    return std::move(found.all);
}

} // namespace semel::cli
