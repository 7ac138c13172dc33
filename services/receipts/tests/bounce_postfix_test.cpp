// A mail that Postfix cannot deliver comes back: its own delivery status, handed over by its own LMTP client.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <correlation/verp.hpp>
#include <gtest/gtest.h>
#include <receipts/edge/bounce_server.hpp>
#include <support/child_process.hpp>
#include <support/slowness.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace semel::receipts {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

void sh(const std::string& command) {
    if (std::system(command.c_str()) != 0) {
        throw std::runtime_error{"failed: " + command};
    }
}

/// Knows nobody, and hands what comes back for bounces.example.com over to `lmtp_port`.
struct knows_nobody {
    fs::path dir;
    std::uint16_t port = support::free_port();

    explicit knows_nobody(std::uint16_t lmtp_port) {
        std::string name = (fs::temp_directory_path() / "semel-bounce-XXXXXX").string();
        dir = ::mkdtemp(name.data());
        fs::permissions(dir, fs::perms::all); // Postfix writes as a user of its own
        for (const auto* folder : {"etc", "queue", "data"}) {
            fs::create_directories(dir / folder);
        }
        sh("chown postfix " + (dir / "data").string());
        std::ofstream{dir / "etc/main.cf"}
            << "compatibility_level = 3.6\nqueue_directory = " << (dir / "queue").string()
            << "\ndata_directory = " << (dir / "data").string() << "\nmaillog_file_prefixes = " << dir.string()
            << "\nmaillog_file = " << (dir / "log").string()
            << "\nmyhostname = relay.example.com\nmydestination =\nmynetworks = 127.0.0.0/8\nalias_maps =\n"
               "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nrelay_domains = bounces.example.com\n"
               "default_transport = error:5.1.1 nobody has this address\nlocal_transport = error:5.1.1 nobody\n"
               "transport_maps = inline:{ bounces.example.com=lmtp:inet:127.0.0.1:"
            << lmtp_port
            << " }\nsmtpd_recipient_restrictions = permit_mynetworks, reject\n"
               "smtpd_reject_unlisted_recipient = no\n";
        std::ofstream{dir / "etc/master.cf"}
            << "127.0.0.1:" << port << " inet n - n - - smtpd\n"
            << "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n"
               "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
               "error unix - - n - - error\nretry unix - - n - - error\nlmtp unix - - n - - lmtp\n"
               "anvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\nscache unix - - n - 1 scache\n"
               "tlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n";
        sh("postfix -c " + (dir / "etc").string() + " start >/dev/null 2>&1");
        support::wait_for_port(port);
    }
    knows_nobody(const knows_nobody&) = delete;
    knows_nobody& operator=(const knows_nobody&) = delete;
    ~knows_nobody() {
        std::ignore = std::system(("postfix -c " + (dir / "etc").string() + " stop >/dev/null 2>&1").c_str());
        std::error_code ignored;
        fs::remove_all(dir, ignored);
    }

    void send(const std::string& return_path) const {
        sh("python3 -c \"import smtplib; s = smtplib.SMTP('127.0.0.1', " + std::to_string(port) + "); s.sendmail('" +
           return_path +
           "', ['kim@example.org'], 'Subject: a notice\\n\\nwords\\n', mail_options=['ENVID=00ff']); s.quit()\"");
    }
    std::string log() const {
        std::stringstream all;
        all << std::ifstream{dir / "log"}.rdbuf();
        return all.str();
    }
};

} // namespace

TEST(BouncePostfix, HandsItsDeliveryStatusOverAndIsToldThatItIsKept) {
    asio::io_context io{1};
    telemetry::metrics metrics;
    std::vector<v1::GatewayReceipt> kept;
    const fs::path key = fs::path{testing::TempDir()} / "bounce-postfix.key";
    std::ofstream{key} << "sixteen bytes and more";
    config::smtp link;
    link.verp_key_file = key;
    bounce_server server{io.get_executor(),
                         {},
                         reader_of({{.name = "relay-a", .limit = {}, .domains = {}, .link = link}}),
                         [&](v1::GatewayReceipt r) -> asio::awaitable<bool> {
                             kept.push_back(std::move(r));
                             co_return true;
                         },
                         metrics};
    asio::co_spawn(io, server.run(), asio::detached);
    const knows_nobody postfix{server.port()};
    base::byte_array<32> id{};
    id.fill(9);
    postfix.send(
        correlation::verp{"sixteen bytes and more"}.return_path(base::notification_id{id}, "bounces.example.com"));

    const auto deadline = std::chrono::steady_clock::now() + 30s * support::slowness;
    // Postfix has taken its mail off the queue once it was told "kept".
    while (!postfix.log().contains("status=sent (250 2.0.0 kept)") && std::chrono::steady_clock::now() < deadline) {
        io.run_one_for(100ms);
    }
    EXPECT_TRUE(postfix.log().contains("status=sent (250 2.0.0 kept)")) << postfix.log();
    ASSERT_EQ(kept.size(), 1U) << postfix.log();
    EXPECT_EQ(kept[0].gateway(), "relay-a");
    EXPECT_EQ(kept[0].state(), static_cast<unsigned>(v1::RECEIPT_BOUNCED));
    EXPECT_EQ(kept[0].code(), "5.1.1");
    EXPECT_EQ(kept[0].notification(), std::string(16, '\x09'));
}

} // namespace semel::receipts
