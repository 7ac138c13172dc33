// The page that checks notices, from a launch to what a browser gets.

#include "support.hpp"

#include <http/url.hpp>
#include <telemetry/metrics.hpp>

#include <api/edge/verify.hpp>
#include <correlation/verification_code.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Verify : public Api {
  public:
    void SetUp() override {
        Api::SetUp();
        open({.free = 10'000});
    }
    void TearDown() override {
        close();
        Api::TearDown();
    }
    void open(denials::limits limits) {
        close();
        config::verify_page said;
        said.organisation = "가람마켓 (Garam Market)";
        said.contact = {"Phone 1577-0000"};
        said.address.port = 0;
        page_ = std::make_unique<verify_service>(io.get_executor(), said, config.postgres_dsn, metrics_, limits);
        asio::co_spawn(io, page_->run(), asio::detached);
    }
    void close() {
        if (page_) {
            play([this]() -> asio::awaitable<void> { return stop_page(); });
            page_.reset();
        }
    }
    asio::awaitable<void> stop_page() { co_await page_->stop(1s); }

    asio::awaitable<void> browse(http::client_request request, http::client_response& into) {
        http::client client{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", page_->port())}};
        auto got = co_await client.send(std::move(request));
        if (!got) {
            throw std::runtime_error{got.error().why()};
        }
        into = *std::move(got);
    }
    http::client_response browse(const std::string& method, std::string target, std::string body = {},
                                 const std::string& language = {}) {
        http::client_request r;
        r.method = method;
        r.target = std::move(target);
        r.body = std::move(body);
        if (method == "POST") {
            r.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
        }
        if (!language.empty()) {
            r.headers.emplace_back("Accept-Language", language);
        }
        http::client_response out;
        play([&]() -> asio::awaitable<void> { return browse(r, out); });
        return out;
    }
    http::client_response check(const std::string& code, const std::string& language = "en") {
        return browse("POST", "/verify", "code=" + http::percent_encode(code), language);
    }

    std::string approved(const notice::files& files = files_of_notice()) {
        const auto made = post("operator", "/v1/campaigns", json::serialize(new_campaign(files)));
        EXPECT_EQ(made.status, 201U) << made.body;
        const auto id = made.text("id");
        tell(compiled(id, files));
        EXPECT_EQ(upload(id, "recipient_id,email,name\n1,kim@example.com,Kim Haneul\n").status, 202U);
        tell(imported(id, 1));
        EXPECT_EQ(step("operator", id, "seal").status, 200U);
        tell(registered(id, 1, 0));
        tell(registered(id, 1, 1));
        EXPECT_EQ(step("approver", id, "approve").status, 200U);
        return id;
    }
    void launch(const std::string& id) {
        const auto done = step("operator", id, "launch");
        EXPECT_EQ(done.status, 200U) << done.body;
    }
    std::string code_of(const std::string& id, base::channel channel, const std::string& locale) {
        const auto c = campaign(id);
        const base::campaign_id name{id};
        return correlation::verification_code::of(kek.unwrap(c.wrapped_key(), name).value(), name, channel, locale)
            .grouped();
    }

  private:
    telemetry::metrics metrics_;
    std::unique_ptr<verify_service> page_;
};

TEST_F(Verify, ACodeIsKnownFromTheLaunchOnAndShowsTheTextAndNobody) {
    const auto id = approved();
    const auto code = code_of(id, base::channel::sms, "ko");
    EXPECT_EQ(check(code).status, 404U) << "nothing has been sent";
    launch(id);
    const auto found = check(code);
    ASSERT_EQ(found.status, 200U) << found.body;
    EXPECT_THAT(found.body,
                AllOf(HasSubstr("가람마켓 sent a notice with this code"), HasSubstr("개인정보 유출 안내 (재안내)"),
                      HasSubstr("text message (SMS)"), HasSubstr("확인 코드 " + code), HasSubstr("1577-0000"),
                      HasSubstr("저장하신 공동현관 출입번호를 바꾸어 주세요.")));
    const auto mail = check(code_of(id, base::channel::email, "en"));
    EXPECT_THAT(mail.body, AllOf(HasSubstr("Dear ____,"), HasSubstr("over"), HasSubstr("email")));
    for (const auto& body : {found.body, mail.body}) {
        EXPECT_THAT(body, AllOf(Not(HasSubstr("Kim")), Not(HasSubstr("kim@")), Not(HasSubstr(id)),
                                Not(HasSubstr("autumn-leak")), Not(HasSubstr("Renewed notice"))));
    }
    EXPECT_EQ(check(code_of(id, base::channel::push, "ko")).status, 404U) << "its text shows no code";
}

TEST_F(Verify, ACancelledCampaignStaysThere) {
    const auto id = approved();
    launch(id);
    const auto code = code_of(id, base::channel::sms, "ko");
    const auto before = check(code).body;
    EXPECT_EQ(step("operator", id, "cancel").status, 200U);
    EXPECT_EQ(check(code).body, before) << "what went out went out";
}

TEST_F(Verify, WhatIsNoCodeAndWhatNobodyWasSentAreAnsweredAlike) {
    const auto id = approved();
    launch(id);
    const auto other = correlation::verification_code::of(crypto::campaign_key::random(), base::campaign_id{id},
                                                          base::channel::sms, "ko");
    const auto unknown = check(other.grouped());
    EXPECT_EQ(unknown.status, 404U);
    for (const std::string body : {"", "code=", "code", "other=1", "code=%", "code=%00", "code=2345-6789-ABCD", "&&&&",
                                   "code=%3Cscript%3E", "code=' OR 1=1 --", "{\"code\": 1}"}) {
        const auto answer = browse("POST", "/verify", body, "en");
        EXPECT_EQ(answer.status, 404U) << body;
        EXPECT_EQ(answer.body, unknown.body) << body;
        EXPECT_EQ(answer.headers.size(), unknown.headers.size()) << body;
    }
    EXPECT_EQ(browse("POST", "/verify", "code=" + std::string(4'000, '-'), "en").body, unknown.body);
}

TEST_F(Verify, IsReadInBothLanguages) {
    const auto id = approved();
    launch(id);
    const auto code = code_of(id, base::channel::email, "ko");
    EXPECT_THAT(browse("GET", "/verify", "", "ko-KR,en;q=0.5").body, HasSubstr("<html lang=\"ko\">"));
    EXPECT_THAT(browse("GET", "/verify?lang=en", "", "ko-KR").body, HasSubstr("<html lang=\"en\">"));
    EXPECT_THAT(check(code, "ko").body, HasSubstr("보낸 문구 그대로"));
    EXPECT_THAT(browse("POST", "/verify?lang=ko", "code=" + code, "en").body, HasSubstr("보낸 문구 그대로"));
}

TEST_F(Verify, EveryPageHasStrictHeadersAndNoCookie) {
    const auto id = approved();
    launch(id);
    for (const auto& answer :
         {browse("GET", "/verify"), check("no code"), check(code_of(id, base::channel::sms, "ko"))}) {
        EXPECT_EQ(answer.header("content-type"), "text/html; charset=utf-8");
        EXPECT_EQ(answer.header("content-security-policy"),
                  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
        EXPECT_EQ(answer.header("cache-control"), "no-store");
        EXPECT_EQ(answer.header("x-frame-options"), "DENY");
        EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
        EXPECT_EQ(answer.header("referrer-policy"), "no-referrer");
        EXPECT_EQ(answer.header("vary"), "Accept-Language");
        EXPECT_EQ(answer.header("set-cookie"), "");
    }
    EXPECT_EQ(browse("GET", "/verify.css").header("content-type"), "text/css; charset=utf-8");
}

TEST_F(Verify, NothingElseOfTheApiIsThere) {
    for (const auto* path : {"/", "/v1/campaigns", "/v1/session", "/assets/x", "/verify/x"}) {
        EXPECT_EQ(browse("GET", path).status, 404U) << path;
    }
    EXPECT_EQ(get("operator", "/verify").status, 404U) << "and the page is not on the api's address";
}

TEST_F(Verify, WhoGuessesWaitsAndWhoKnowsDoesNot) {
    open({.free = 2, .every = 400ms, .longest = 800ms});
    const auto id = approved();
    launch(id);
    const auto took = [&](const std::string& code) {
        const auto began = std::chrono::steady_clock::now();
        check(code);
        return std::chrono::steady_clock::now() - began;
    };
    const auto guessed = correlation::verification_code::of(crypto::campaign_key::random(), base::campaign_id{id},
                                                            base::channel::sms, "ko")
                             .grouped();
    for (int i = 0; i < 3; ++i) {
        took(guessed);
    }
    EXPECT_GE(took(guessed), 300ms) << "a code that nobody was sent";
    EXPECT_GE(took("nonsense"), 300ms) << "no code at all";
    const auto known = code_of(id, base::channel::sms, "ko");
    EXPECT_LT(took(known), 300ms * support::slowness);
}

TEST_F(Verify, ANoticesTextIsNeverHtml) {
    auto files = files_of_notice();
    const std::string evil = "<script>alert(1)</script>";
    files.at("sms.en.txt") += "\n" + evil + " & '\"\n";
    auto& yaml = files.at("notice.yaml");
    yaml.insert(yaml.find("(follow-up)\""), evil);
    const auto id = approved(files);
    launch(id);
    const auto found = check(code_of(id, base::channel::sms, "en"));
    ASSERT_EQ(found.status, 200U) << found.body;
    EXPECT_THAT(found.body,
                AllOf(Not(HasSubstr("<script")), HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;(follow-up)"),
                      HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;&quot;")));
}

TEST_F(Verify, SaysWhenItCannotLookUp) {
    const auto id = approved();
    launch(id);
    const auto code = code_of(id, base::channel::sms, "ko");
    db->run_blocking([](pqxx::connection& c) {
        pqxx::work tx{c};
        tx.exec("DROP TABLE api.verifiable");
        tx.commit();
    });
    const auto answer = check(code);
    EXPECT_EQ(answer.status, 503U);
    EXPECT_THAT(answer.body, HasSubstr("Nobody can say at the moment"));
}

// What an approver is shown has the code that people will get.
TEST_F(Verify, ApproversSeeTheCodeThatIsSent) {
    const auto id = create_registered();
    const auto shown = get("approver", "/v1/campaigns/" + id + "/approval");
    EXPECT_THAT(shown.body, AllOf(HasSubstr(code_of(id, base::channel::sms, "ko")),
                                  HasSubstr(code_of(id, base::channel::sms, "en"))));
}

} // namespace
} // namespace semel::api::test
