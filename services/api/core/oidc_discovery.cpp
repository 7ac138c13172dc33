#include "oidc_discovery.hpp"

#include <http/json.hpp>

#include <fmt/format.h>
#include <url/url.hpp>

#include <algorithm>
#include <optional>

namespace semel::api::oidc {
namespace {

using base::failed;
using base::fault;
using base::result;

constexpr std::size_t longest_address = 2'000;
constexpr std::string_view plain = "http://";

/// RFC 3986: what may stand in a query. No fragment behind it.
bool is_query(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return c > ' ' && c <= '~' && !std::string_view{"\"#<>[\\]^`{|}"}.contains(c); });
}

result<place> place_of(std::string_view address) {
    const auto mark = std::min(address.find('?'), address.size());
    const auto at = url::parse(address.substr(0, mark));
    if (!at || address.size() > longest_address || !is_query(address.substr(mark))) {
        return failed(fault::kind::malformed, "is not an http or https address");
    }
    return place{.base = fmt::format("{}{}", at->tls ? "https://" : plain, at->authority),
                 .target = fmt::format("{}{}", at->path.empty() ? "/" : at->path, address.substr(mark))};
}

/// A list of words; nothing when the member is absent. What is no text in it is none of ours.
std::optional<bool> lists(const json::object& o, std::string_view member, std::string_view word) {
    const auto* found = o.if_contains(member);
    if (found == nullptr || !found->is_array()) {
        return std::nullopt;
    }
    return std::ranges::any_of(found->get_array(),
                               [&](const json::value& v) { return v.is_string() && v.get_string() == word; });
}

result<std::string> address_in(const json::object& o, std::string_view member, bool may_be_plain) {
    const auto* text = json::find_text(o, member);
    if (text == nullptr) {
        return failed(fault::kind::malformed, fmt::format("{} is missing", member));
    }
    const auto at = place_of(*text);
    if (!at) {
        return failed(fault::kind::malformed, fmt::format("{} {}", member, at.error().why()));
    }
    if (at->base.starts_with(plain) && !may_be_plain) {
        return failed(fault::kind::malformed, fmt::format("{} is not https", member));
    }
    return std::string{*text};
}

/// The code flow with PKCE, and a way to say who we are that we know. A list that is missing says nothing.
result<void> serves_us(const json::object& o) {
    if (!lists(o, "response_types_supported", "code").value_or(true)) {
        return failed(fault::kind::broken, "it does not support the authorization code flow (response_type code)");
    }
    if (!lists(o, "code_challenge_methods_supported", "S256").value_or(true)) {
        return failed(fault::kind::broken, "it does not support PKCE with S256");
    }
    return {};
}

} // namespace

result<place> document_of(std::string_view issuer) {
    const auto whole = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
    auto at = place_of(whole);
    if (!at || whole.contains('?')) {
        return failed(fault::kind::broken, "the issuer is not an http or https address without a query");
    }
    at->target = fmt::format("{}/.well-known/openid-configuration", at->target == "/" ? "" : at->target);
    return at;
}

result<provider> read_provider(std::string_view text, std::string_view issuer) {
    if (text.size() > longest_document) {
        return failed(fault::kind::malformed, fmt::format("it has more than {} bytes", longest_document));
    }
    const auto read = json::read_unique(text);
    if (!read || !read->is_object()) {
        return failed(fault::kind::malformed, read ? "it is not a JSON object" : read.error().why());
    }
    const auto& o = read->get_object();
    const auto* says = json::find_text(o, "issuer");
    if (says == nullptr || *says != issuer) {
        return failed(fault::kind::malformed, "its issuer is not the one of semel.yaml, to the letter");
    }
    if (const auto good = serves_us(o); !good) {
        return failed(good.error());
    }
    const bool may_be_plain = issuer.starts_with(plain);
    auto authorization = address_in(o, "authorization_endpoint", may_be_plain);
    const auto token = address_in(o, "token_endpoint", may_be_plain);
    const auto keys = address_in(o, "jwks_uri", may_be_plain);
    if (!authorization || !token || !keys) {
        return failed(!authorization ? authorization.error() : token ? keys.error() : token.error());
    }
    constexpr std::string_view methods = "token_endpoint_auth_methods_supported"; // absent: Basic
    const auto* names_itself = o.if_contains("authorization_response_iss_parameter_supported");
    return provider{.issuer = std::string{issuer},
                    .authorization = *std::move(authorization),
                    .token = *place_of(*token),
                    .keys = *place_of(*keys),
                    .secret_in_body = !lists(o, methods, "client_secret_basic").value_or(true) &&
                                      lists(o, methods, "client_secret_post").value_or(false),
                    .names_itself = names_itself != nullptr && names_itself->is_bool() && names_itself->get_bool()};
}

std::string with_query(std::string_view address, std::string_view query) {
    return fmt::format("{}{}{}", address, address.contains('?') ? '&' : '?', query);
}

} // namespace semel::api::oidc
