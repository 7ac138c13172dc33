#pragma once
// A provider of OpenID Connect that is as strict as the specifications, in this process.

#include "token_maker.hpp"

#include <base/bytes.hpp>
#include <base/time.hpp>
#include <http/json.hpp>
#include <http/server.hpp>
#include <http/url.hpp>

#include <api/core/sign_on.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>

namespace semel::api::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using words = std::map<std::string, std::string, std::less<>>;

/// Answers as RFC 6749, RFC 7636 and OpenID Connect say, and to nobody who asks otherwise.
class strict_provider {
  public:
    explicit strict_provider(asio::io_context& io)
        : server_(io.get_executor(), http::server_options{}, routes()) {
        asio::co_spawn(io, server_.run(), asio::detached);
    }
    asio::awaitable<bool> stop() { return server_.stop(5s); }
    std::string issuer() const { return fmt::format("http://127.0.0.1:{}", server_.port()); }

    /// The person has signed in at the page that the browser was sent to. These claims are beside the usual ones; an
    /// empty one leaves out.
    std::string grant(const words& asked, const words& claims) {
        code_ = fmt::format("code-{}", ++codes_);
        asked_ = asked;
        claims_ = claims;
        return code_;
    }
    void change_key(const std::string& kid) {
        key = token_maker::ec();
        this->kid = kid;
    }

    token_maker key = token_maker::ec();
    std::string kid = "first", alg = "ES256";
    std::string published = {}; // instead of the key
    bool away = false;
    int keys_read = 0;

  private:
    http::router routes() {
        http::router r;
        r.add("GET", "/.well-known/openid-configuration", [this](http::request&) { return described(); });
        r.add("GET", "/keys", [this](http::request&) { return keys(); });
        r.add("POST", "/token", [this](http::request& asked) { return token(asked); });
        return r;
    }
    static http::response json_of(json::object o, unsigned status = 200) {
        return {.status = status, .body = json::serialize(o)};
    }
    asio::awaitable<http::response> described() {
        co_return away ? http::response{.status = 500}
                       : json_of({{"issuer", issuer()},
                                  {"authorization_endpoint", issuer() + "/auth"},
                                  {"token_endpoint", issuer() + "/token"},
                                  {"jwks_uri", issuer() + "/keys"}});
    }
    asio::awaitable<http::response> keys() {
        ++keys_read;
        co_return http::response{.body = published.empty() ? R"({"keys":[)" + key.jwk(kid) + "]}" : published};
    }
    asio::awaitable<http::response> token(http::request& r) {
        const auto authorization = std::string{r.header("authorization")};
        const auto body = co_await r.body();
        const auto form = http::parse_query(*body).value_or(words{});
        const auto at = [&](std::string_view name) {
            const auto found = form.find(name);
            return found == form.end() ? std::string{} : found->second;
        };
        if (authorization != "Basic " + base::to_base64("semel:the-secret") ||
            r.header("content-type") != "application/x-www-form-urlencoded") {
            co_return json_of(json::object{{"error", "invalid_client"}}, 401);
        }
        const bool good = at("grant_type") == "authorization_code" && !code_.empty() && at("code") == code_ &&
                          at("redirect_uri") == asked_["redirect_uri"] &&
                          sign_on::challenge_of(at("code_verifier")) == asked_["code_challenge"];
        code_.clear(); // once
        co_return good ? json_of({{"access_token", "unused"}, {"token_type", "Bearer"}, {"id_token", signed_token()}})
                       : json_of(json::object{{"error", "invalid_grant"}}, 400);
    }
    std::string signed_token() {
        const auto now = std::chrono::floor<std::chrono::seconds>(base::now()).time_since_epoch().count();
        words all{{"iss", "\"" + issuer() + "\""},
                  {"sub", "\"subject-of-kim\""},
                  {"aud", R"("semel")"},
                  {"iat", std::to_string(now)},
                  {"exp", std::to_string(now + 300)},
                  {"auth_time", std::to_string(now)},
                  {"nonce", "\"" + asked_["nonce"] + "\""},
                  {"preferred_username", R"("kim")"},
                  {"groups", R"(["ops"])"}};
        for (const auto& [name, value] : claims_) {
            all[name] = value;
        }
        std::string text = "{";
        for (const auto& [name, value] : all) {
            if (!value.empty()) {
                text += (text.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
            }
        }
        return key.token("ES256", fmt::format(R"({{"alg":"{}","kid":"{}"}})", alg, kid), text + "}");
    }

    int codes_ = 0;
    std::string code_;
    words asked_, claims_;
    http::server server_;
};

} // namespace semel::api::test
