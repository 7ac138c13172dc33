#include "url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <charconv>
#include <system_error>

namespace semel::url {

namespace {

std::unexpected<base::fault> bad(std::string why) {
    return base::failed(base::fault::kind::broken, std::move(why));
}

} // namespace

base::result<place> parse(std::string_view text) {
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) {
        return bad("it is no URL");
    }
    const auto& u = *parsed;
    place out;
    out.tls = u.scheme_id() == boost::urls::scheme::https;
    if (!out.tls && u.scheme_id() != boost::urls::scheme::http) {
        return bad("it begins with neither http:// nor https://");
    }
    if (u.has_userinfo() || u.has_query() || u.has_fragment()) {
        return bad("it has a user, a query or a fragment");
    }
    const std::string_view host{u.encoded_host().data(), u.encoded_host().size()};
    if (host.empty()) {
        return bad("the host is missing");
    }
    if (host.contains('%')) {
        return bad("the host has characters that no name has");
    }
    out.host = u.host_address();
    out.port = out.tls ? 443 : 80;
    if (u.has_port()) {
        // By its digits: Boost 1.81 makes a number of 99999.
        const std::string_view digits{u.port().data(), u.port().size()};
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (error != std::errc{} || end != digits.data() + digits.size() || out.port == 0) {
            return bad("the port is not a number from 1 to 65535");
        }
    }
    out.authority = std::string{u.encoded_authority().data(), u.encoded_authority().size()};
    out.path = std::string{u.encoded_path().data(), u.encoded_path().size()};
    if (!out.path.empty() && out.path.front() != '/') { // Boost 1.81 reads "host:80x" so
        return bad("a path begins with a slash");
    }
    return out;
}

} // namespace semel::url
