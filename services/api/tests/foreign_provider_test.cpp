// Signing on with npm's oidc-provider, which is not ours (tests/peers/oidc): its description, its keys, its tokens of
// each algorithm, its demands on PKCE and the client's secret, and its asking a person again.

#include "own_role.hpp"
#include "support.hpp"

#include <http/url.hpp>

#include <api/core/browser.hpp>
#include <support/child_process.hpp>

#include <map>
#include <regex>

namespace semel::api::test {
namespace {

using testing::HasSubstr;

/// A browser: keeps cookies by their names, and follows no redirect by itself.
class web_browser {
  public:
    explicit web_browser(asio::io_context& io)
        : io_(io) {}

    asio::awaitable<http::client_response> go(std::string base, std::string target, std::string form = {}) {
        http::client client{io_.get_executor(), {.base = base}};
        http::client_request r;
        r.method = form.empty() ? "GET" : "POST";
        r.target = std::move(target);
        r.headers.emplace_back("Cookie", header());
        if (!form.empty()) {
            r.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
            r.body = std::move(form);
        }
        auto got = co_await client.send(std::move(r));
        if (!got) {
            throw std::runtime_error{got.error().why()};
        }
        for (const auto& [name, value] : got->headers) {
            if (name == "Set-Cookie" || name == "set-cookie") {
                keep(value);
            }
        }
        co_return *std::move(got);
    }
    std::string cookie(const std::string& name) const {
        const auto found = kept_.find(name);
        return found == kept_.end() ? std::string{} : found->second;
    }

  private:
    void keep(const std::string& set) {
        const auto equals = set.find('=');
        kept_.insert_or_assign(set.substr(0, equals), set.substr(equals + 1, set.find(';') - equals - 1));
    }
    std::string header() const {
        std::string out;
        for (const auto& [name, value] : kept_) {
            out += (out.empty() ? "" : "; ") + name + "=" + value;
        }
        return out;
    }

    asio::io_context& io_;
    std::map<std::string, std::string> kept_;
};

class ForeignProvider : public Api {
  protected:
    static constexpr const char* back = "https://semel.example.com/v1/sign-on/back";

    void SetUp() override {
        if (!fs::exists("tests/peers/oidc/node_modules")) {
            throw std::runtime_error("npm's oidc-provider is not installed; run deploy/setup or tests/peers/setup");
        }
        const auto port = support::free_port();
        foreign.emplace(std::vector<std::string>{"node", "tests/peers/oidc/provider.mjs", std::to_string(port), back});
        support::wait_for_port(port, 60s);
        issuer = fmt::format("http://127.0.0.1:{}", port);
        config.sign_on = config::sign_on{.issuer = issuer,
                                         .ca = {},
                                         .client_id = "semel-ES256",
                                         .client_secret_file = {},
                                         .own_address = "https://semel.example.com",
                                         .claim = "groups",
                                         .roles = {{"ops", {"operator"}}, {"leads", {"approver"}}}};
        Api::SetUp();
        db->run_blocking(make_all_tables);
        std::ofstream{folder / "secret"} << "the secret, with signs: %+&\n";
        config.sign_on->client_secret_file = folder / "secret";
    }
    std::string here() const { return fmt::format("http://127.0.0.1:{}", server->port()); }

    /// From the console's link through the provider's pages, giving this name and a password wherever it asks. Where
    /// the api leads the browser in the end, or its refusal; `asked` counts the pages with a password.
    asio::awaitable<http::client_response> walk(web_browser& b, std::string target, std::string name, int& asked) {
        auto at = co_await b.go(here(), std::move(target));
        static const std::regex prompt{R"re(name="prompt" value="([a-z]+)")re"};
        for (int steps = 0; steps < 20; ++steps) {
            const std::string location{at.header("location")};
            if (location.starts_with(back)) {
                co_return co_await b.go(here(), location.substr(std::string_view{"https://semel.example.com"}.size()));
            }
            if (!location.empty()) {
                path_ = location.starts_with(issuer) ? location.substr(issuer.size()) : location;
                at = co_await b.go(issuer, path_);
                continue;
            }
            std::smatch found;
            if (!std::regex_search(at.body, found, prompt)) {
                break;
            }
            const bool login = found[1] == "login";
            asked += login ? 1 : 0;
            at = co_await b.go(issuer, path_,
                               "prompt=" + found[1].str() + (login ? "&login=" + name + "&password=any" : ""));
        }
        throw std::runtime_error{"the provider leads nowhere: " + at.body.substr(0, 500)};
    }
    http::client_response sign_on(web_browser& b, const std::string& name, const std::string& target = "/v1/sign-on") {
        std::optional<http::client_response> got;
        asked_for_password = 0;
        play([&]() -> asio::awaitable<void> { return walk_into(b, target, name, got); }, 60s);
        return std::move(*got);
    }
    asio::awaitable<void> walk_into(web_browser& b, std::string target, std::string name,
                                    std::optional<http::client_response>& into) {
        into = co_await walk(b, std::move(target), std::move(name), asked_for_password);
    }
    answered as(const web_browser& b, const std::string& method, const std::string& target, std::string body = {}) {
        const auto secret = b.cookie("semel-18080");
        auto r = request("", method, target, std::move(body));
        r.headers.emplace_back("Cookie", "semel-18080=" + secret);
        r.headers.emplace_back("Origin", here());
        r.headers.emplace_back("Semel-Guard", browser::guard_of(secret));
        return call(std::move(r));
    }

    std::string issuer;
    int asked_for_password = 0;
    std::optional<support::child_process> foreign;

  private:
    std::string path_; // where the browser is, at the provider
};

TEST_F(ForeignProvider, IsBelievedByEachAlgorithm) {
    for (const auto* alg : {"RS256", "PS256", "ES256", "EdDSA"}) {
        config.sign_on->client_id = "semel-" + std::string{alg};
        web_browser b{io};
        const auto got = sign_on(b, "kim");
        ASSERT_EQ(got.status, 303U) << alg << got.body;
        EXPECT_EQ(got.header("location"), "/");
        const auto session = as(b, "GET", "/v1/session");
        EXPECT_EQ(session.text("user"), "kim") << alg;
        EXPECT_THAT(session.body, HasSubstr(R"("roles":["operator"])"));
    }
}

TEST_F(ForeignProvider, TakesNoOtherSecret) {
    std::ofstream{folder / "secret"} << "another\n";
    web_browser b{io};
    EXPECT_EQ(sign_on(b, "kim").status, 503U) << "an operator's matter, not the person's";
    EXPECT_EQ(b.cookie("semel-18080"), "");
}

TEST_F(ForeignProvider, AsksThePersonAgainForAFreshSignIn) {
    const auto id = create_registered();
    const auto approve = [&](const web_browser& b) {
        return as(b, "POST", "/v1/campaigns/" + id + "/approve", json::serialize(json::object{{"seen", seen(id)}}));
    };
    web_browser b{io};
    ASSERT_EQ(sign_on(b, "lead-lee").status, 303U);
    EXPECT_EQ(asked_for_password, 1);
    const auto refused = approve(b);
    EXPECT_EQ(refused.status, 403U) << "it does not say when the person signed in unless it is asked: " << refused.body;
    ASSERT_EQ(sign_on(b, "lead-lee").status, 303U);
    EXPECT_EQ(asked_for_password, 0) << "it knows the person";
    ASSERT_EQ(sign_on(b, "lead-lee", refused.text("sign_on")).status, 303U);
    EXPECT_EQ(asked_for_password, 1) << "but not for this";
    EXPECT_EQ(approve(b).status, 200U);
}

} // namespace
} // namespace semel::api::test
