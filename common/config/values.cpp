#include <config/values.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <url/url.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numeric>

namespace semel::config {

namespace {

using base::failed;
using kind = base::fault::kind;

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_alnum(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <class T>
std::optional<T> whole_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

bool is_ip(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// 169.254.0.0/16 and fe80::/10: where clouds keep their machine credentials, and where no gateway lives.
bool is_link_local(const std::string& host) {
    in6_addr v6{};
    in_addr v4{};
    if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
        if (!IN6_IS_ADDR_V4MAPPED(&v6)) {
            return IN6_IS_ADDR_LINKLOCAL(&v6);
        }
        std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
    } else if (inet_pton(AF_INET, host.c_str(), &v4) != 1) {
        return false;
    }
    return (ntohl(v4.s_addr) >> 16U) == 0xA9FE;
}

} // namespace

base::result<rate> parse_rate(std::string_view text) {
    const auto slash = text.find('/');
    const auto complaint = [&](std::string_view why) {
        return failed(kind::broken, fmt::format("\"{}\" {}", text, why));
    };
    if (slash == std::string_view::npos) {
        return complaint("is not a rate: write messages per time, such as 500/s, 600/m or 1000/h");
    }
    const auto number = text.substr(0, slash);
    const auto unit = text.substr(slash + 1);
    const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    if (seconds == 0) {
        return complaint("is not a rate: after the / stands s, m or h");
    }
    double value = 0;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
    if (number.empty() || !is_digit(number.front()) || end != number.data() + number.size()) {
        return complaint("is not a rate: before the / stands a plain number, such as 500 or 0.5");
    }
    if (error == std::errc::result_out_of_range || !std::isfinite(value) || value / seconds > 10'000'000) {
        return complaint("is more than 10,000,000 a second: no gateway takes that; leave the key out for no limit");
    }
    if (value <= 0) {
        return complaint("would send nothing: leave the key out for no limit, or pause the campaign to send nothing");
    }
    if (value * 3600 < seconds) {
        return complaint("is less than one an hour: choose at least 1/h");
    }
    return rate{.per_second = value / seconds};
}

base::result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    const auto unit = text.substr(digits);
    const auto value = whole_number<std::int64_t>(text.substr(0, digits));
    const std::int64_t scale = unit == "ms"  ? 1
                               : unit == "s" ? 1'000
                               : unit == "m" ? 60'000
                               : unit == "h" ? 3'600'000
                                             : 0;
    if (!value || scale == 0 || *value > 1'000'000'000) {
        return failed(
            kind::broken,
            fmt::format("\"{}\" is not a duration: write a whole number and ms, s, m or h, such as 30s", text));
    }
    return std::chrono::milliseconds{*value * scale};
}

base::result<std::string> parse_host(std::string_view text) {
    std::string host{text};
    if (is_ip(host)) {
        return host;
    }
    const bool name = !host.empty() && host.size() <= 253 && host.front() != '-' && host.front() != '.' &&
                      host.find("..") == std::string::npos &&
                      std::ranges::all_of(host, [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; });
    if (!name) {
        return failed(
            kind::broken,
            fmt::format("\"{}\" is not a host: write a name or an IP address, without port, user or path", text));
    }
    return host;
}

base::result<endpoint> parse_endpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    const auto port =
        colon == std::string_view::npos ? std::nullopt : whole_number<std::uint32_t>(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 65'535) {
        return failed(kind::broken, fmt::format("\"{}\" is not HOST:PORT with a port from 1 to 65535", text));
    }
    auto host_text = text.substr(0, colon);
    if (host_text.starts_with('[') && host_text.ends_with(']')) {
        host_text = host_text.substr(1, host_text.size() - 2);
    } else if (host_text.contains(':')) {
        return failed(kind::broken,
                      fmt::format("\"{}\": an IPv6 address stands in brackets, such as [::1]:8080", text));
    }
    auto host = parse_host(host_text);
    if (!host) {
        return failed(host.error());
    }
    return endpoint{.host = *std::move(host), .port = static_cast<std::uint16_t>(*port)};
}

base::result<std::string> parse_https_url(std::string_view text) {
    constexpr std::string_view scheme = "https://";
    const auto complaint = [&](std::string_view why) {
        return failed(kind::broken, fmt::format("\"{}\" {}", text, why));
    };
    if (!text.starts_with(scheme)) {
        return complaint("is not an https:// address: only HTTPS is spoken here");
    }
    if (text.contains('@')) {
        return failed(kind::broken, "a user or password does not belong into an address: use the gateway's key file");
    }
    const auto place = url::parse(text);
    if (!place) {
        return complaint(fmt::format("is not an address: {}", place.error().why()));
    }
    const auto host = parse_host(place->host);
    if (!host) {
        return failed(host.error());
    }
    if (is_link_local(*host)) {
        return complaint("is a link-local address: no push gateway lives there");
    }
    return std::string{text};
}

base::result<std::uint64_t> parse_bytes(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 10> units{{{"", 1},
                                                                                {"B", 1},
                                                                                {"kB", 1'000},
                                                                                {"MB", 1'000'000},
                                                                                {"GB", 1'000'000'000},
                                                                                {"TB", 1'000'000'000'000},
                                                                                {"KiB", std::uint64_t{1} << 10},
                                                                                {"MiB", std::uint64_t{1} << 20},
                                                                                {"GiB", std::uint64_t{1} << 30},
                                                                                {"TiB", std::uint64_t{1} << 40}}};
    constexpr std::uint64_t most = std::uint64_t{1} << 50;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto* unit = std::ranges::find(units, std::string_view{end, text.data() + text.size()},
                                         &std::pair<std::string_view, std::uint64_t>::first);
    if (error != std::errc{} || unit == units.end() || number == 0 || number > most / unit->second) {
        return failed(kind::broken, fmt::format("\"{}\" is not a size up to 1024 TiB: write 500MB or 32GiB", text));
    }
    return number * unit->second;
}

base::result<std::string> parse_bootstrap(std::string_view text) {
    for (std::size_t from = 0; from <= text.size();) {
        const auto comma = std::min(text.find(',', from), text.size());
        if (auto at = parse_endpoint(text.substr(from, comma - from)); !at) {
            return failed(at.error());
        }
        from = comma + 1;
    }
    return std::string{text};
}

base::result<std::string> parse_role(std::string_view text) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (text.empty() || text.size() > 63 || !std::ranges::all_of(text, plain)) {
        return failed(kind::broken, fmt::format("\"{}\" is not a role of PostgreSQL in lower-case letters, digits and "
                                                "underscores",
                                                text));
    }
    return std::string{text};
}

namespace {

std::string in_lower_case(std::string_view text) {
    std::string out{text};
    std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return out;
}

} // namespace

base::result<kafka_security::protocol> parse_security_protocol(std::string_view text) {
    using enum kafka_security::protocol;
    constexpr std::array words{std::pair{"plaintext", plaintext}, std::pair{"ssl", ssl},
                               std::pair{"sasl_plaintext", sasl_plaintext}, std::pair{"sasl_ssl", sasl_ssl}};
    for (const auto& [name, meant] : words) {
        if (in_lower_case(text) == name) {
            return meant;
        }
    }
    return failed(kind::broken, fmt::format("\"{}\" is not one of plaintext, ssl, sasl_plaintext, sasl_ssl", text));
}

base::result<kafka_security::mechanism> parse_mechanism(std::string_view text) {
    using enum kafka_security::mechanism;
    constexpr std::array words{std::pair{"scram-sha-512", scram_sha_512}, std::pair{"scram-sha-256", scram_sha_256},
                               std::pair{"plain", plain}};
    for (const auto& [name, meant] : words) {
        if (in_lower_case(text) == name) {
            return meant;
        }
    }
    return failed(kind::broken, fmt::format("\"{}\" is not one of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN", text));
}

bool is_loopback(std::string_view text) {
    const std::string host{text};
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
        return ntohl(v4.s_addr) >> 24U == 127;
    }
    return host == "localhost" || (inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
    std::optional<std::string> best;
    std::size_t best_distance = 1 + std::min<std::size_t>(2, word.size() / 2);
    for (const auto& candidate : known) {
        std::vector<std::size_t> row(candidate.size() + 1);
        std::iota(row.begin(), row.end(), std::size_t{0});
        for (std::size_t i = 0; i < word.size(); ++i) {
            auto diagonal = std::exchange(row[0], i + 1);
            for (std::size_t j = 0; j < candidate.size(); ++j) {
                const auto replaced = diagonal + (word[i] == candidate[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, replaced});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

} // namespace semel::config
