// The console's files, and what a browser may do with them.

#include "support.hpp"

#include <api/edge/console_files.hpp>

namespace semel::api::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ConsoleFiles : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "semel-console-XXXXXX").string();
        folder = ::mkdtemp(name.data());
        fs::create_directories(folder / "assets");
        write("index.html", "<!doctype html>");
        write("assets/index-4f2a.js", "let a = 1;");
        write("assets/index-4f2a.js.gz", "compressed");
        write("assets/index-4f2a.js.map", "{}");
        write("secret", "token");
    }
    void TearDown() override { fs::remove_all(folder); }
    void write(const std::string& name, const std::string& bytes) const { std::ofstream{folder / name} << bytes; }

    http::client_response get(const std::string& target, const std::string& accepts = {}) {
        http::router routes;
        add_console(routes, std::make_shared<const console_files>(console_files::read(folder)));
        http::client_response got;
        asio::io_context io;
        http::server server{io.get_executor(), {}, std::move(routes)};
        asio::co_spawn(io, server.run(), asio::detached);
        asio::co_spawn(io, ask(server, io, target, accepts, got), [&](std::exception_ptr failure) {
            io.stop();
            EXPECT_EQ(failure, nullptr);
        });
        io.run_for(30s * support::slowness);
        return got;
    }
    static asio::awaitable<void> ask(const http::server& server, asio::io_context& io, std::string target,
                                     std::string accepts, http::client_response& into) {
        http::client client{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", server.port())}};
        http::client_request r;
        r.target = std::move(target);
        if (!accepts.empty()) {
            r.headers.emplace_back("Accept-Encoding", accepts);
        }
        auto answer = co_await client.send(std::move(r));
        if (answer) {
            into = std::move(*answer);
        }
    }

    fs::path folder;
};

TEST_F(ConsoleFiles, AreServedWithTheirTypes) {
    const auto page = get("/");
    EXPECT_EQ(page.status, 200U);
    EXPECT_EQ(page.body, "<!doctype html>");
    EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
    const auto script = get("/assets/index-4f2a.js");
    EXPECT_EQ(script.body, "let a = 1;");
    EXPECT_EQ(script.header("content-type"), "text/javascript; charset=utf-8");
}

TEST_F(ConsoleFiles, AreCompressedForWhoReadsThat) {
    const auto small = get("/assets/index-4f2a.js", "gzip, br");
    EXPECT_EQ(small.body, "compressed");
    EXPECT_EQ(small.header("content-encoding"), "gzip");
    EXPECT_EQ(small.header("vary"), "Accept-Encoding");
    EXPECT_EQ(get("/assets/index-4f2a.js", "br").body, "let a = 1;");
    EXPECT_EQ(get("/", "gzip").body, "<!doctype html>") << "there is no smaller one";
}

TEST_F(ConsoleFiles, AreKeptForEverOnlyUnderTheirDigest) {
    EXPECT_THAT(std::string{get("/assets/index-4f2a.js").header("cache-control")}, HasSubstr("immutable"));
    EXPECT_EQ(get("/").header("cache-control"), "no-store");
}

TEST_F(ConsoleFiles, AreNothingElseOfTheFolder) {
    for (const auto* target : {"/secret", "/assets/index-4f2a.js.map", "/assets/index-4f2a.js.gz",
                               "/assets/..%2Fsecret", "/assets/../secret", "/index.html.gz", "/assets/"}) {
        EXPECT_THAT(get(target).status, testing::AnyOf(400U, 404U)) << target;
    }
    write("index.html", "changed");
    EXPECT_EQ(get("/").body, "changed") << "read when the api starts";
}

TEST_F(ConsoleFiles, RunTheirOwnScriptsAloneAndInNobodysFrame) {
    for (const auto* target : {"/", "/assets/index-4f2a.js"}) {
        const auto answer = get(target);
        const std::string policy{answer.header("content-security-policy")};
        EXPECT_THAT(policy, AllOf(HasSubstr("default-src 'none'"), HasSubstr("script-src 'self'"),
                                  HasSubstr("frame-ancestors 'none'"), HasSubstr("base-uri 'none'"),
                                  HasSubstr("form-action 'self'")));
        EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
        EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
        EXPECT_EQ(answer.header("x-frame-options"), "DENY");
        EXPECT_EQ(answer.header("referrer-policy"), "no-referrer");
    }
}

TEST_F(ConsoleFiles, ThatAreNotBuiltSayHowTheyAre) {
    fs::remove_all(folder);
    const auto answer = get("/");
    EXPECT_EQ(answer.status, 404U);
    EXPECT_THAT(answer.body, HasSubstr("deploy/setup"));
}

TEST_F(Api, ShowsAMailInAFrameThatLetsItDoNothing) {
    const auto id = create_registered();
    const auto shown = get("approver", "/v1/campaigns/" + id + "/approval").object();
    std::string sha256;
    for (const auto& text : shown.at("texts").as_array()) {
        if (text.at("channel").as_string() == "email") {
            sha256 = text.at("sha256").as_string();
        }
    }
    ASSERT_FALSE(sha256.empty());
    std::optional<http::client_response> page;
    play([&]() -> asio::awaitable<void> {
        http::client client{io.get_executor(), {.base = fmt::format("http://127.0.0.1:{}", server->port())}};
        auto got = co_await client.send(request("approver", "GET", "/v1/campaigns/" + id + "/mails/" + sha256));
        page = std::move(*got);
    });
    EXPECT_EQ(page->status, 200U);
    EXPECT_EQ(page->header("content-type"), "text/html; charset=utf-8");
    EXPECT_THAT(page->body, HasSubstr("<html"));
    EXPECT_THAT(std::string{page->header("content-security-policy")},
                AllOf(HasSubstr("sandbox;"), HasSubstr("default-src 'none'"), HasSubstr("frame-ancestors 'self'"),
                      Not(HasSubstr("script"))));
    EXPECT_EQ(page->header("cache-control"), "no-store");
    EXPECT_EQ(get("approver", "/v1/campaigns/" + id + "/mails/" + std::string(64, '0')).status, 404U);
    EXPECT_EQ(get("", "/v1/campaigns/" + id + "/mails/" + sha256).status, 401U);
}

} // namespace
} // namespace semel::api::test
