#pragma once
// Until when the certificates that semel.yaml names are good, for /metrics: else the first to say so is a connection
// that fails.

#include <base/time.hpp>
#include <config/config.hpp>
#include <telemetry/metrics.hpp>

#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace semel::runtime {

/// A file of certificates, PEM.
struct certificate_file {
    std::string key; ///< in semel.yaml: "api.tls.certificate"
    std::filesystem::path file;
    enum class content : unsigned char {
        ours,       ///< what we show, and its chain: good while all of them are
        authorities ///< whom we believe: good while one of them is, for a bundle has old ones beside the one that
                    ///< counts
    } holds = content::ours;
};
/// All that the settings name, whether they are there or not.
std::vector<certificate_file> certificate_files(const config::settings&);
/// Nothing where there is no certificate in it.
std::optional<base::timestamp> good_until(std::string_view pem, certificate_file::content);

/// Shows it, and again every minute, because certificates are replaced while all runs. A file that this process cannot
/// read has no series.
boost::asio::awaitable<void> show_certificates(const config::settings&, telemetry::metrics&);

} // namespace semel::runtime
