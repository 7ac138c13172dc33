// The gateway against npm's smpp, a message centre that is not ours (tests/peers/smpp).

#include <boost/asio.hpp>
#include <gtest/gtest.h>
#include <sms/edge/smpp_gateway.hpp>
#include <support/child_process.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace semel::sms {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using delivery::verdict;
using kind = verdict::kind;
using namespace std::chrono_literals;

struct NpmSmpp : testing::Test {
    fs::path dir;
    std::uint16_t port = support::free_port();
    asio::io_context io{1};
    telemetry::metrics metrics;
    std::vector<delivery::late_report> reports;
    std::unique_ptr<support::child_process> centre;
    std::unique_ptr<smpp_gateway> gate;

    NpmSmpp() {
        std::string name = (fs::temp_directory_path() / "semel-sms-XXXXXX").string();
        dir = ::mkdtemp(name.data());
    }
    ~NpmSmpp() override {
        gate.reset();
        centre.reset();
        fs::remove_all(dir);
    }

    void start(const std::string& password, std::vector<std::string> order = {}) {
        if (!fs::exists("tests/peers/smpp/node_modules/smpp")) {
            throw std::runtime_error("npm's smpp is not installed; run deploy/setup or tests/peers/setup");
        }
        std::vector<std::string> command{"node", "tests/peers/smpp/centre.js", std::to_string(port),
                                         (dir / "taken").string()};
        command.insert(command.end(), order.begin(), order.end());
        centre = std::make_unique<support::child_process>(command);
        support::wait_for_port(port);
        std::ofstream{dir / "password"} << password << '\n';
        config::smpp link;
        link.host = "127.0.0.1";
        link.port = port;
        link.system_id = "semel";
        link.password_file = dir / "password";
        link.source_address = "15771577";
        const config::gateway settings{.name = "smsc-a", .limit = {}, .domains = {}, .link = link};
        gate = smpp_gateway::make(
                   io.get_executor(), settings,
                   [this](delivery::late_report r) -> asio::awaitable<bool> {
                       reports.push_back(std::move(r));
                       co_return true;
                   },
                   metrics)
                   .value();
    }

    void until(const std::function<bool()>& holds) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!holds()) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("what the test waits for did not happen");
            }
            io.run_one_for(50ms);
        }
    }

    verdict send(delivery::outbound m) {
        const auto one = [](smpp_gateway& g, const delivery::outbound& message) -> asio::awaitable<verdict> {
            auto staged = co_await g.stage(message, 10s);
            if (const auto* refused = std::get_if<delivery::refused>(&staged)) {
                co_return refused->why();
            }
            co_return co_await std::get<0>(staged)->release();
        };
        auto done = asio::co_spawn(io, one(*gate, m), asio::use_future);
        until([&] { return done.wait_for(0s) == std::future_status::ready; });
        return done.get();
    }

    std::string taken() const {
        std::ifstream in{dir / "taken"};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    static delivery::outbound a_message(std::vector<std::string> parts, std::uint8_t coding) {
        delivery::outbound m;
        m.address = "+821000000000";
        m.parts = std::move(parts);
        m.data_coding = coding;
        m.give_up = base::now() + std::chrono::hours{1};
        auto id = base::byte_array<32>{};
        id[1] = 7;
        m.notification = base::notification_id{id};
        return m;
    }
};

TEST_F(NpmSmpp, TakesAMessageAndReportsIt) {
    start("secret");
    const auto v = send(a_message({"hello"}, 0));
    EXPECT_EQ(v.what, kind::accepted) << v.text;
    EXPECT_EQ(v.message_id, "1");
    until([&] { return !reports.empty(); });
    EXPECT_EQ(reports[0].message_id, "1");
    EXPECT_EQ(reports[0].state, 1); // RECEIPT_DELIVERED
    EXPECT_EQ(reports[0].user_message_reference, 7);
    EXPECT_EQ(reports[0].destination, "+821000000000");
    EXPECT_TRUE(taken().contains(R"("destination":"821000000000","ton":1)")) << taken();
    EXPECT_TRUE(taken().contains(R"("text":"hello")")) << taken();
}

TEST_F(NpmSmpp, PutsThePartsTogether) {
    start("secret");
    const std::string han{"\xD5\x5C\xAE\x00", 4}; // two syllables in UCS-2
    const auto v = send(a_message(
        {std::string{"\x05\x00\x03\x2A\x02\x01", 6} + han, std::string{"\x05\x00\x03\x2A\x02\x02", 6} + han}, 8));
    EXPECT_EQ(v.what, kind::accepted);
    EXPECT_EQ(v.message_id, "1,2");
    EXPECT_TRUE(taken().contains("\"parts\":2,\"text\":\"\xED\x95\x9C\xEA\xB8\x80\xED\x95\x9C\xEA\xB8\x80\""))
        << taken();
    until([&] { return reports.size() == 2; });
}

TEST_F(NpmSmpp, ReportsBeforeItAnswers) {
    start("secret", {"before"});
    EXPECT_EQ(send(a_message({"hello"}, 0)).what, kind::accepted);
    EXPECT_EQ(reports.size(), 1U) << "the receipt was there first";
}

TEST_F(NpmSmpp, RefusesAWrongPassword) {
    start("wrong");
    const auto v = send(a_message({"hello"}, 0));
    EXPECT_EQ(v.what, kind::lane_stop);
    EXPECT_EQ(v.code, "0x0000000E");
}

} // namespace
} // namespace semel::sms
