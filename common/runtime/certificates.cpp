#include "certificates.hpp"

#include <runtime/race.hpp>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <system_error>
#include <variant>

namespace semel::runtime {

namespace asio = boost::asio;

namespace {

using content = certificate_file::content;

constexpr std::chrono::minutes every{1};

std::filesystem::path authorities_of(const config::gateway& g) {
    return std::visit([](const auto& link) { return link.ca; }, g.link);
}

void add_gateways(std::vector<certificate_file>& out, std::string_view channel,
                  const std::vector<config::gateway>& gateways) {
    constexpr std::array<std::string_view, 4> links{"smtp", "apns", "fcm", "smpp"}; // in the order of the variant
    for (std::size_t i = 0; i < gateways.size(); ++i) {
        out.push_back({.key = fmt::format("gateways.{}[{}].{}.ca", channel, i, links.at(gateways[i].link.index())),
                       .file = authorities_of(gateways[i]),
                       .holds = content::authorities});
    }
}

base::timestamp end_of(const X509& certificate) {
    std::tm end{};
    ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &end);
    return base::timestamp{std::chrono::seconds{::timegm(&end)}};
}

std::string text_in(const std::filesystem::path& file) {
    std::error_code unknown;
    if (!std::filesystem::is_regular_file(file, unknown)) {
        return {}; // reading a folder throws
    }
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

std::vector<certificate_file> certificate_files(const config::settings& s) {
    std::vector<certificate_file> out{
        {.key = "api.tls.certificate", .file = s.api_tls.certificate},
        {.key = "api.tls.ca", .file = s.api_tls.ca, .holds = content::authorities},
        {.key = "kafka.certificate", .file = s.kafka_security.certificate},
        {.key = "kafka.ca", .file = s.kafka_security.ca, .holds = content::authorities},
        {.key = "redis.certificate", .file = s.redis_security.certificate},
        {.key = "redis.ca", .file = s.redis_security.ca, .holds = content::authorities},
    };
    if (s.verify) {
        out.push_back({.key = "verify.certificate", .file = s.verify->certificate});
    }
    add_gateways(out, "email", s.email);
    add_gateways(out, "push", s.push);
    add_gateways(out, "sms", s.sms);
    std::erase_if(out, [](const certificate_file& one) { return one.file.empty(); });
    return out;
}

std::optional<base::timestamp> good_until(std::string_view pem, content holds) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                       &BIO_free};
    std::optional<base::timestamp> out;
    for (;;) {
        const std::unique_ptr<X509, decltype(&X509_free)> one{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr),
                                                              &X509_free};
        if (!one) {
            ERR_clear_error(); // the end is an error, too, and would be taken for one of this thread's next connection
            return out;
        }
        const auto end = end_of(*one);
        out = !out ? end : holds == content::ours ? std::min(*out, end) : std::max(*out, end);
    }
}

asio::awaitable<void> show_certificates(const config::settings& settings, telemetry::metrics& m) {
    auto shown = m.make_gauges("semel_certificate_expires_timestamp_seconds",
                               "Until when the certificates of a file that semel.yaml names are good", {"key"});
    const auto files = certificate_files(settings);
    do {
        std::map<telemetry::gauges::values, double> now;
        for (const auto& one : files) {
            if (const auto until = good_until(text_in(one.file), one.holds)) {
                now[{one.key}] = static_cast<double>(base::to_us(*until)) / 1e6;
            }
        }
        shown.show(now);
    } while (co_await sleep(every));
}

} // namespace semel::runtime
