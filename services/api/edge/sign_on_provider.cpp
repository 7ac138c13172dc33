#include "sign_on_provider.hpp"

#include <base/bytes.hpp>
#include <config/secret.hpp>
#include <http/url.hpp>

#include <api/core/oidc_token.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace semel::api {

namespace asio = boost::asio;

using base::failed;
using base::fault;
using base::result;

namespace {

result<std::string> whole(result<http::client_response> answer, std::string_view what) {
    if (!answer) {
        return failed(answer.error().within(what));
    }
    if (answer->status != 200) {
        return failed(fault::kind::unreachable, fmt::format("{}: the provider answered {}", what, answer->status));
    }
    return std::move(answer->body);
}

bool is_over(base::instant since, std::chrono::seconds age) {
    return base::instant_now() >= since + age;
}

http::client_request asking(std::string target) {
    http::client_request r;
    r.target = std::move(target);
    r.headers.emplace_back("Accept", "application/json");
    return r;
}

} // namespace

std::string form_of(const sign_on::parameters& all) {
    std::string out;
    for (const auto& [name, value] : all) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, http::percent_encode(value));
    }
    return out;
}

sign_on_provider::sign_on_provider(asio::any_io_executor ex, const config::sign_on& config,
                                   const sign_on::patience& patience)
    : ex_(ex)
    , config_(config)
    , patience_(patience)
    , asked_(std::move(ex)) {}

template <class T>
asio::awaitable<result<std::shared_ptr<const T>>> sign_on_provider::ask_once(memory<T>& kept, reader<T> read) {
    if (kept.asking) {
        while (kept.asking) {
            co_await asked_.wait();
        }
    } else if (!kept.failed || is_over(*kept.failed, patience_.after_a_failure)) {
        kept.asking = true;
        result<T> got = failed(fault::kind::unreachable, "the provider was not asked");
        try {
            got = co_await read();
        } catch (const std::exception& e) {
            got = failed(fault::kind::unreachable, e.what());
        }
        kept.asking = false;
        const auto now = base::instant_now();
        if (got) {
            kept.last = std::make_shared<const T>(*std::move(got));
            kept.read = now;
            kept.failed.reset();
        } else {
            kept.trouble = got.error();
            kept.failed = now;
        }
        asked_.notify();
    }
    if (kept.failed) {
        co_return failed(kept.trouble);
    }
    co_return kept.last;
}

asio::awaitable<result<http::client_response>> sign_on_provider::send(oidc::place at, http::client_request request,
                                                                      std::size_t longest) {
    http::client client{ex_,
                        {.base = std::move(at.base),
                         .ca = config_.ca,
                         .connect_timeout = patience_.for_a_step,
                         .timeout = patience_.for_a_step,
                         .whole_body = longest}};
    co_return co_await client.send(std::move(request));
}

asio::awaitable<result<oidc::provider>> sign_on_provider::read_description() {
    const auto at = oidc::document_of(config_.issuer);
    if (!at) {
        co_return failed(at.error());
    }
    const auto text = whole(co_await send(*at, asking(at->target), oidc::longest_document), "its description");
    if (!text) {
        co_return failed(text.error());
    }
    auto read = oidc::read_provider(*text, config_.issuer);
    co_return read ? std::move(read) : failed(read.error().within("its description"));
}

asio::awaitable<result<oidc::key_set>> sign_on_provider::read_keys(oidc::place at) {
    auto request = asking(at.target);
    const auto text = whole(co_await send(std::move(at), std::move(request), oidc::longest_key_set), "its keys");
    if (!text) {
        co_return failed(text.error());
    }
    co_return oidc::read_key_set(*text);
}

asio::awaitable<result<std::shared_ptr<const oidc::provider>>> sign_on_provider::described() {
    if (provider_.last != nullptr && !is_over(provider_.read, patience_.kept)) {
        co_return provider_.last;
    }
    co_return co_await ask_once<oidc::provider>(provider_, [this] { return read_description(); });
}

asio::awaitable<result<std::shared_ptr<const oidc::key_set>>> sign_on_provider::keys_for(oidc::header head) {
    const bool kept = keys_.last != nullptr && !is_over(keys_.read, patience_.kept);
    if (kept && (keys_.last->find(head) != nullptr || !is_over(keys_.read, patience_.between_keys))) {
        co_return keys_.last;
    }
    const auto provider = co_await described();
    if (!provider) {
        co_return failed(provider.error());
    }
    co_return co_await ask_once<oidc::key_set>(keys_, [this, at = (*provider)->keys] { return read_keys(at); });
}

asio::awaitable<result<std::string>> sign_on_provider::token_for(sign_on::parameters exchange) {
    const auto provider = co_await described();
    const auto secret = config::secret_in(config_.client_secret_file);
    if (!provider || !secret) {
        co_return failed(fault::kind::unreachable, (provider ? secret.error() : provider.error()).why());
    }
    auto request = asking((*provider)->token.target);
    request.method = "POST";
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    if ((*provider)->secret_in_body && !secret->empty()) {
        exchange.emplace_back("client_secret", *secret);
    } else if (!secret->empty()) { // RFC 6749, section 2.3.1: each is encoded before they are joined
        request.headers.emplace_back(
            "Authorization", "Basic " + base::to_base64(fmt::format("{}:{}", http::percent_encode(config_.client_id),
                                                                    http::percent_encode(*secret))));
    }
    request.body = form_of(exchange);
    const auto answer = co_await send((*provider)->token, std::move(request), 2 * oidc::longest_token);
    if (!answer) { // whatever it is: of the code nothing is known
        co_return failed(fault::kind::unreachable, answer.error().why());
    }
    co_return oidc::read_token_answer(answer->status, answer->body);
}

} // namespace semel::api
