#pragma once
// The commands as a script uses them, against a real HTTP server with answers made up by each test.

#include <http/json.hpp>
#include <http/server.hpp>

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <cli/campaign/commands.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

namespace semel::cli::campaign::test {

namespace asio = boost::asio;
namespace fs = std::filesystem;

/// Answers each route with its answers in turn; the last one stays.
class made_up_api {
  public:
    struct answer {
        unsigned status = 200;
        std::string body = "{}";
    };
    struct asked {
        std::string what, bearer, body, query, reason, case_number;
    };

    made_up_api& on(const std::string& method, const std::string& path, std::deque<answer> answers) {
        auto next = std::make_shared<std::deque<answer>>(std::move(answers));
        routes_.add(method, path, [this, next](http::request& r) { return serve(*this, next, r); });
        return *this;
    }
    void start() {
        server_.emplace(io_.get_executor(), http::server_options{}, std::move(routes_));
        asio::co_spawn(io_, server_->run(), asio::detached);
        ::setenv("SEMEL_API", fmt::format("http://127.0.0.1:{}", server_->port()).c_str(), 1);
        ::setenv("SEMEL_TOKEN", "the-token", 1);
        thread_ = std::thread{[this] { io_.run(); }};
    }
    /// What came in; the thread has ended.
    const std::vector<asked>& stop() {
        io_.stop();
        thread_.join();
        return asked_;
    }
    ~made_up_api() {
        if (thread_.joinable()) {
            stop();
        }
    }

  private:
    static asio::awaitable<http::response> serve(made_up_api& self, std::shared_ptr<std::deque<answer>> next,
                                                 http::request& r) {
        asked a{.what = r.method + ' ' + r.path,
                .bearer = r.bearer,
                .body = {},
                .query = {},
                .reason = std::string{r.header("Semel-Reason")},
                .case_number = std::string{r.header("Semel-Case")}};
        for (const auto& [key, value] : r.query) { // decoded, by their names
            a.query += fmt::format("{}{}={}", a.query.empty() ? "" : "&", key, value);
        }
        std::vector<char> piece(64 * 1024);
        while (const auto n = co_await r.read_some(piece)) {
            if (*n == 0) {
                break;
            }
            a.body.append(piece.data(), *n);
        }
        self.asked_.push_back(std::move(a));
        const auto now = next->front();
        if (next->size() > 1) {
            next->pop_front();
        }
        http::response out;
        out.status = now.status;
        out.body = now.body;
        co_return out;
    }

    http::router routes_;
    asio::io_context io_;
    std::optional<http::server> server_;
    std::thread thread_;
    std::vector<asked> asked_;
};

struct ran {
    int exit_code = -1;
    std::string out, err;
};

inline ran semel(std::vector<std::string> words) {
    CLI::App program;
    ran r;
    add_campaign_commands(program, r.exit_code);
    add_audience_commands(program, r.exit_code);
    add_record_commands(program, r.exit_code);
    add_console_command(program, r.exit_code);
    add_user_commands(program, r.exit_code);
    add_browser_session_commands(program, r.exit_code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
        std::ranges::reverse(words);
        program.parse(words);
    } catch (const CLI::ParseError&) {
        r.exit_code = 2; // as main() does
    }
    r.out = testing::internal::GetCapturedStdout();
    r.err = testing::internal::GetCapturedStderr();
    return r;
}

class Commands : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "semel-commands-XXXXXX").string();
        folder = ::mkdtemp(name.data());
    }
    void TearDown() override { fs::remove_all(folder); }
    std::string file(const std::string& name, std::string_view bytes) const {
        std::ofstream{folder / name, std::ios::binary} << bytes;
        return (folder / name).string();
    }
    static std::string text_in(const fs::path& where) {
        std::ifstream in{where, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    static bool is_private(const fs::path& file) {
        return (fs::status(file).permissions() & fs::perms::all) == (fs::perms::owner_read | fs::perms::owner_write);
    }
    fs::path folder;
    made_up_api api;
};

} // namespace semel::cli::campaign::test
