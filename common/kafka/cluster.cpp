#include "cluster.hpp"

#include <config/config.hpp>
#include <config/secret.hpp>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <stdexcept>

namespace semel::kafka {

std::string_view cluster::protocol_name() const noexcept {
    return sasl == mechanism::none ? (tls ? "ssl" : "plaintext") : tls ? "sasl_ssl" : "sasl_plaintext";
}

std::string_view cluster::mechanism_name() const noexcept {
    switch (sasl) {
    case mechanism::scram_sha_512:
        return "SCRAM-SHA-512";
    case mechanism::scram_sha_256:
        return "SCRAM-SHA-256";
    case mechanism::plain:
        return "PLAIN";
    case mechanism::none:
        break;
    }
    return "";
}

bool librdkafka_scrams_with_kafka_4() noexcept {
    return rd_kafka_version() >= 0x020601ff; // 2.6.1
}

cluster configured(const config::settings& s) {
    using mechanism = config::kafka_security::mechanism;
    const auto& how = s.kafka_security;
    cluster out{s.kafka_bootstrap};
    out.tls = how.encrypts();
    out.ca = how.ca;
    out.certificate = how.certificate;
    out.key = how.key_file;
    if (how.authenticates()) {
        auto password = config::secret_in(how.password_file);
        if (!password) {
            throw std::runtime_error{fmt::format("{}: {}", s.place_of("kafka.password_file"), password.error().why())};
        }
        out.sasl = how.sasl == mechanism::plain           ? cluster::mechanism::plain
                   : how.sasl == mechanism::scram_sha_256 ? cluster::mechanism::scram_sha_256
                                                          : cluster::mechanism::scram_sha_512;
        out.user = how.user;
        out.password = *std::move(password);
    }
    return out;
}

} // namespace semel::kafka
