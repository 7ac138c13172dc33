#include "provider.hpp"

#include <http/client.hpp>

#include <api/core/oidc_discovery.hpp>
#include <api/core/oidc_keys.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <string>

namespace semel::cli {

namespace asio = boost::asio;
using base::failed;
using base::fault;
using std::chrono::milliseconds;

namespace {

asio::awaitable<base::result<std::string>> read(api::oidc::place at, config::path ca, milliseconds patience,
                                                std::size_t longest) {
    http::client client{
        co_await asio::this_coro::executor,
        {.base = at.base, .ca = ca, .connect_timeout = patience, .timeout = patience, .whole_body = longest}};
    http::client_request request;
    request.target = at.target;
    auto answer = co_await client.send(std::move(request));
    if (!answer) {
        co_return failed(answer.error());
    }
    if (answer->status != 200) {
        co_return failed(fault::kind::unreachable,
                         fmt::format("{}{}: it answered {}", at.base, at.target, answer->status));
    }
    co_return std::move(answer->body);
}

} // namespace

asio::awaitable<base::result<void>> reach_provider(config::sign_on s, milliseconds patience) {
    const auto at = api::oidc::document_of(s.issuer);
    if (!at) {
        co_return failed(at.error());
    }
    const auto text = co_await read(*at, s.ca, patience, api::oidc::longest_document);
    if (!text) {
        co_return failed(text.error());
    }
    const auto provider = api::oidc::read_provider(*text, s.issuer);
    if (!provider) {
        co_return failed(provider.error().within("its description"));
    }
    const auto keys = co_await read(provider->keys, s.ca, patience, api::oidc::longest_key_set);
    if (!keys) {
        co_return failed(keys.error());
    }
    const auto set = api::oidc::read_key_set(*keys);
    co_return set ? base::result<void>{} : failed(set.error());
}

} // namespace semel::cli
